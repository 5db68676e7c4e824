"""The server's clock and this program's: which of the server's timestamps are usable, and which clock is wrong."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, Literal

from llmtui.core.events import TrialFinished
from llmtui.core.records import ServerCounters

MIN_TOKENS_COMPARED: Final = 64
BUNDLED_FROM: Final = 1.25
"""If chunks have at least this many tokens on average, the times of chunks say little about the times of tokens."""
CLOCKS_SHARE: Final = 0.02
CLOCKS_FLOOR_NS: Final = 5e6
"""Decode times by the two clocks may differ by this many ns, or by ``CLOCKS_SHARE`` if that is more."""
APART_NS: Final = 10_000_000_000
"""Largest plausible difference in ns between a timestamp and its arrival. If it is larger, the clocks are set
differently."""
EARLY_NS: Final = 2_000_000
"""Time in ns by which a timestamp may be later than its arrival, since some servers round to milliseconds."""
_WHOLE_SECOND_NS: Final = 1_000_000_000
_FEWEST_STAMPS: Final = 3

Side = Literal["ours", "server", "unknown"]


def stamps_refused(finished: TrialFinished, *, local: bool) -> str | None:
    """Return why the server's timestamps are not used: ``coarse_stamps`` or ``clocks_apart``; None if usable or absent.

    ``coarse_stamps``: they are constant or whole seconds, and so say nothing about chunks. ``clocks_apart``: the
    server's clock is set differently, or was changed during the answer. The evidence is that timestamps go backwards,
    or that their distance from the arrivals varies by over 10 s. For a server on this machine, further evidence is a
    timestamp that is later than its arrival, earlier than the request, or more than 10 s before its arrival.
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
    """Return arrival − server timestamp of each chunk, in ns; an empty list if there are no timestamps."""
    line = finished.timeline
    return [finished.wall_ns + at - stamp for at, stamp in zip(line.t_ns, line.server_ns or (), strict=False)]


def held_back_ns(finished: TrialFinished) -> int | None:
    """Return how long the server held back the first text, in ns; None if it did not.

    Two estimates of this time must agree within 20 %, or within 3 ms if that is more. The first is the server's decode
    time − the time from the first text to the end; it must be as long as 1–8 tokens take. The second is TTFT − load
    time − prompt time.
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
    """Return whether the decode times by the server's clock and by this program's clock disagree.

    They disagree if they differ by more than 2 % and by more than 5 ms, in an answer of at least 64 tokens. A
    difference does not count if it is explained by text that the server held back, or by a first chunk of several
    tokens.
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
    """Return which clock is wrong, if the server's and this program's disagree; None if they agree.

    ``ours``: at least half of the difference is explained by the lag of this program, or by a late arrival of the first
    or last text. ``server``: the server's timestamps agree with the arrivals, so its counters are wrong. ``unknown``:
    the server sends no timestamps.

    Args:
        finished: the trial.
        lag_ms: median of arrival − server timestamp, in ms; None without timestamps.
    """
    difference = clock_difference_ns(finished)
    if difference is None or not clocks_disagree(finished):
        return None
    if was_late_at_an_end(finished) or (lag_ms is not None and lag_ms * 1e6 >= abs(difference) / 2):
        return "ours"
    return "unknown" if lag_ms is None else "server"


def was_late_at_an_end(finished: TrialFinished) -> bool:
    """Return whether a late arrival of the first or last text explains at least half of the clocks' difference.

    The delay is computed from the difference between the server's timestamps of the two chunks, which needs no common
    clock. False if there are no timestamps.
    """
    line, difference = finished.timeline, clock_difference_ns(finished)
    if difference is None or line.server_ns is None or stamps_refused(finished, local=False) is not None:
        return False
    late = (line.t_ns[0] - line.server_ns[0]) - (line.t_ns[-1] - line.server_ns[-1])
    unexplained = difference - (_first_bundle_ns(finished) if difference > 0 else 0)
    return abs(late) >= CLOCKS_FLOOR_NS / 2 and late * unexplained > 0 and abs(late) >= abs(unexplained) / 2


def clock_difference_ns(finished: TrialFinished) -> int | None:
    """Return the server's − this program's decode time for the same tokens, in ns; None if either is missing."""
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
    """Return whether the chunks hold clearly more than one token on average (``BUNDLED_FROM`` or more)."""
    return tokens / len(finished.timeline.t_ns) >= BUNDLED_FROM


def _first_bundle_ns(finished: TrialFinished) -> float:
    """Return the server's time for the tokens of the first chunk, in ns, which this program cannot measure.

    It is estimated from the chunk's share of the text, or from the mean chunk. 0 if each chunk is one token, or if the
    server's running counts show how many tokens the first chunk had.
    """
    counters, line = finished.counters or ServerCounters(), finished.timeline
    if line.tokens or not is_bundled(finished, counters.output_tokens or 0):
        return 0.0
    share = max(1 / len(line.chars), line.chars[0] / max(sum(line.chars), 1))
    return share * (counters.output_duration_ns or 0)
