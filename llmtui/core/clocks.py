"""The two clocks of one answer, the server's and the engine's: which stamps are usable, and which clock is wrong."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, Literal

from llmtui.core.events import TrialFinished
from llmtui.core.records import ServerCounters

MIN_TOKENS_COMPARED: Final = 64
BUNDLED_FROM: Final = 1.25
"""Tokens per chunk from which chunk times say little about token times."""
CLOCKS_SHARE: Final = 0.02
CLOCKS_FLOOR_NS: Final = 5e6
"""The two clocks may differ by ``CLOCKS_SHARE`` of the answer, and by at least this much, in ns."""
APART_NS: Final = 10_000_000_000
"""A stamp further away from its arrival than this comes from a clock that is set differently."""
EARLY_NS: Final = 2_000_000
"""A stamp may be later than its arrival by this much: some servers round to milliseconds."""
_WHOLE_SECOND_NS: Final = 1_000_000_000
_FEWEST_STAMPS: Final = 3

Side = Literal["ours", "server", "unknown"]


def stamps_refused(finished: TrialFinished, *, local: bool) -> str | None:
    """Return why the server's stamps are not used (``coarse_stamps``, ``clocks_apart``); None if they are, or absent.

    Stamps that are constant or whole seconds say nothing about chunks. Stamps of a server on this machine that are
    after their arrival, before the request or over 10 s old come from a clock that is set differently, or was set
    meanwhile.
    """
    stamps = finished.timeline.server_ns
    if stamps is None:
        return None
    if len(stamps) >= _FEWEST_STAMPS:
        if len(set(stamps)) == 1 or all(stamp % _WHOLE_SECOND_NS == 0 for stamp in stamps):
            return "coarse_stamps"
        if any(later < earlier - EARLY_NS for earlier, later in pairwise(stamps)):
            return "clocks_apart"
    lags = lags_ns(finished)
    if local and (min(lags) < -EARLY_NS or max(lags) > APART_NS or stamps[0] < finished.wall_ns - EARLY_NS):
        return "clocks_apart"
    return "clocks_apart" if max(lags) - min(lags) > APART_NS else None


def lags_ns(finished: TrialFinished) -> list[int]:
    """Return arrival − server stamp per chunk, in ns; an empty list without stamps."""
    line = finished.timeline
    return [finished.wall_ns + at - stamp for at, stamp in zip(line.t_ns, line.server_ns or (), strict=False)]


def held_back_ns(finished: TrialFinished) -> int | None:
    """Return how long the server held the first text back, in ns; None if it did not.

    Evidence: its decode clock ran 1–8 tokens longer than the time from the first text to the end, and that difference
    agrees, within 20 % or 3 ms, with the time to first token minus load and prompt time.
    """
    counters = finished.counters
    if counters is None or not finished.timeline.t_ns or finished.done_ns is None:
        return None
    duration, steps = counters.output_duration_ns, counters.output_steps
    if duration is None or not steps or counters.prompt_duration_ns is None:
        return None
    extra = duration - (finished.done_ns - finished.timeline.t_ns[0])
    token = duration / steps
    beyond = finished.timeline.t_ns[0] - (counters.load_duration_ns or 0) - counters.prompt_duration_ns
    # Half a token of tolerance at both ends: the difference includes the noise of network and clock.
    if not 0.5 * token <= extra <= 8.5 * token:
        return None
    return extra if abs(beyond - extra) <= max(0.2 * extra, 3e6) else None


def clocks_disagree(finished: TrialFinished) -> bool:
    """Return whether the server's decode time and ours differ by more than 2 % and 5 ms, at 64 tokens or more.

    Text that the server held back explains a difference, and so does the first bundle where it bundles its text.
    """
    difference = clock_difference_ns(finished)
    counters = finished.counters
    if difference is None or counters is None or (counters.output_tokens or 0) < MIN_TOKENS_COMPARED:
        return False
    assert finished.done_ns is not None
    room = max(CLOCKS_SHARE * (finished.done_ns - finished.timeline.t_ns[0]), CLOCKS_FLOOR_NS)
    if -room <= difference <= room + _first_bundle_ns(finished):
        return False
    return held_back_ns(finished) is None


def clock_side(finished: TrialFinished, lag_ms: float | None) -> Side | None:
    """Return which clock is wrong where the two disagree, as far as there is evidence; None where they agree.

    ``ours``: the lag of the stamps, or the lateness of one end of the answer against the other, is at least half of the
    difference. ``server``: its stamps agree with our arrivals, so its counters are wrong. ``unknown``: it sends no
    stamps.
    """
    difference = clock_difference_ns(finished)
    if difference is None or not clocks_disagree(finished):
        return None
    if was_late_at_an_end(finished) or (lag_ms is not None and lag_ms * 1e6 >= abs(difference) / 2):
        return "ours"
    return "unknown" if lag_ms is None else "server"


def was_late_at_an_end(finished: TrialFinished) -> bool:
    """Return whether this program saw the first or the last text late by at least half of the clocks' difference.

    Computed from the server's stamps of those two chunks, whose distance needs no common clock; False without stamps.
    """
    line, difference = finished.timeline, clock_difference_ns(finished)
    if difference is None or line.server_ns is None or stamps_refused(finished, local=False) is not None:
        return False
    late = (line.t_ns[0] - line.server_ns[0]) - (line.t_ns[-1] - line.server_ns[-1])
    unexplained = difference - (_first_bundle_ns(finished) if difference > 0 else 0)
    return abs(late) >= CLOCKS_FLOOR_NS / 2 and late * unexplained > 0 and abs(late) >= abs(unexplained) / 2


def clock_difference_ns(finished: TrialFinished) -> int | None:
    """Return the server's decode time − ours over the same tokens, in ns; None where either is missing."""
    counters = finished.counters
    if counters is None or not counters.output_duration_ns or not counters.output_steps:
        return None
    if finished.done_ns is None or not finished.timeline.t_ns:
        return None
    duration = counters.output_duration_ns
    made = finished.timeline.tokens
    if made and made[0] > 1:
        duration = round(duration * (counters.output_steps - made[0] + 1) / counters.output_steps)
    return duration - (finished.done_ns - finished.timeline.t_ns[0])


def is_bundled(finished: TrialFinished, tokens: int) -> bool:
    """Return whether chunks hold several tokens each."""
    return tokens / len(finished.timeline.t_ns) >= BUNDLED_FROM


def _first_bundle_ns(finished: TrialFinished) -> float:
    """Return the server's time for the first bundle in ns, which our decode time does not include.

    Estimated by the bundle's share of the text, or by the mean bundle. 0 where text arrives token by token, or where
    running counts say how many tokens the first chunk held.
    """
    counters, line = finished.counters or ServerCounters(), finished.timeline
    if line.tokens or not is_bundled(finished, counters.output_tokens or 0):
        return 0.0
    share = max(1 / len(line.chars), line.chars[0] / max(sum(line.chars), 1))
    return share * (counters.output_duration_ns or 0)
