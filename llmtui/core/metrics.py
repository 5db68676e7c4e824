"""From one finished trial to its figures.

Every formula stands beside the words in which it is shown to users (core.columns). Source of the rules: docs/method.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from llmtui.core.events import TrialFinished
from llmtui.core.facts import ServerCounters


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One trial's figures. None means missing; ``why`` then has the reason under the field's name."""

    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    decode_tps: float | None = None
    tps_source: str | None = None
    """``client`` (our clock) or ``server`` (its counters), where decode_tps is present."""
    tpot_ms: float | None = None
    decode_cps: float | None = None
    reading_x: float | None = None
    prefill_tps: float | None = None
    load_ms: float | None = None
    e2e_ms: float | None = None
    e2e_tps: float | None = None
    gap_p50_ms: float | None = None
    gap_p95_ms: float | None = None
    longest_gap_ms: float | None = None
    stalls: int | None = None
    gap_clock: str | None = None
    """``server`` (its stamps) or ``arrival``."""
    client_lag_ms: float | None = None
    """Median of arrival − server stamp; local servers only."""
    tokens: int | None = None
    """Output tokens by the server's count, thinking among them."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_ms: float | None = None
    """The server's time for the prompt; what it had remembered took none of it."""
    chunks: int = 0
    answer_chars: int = 0
    thinking_chars: int = 0
    words: int = 0
    decode_steps: int | None = None
    """n − k1: numerator of decode_tps, for pooling."""
    decode_s: float | None = None
    """Its denominator."""
    decode_chars: int | None = None
    """Numerator of decode_cps."""
    server_decode_tps: float | None = None
    """The same rate by the server's own counters."""
    thinking_inline: bool = False
    why: dict[str, str] = {}


READING_WORDS_PER_S = 238 / 60
"""Silent reading of English non-fiction, 238 words a minute: Brysbaert 2019, doi 10.1016/j.jml.2019.104047."""

MIN_TOKENS_DECODE = 16
"""Below, one token of doubt is 7 % and more: no decode rate."""
MIN_TOKENS_COMPARED = 64
MIN_TOKENS_PREFILL = 64
SHORTEST_WINDOW_S = 0.005
"""Text that arrives within less says nothing about speed: one late wake-up of this program is as long."""
BUNDLED_FROM = 1.25
"""Tokens a chunk from which chunk times say little about token times."""
CLOCKS_SHARE = 0.02
CLOCKS_FLOOR_NS = 5e6
"""Two clocks of one answer may differ by this share of it, and by so much at least."""
STALL_FLOOR_MS = 250.0
STALL_FACTOR = 5.0
LONGEST_WORD = 15
"""Mean characters a word above which a text is not written in words with spaces between them."""

_HAS_TIMES = ("ok", "no_final", "thinking_only")


def measure(finished: TrialFinished, *, local: bool) -> Figures:
    """Gives a finished trial's figures.

    Args:
        finished: the trial with its timeline and the server's counters.
        local: the server runs on this machine, so that its wall clock is ours.

    Formulas: TTFT, TTFO and TPOT as NVIDIA AIPerf and MLPerf Inference define them; the decode rate leaves out the
    tokens of the first piece, because their time belongs to the prompt.
    """
    why: dict[str, str] = {}
    times = finished.timeline.t_ns
    if not times:
        reason = "nothing_sent" if finished.t0_ns is None else "no_text"
        return Figures(load_ms=_load_ms(finished.counters), why=dict.fromkeys(_all_columns(), reason))
    texts = pieces_of(finished)
    inline, ttfo_index = _first_answer(texts, finished.timeline.channels)
    ttfo_ms = None if ttfo_index is None else times[ttfo_index] / 1e6
    if ttfo_ms is None:
        why["ttfo_ms"] = "still_thinking" if finished.ended_by == "length" else "no_answer"
    parts: dict[str, object] = {
        "ttft_ms": times[0] / 1e6,
        "ttfo_ms": ttfo_ms,
        "chunks": len(times),
        "thinking_inline": inline,
        "load_ms": _load_ms(finished.counters),
    }
    answer = "".join(text for text, channel in zip(texts, finished.timeline.channels, strict=True) if channel == "a")
    parts["answer_chars"] = len(answer)
    parts["thinking_chars"] = sum(finished.timeline.chars) - len(answer)
    parts["words"] = len(answer.split())
    parts |= _gaps(finished, why, local=local)
    counters = finished.counters or ServerCounters()
    parts |= {
        "tokens": counters.output_tokens,
        "prompt_tokens": counters.prompt_tokens,
        "cached_tokens": counters.cached_tokens,
        "prompt_ms": None if counters.prompt_duration_ns is None else counters.prompt_duration_ns / 1e6,
    }
    if finished.outcome in _HAS_TIMES and finished.done_ns is not None:
        parts |= _decode(finished, counters, why)
        parts |= _text_speed(finished, counters, texts, why)
        parts |= _whole(finished, counters, why)
    else:
        why |= dict.fromkeys((*_DECODE, *_TEXT, "e2e_ms", "e2e_tps"), "not_finished")
    parts["prefill_tps"] = _prefill(finished, counters, why)
    if finished.recorded is not None:
        why |= dict.fromkeys((*_TEXT, *_GAPS, "prefill_tps"), "not_recorded")
    for flag, columns in _NOT_CLAIMED.items():
        if flag in finished.flags:
            parts |= dict.fromkeys(columns)
            why |= {column: flag for column in columns if column in _all_columns()}
    return msgspec.convert({**parts, "why": why}, Figures)


def pieces_of(finished: TrialFinished) -> tuple[str, ...]:
    """Gives the text cut into the pieces in which it arrived."""
    cut: list[str] = []
    at = 0
    for length in finished.timeline.chars:
        cut.append(finished.text[at : at + length])
        at += length
    return tuple(cut)


def answer_of(finished: TrialFinished) -> str:
    """Gives the answer without the thinking that came in a channel of its own."""
    channels = finished.timeline.channels
    return "".join(text for text, channel in zip(pieces_of(finished), channels, strict=True) if channel == "a")


def held_back_ns(finished: TrialFinished) -> int | None:
    """Gives for how long the server held the first text back, or None if it did not.

    Evidence: its decode clock ran 1–8 tokens longer than the time from the first text to the end, and that difference
    agrees, within 20 % or 3 ms, with what the first text took beyond load and prompt.
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
    # Half a token of slack below: the difference carries the network's and the clock's noise.
    if not 0.5 * token <= extra <= 8.5 * token:
        return None
    return extra if abs(beyond - extra) <= max(0.2 * extra, 3e6) else None


_DECODE = ("decode_tps", "tpot_ms", "tokens")
_TEXT = ("decode_cps", "reading_x")
_GAPS = ("gap_p50_ms", "gap_p95_ms", "longest_gap_ms", "stalls")
_SPEED = ("decode_tps", "tpot_ms", "tps_source", "decode_steps", "decode_s")
_NOT_CLAIMED = {
    "unseen_text": ("ttft_ms", *_SPEED),
    "buffered": ("ttft_ms", "ttfo_ms", *_SPEED, *_TEXT, "decode_chars", *_GAPS, "gap_clock", "client_lag_ms"),
}
"""What an answer cannot tell whose reading has one of these flags."""


def _all_columns() -> tuple[str, ...]:
    return (
        "ttft_ms", "ttfo_ms", "decode_tps", "tpot_ms", "decode_cps", "reading_x", "prefill_tps", "e2e_ms", "e2e_tps",
        *_GAPS, "client_lag_ms", "tokens",
    )  # fmt: skip


def _load_ms(counters: ServerCounters | None) -> float | None:
    return None if counters is None or counters.load_duration_ns is None else counters.load_duration_ns / 1e6


def _first_answer(texts: tuple[str, ...], channels: str) -> tuple[bool, int | None]:
    """Whether thinking stands inline as ``<think>``, and the piece in which the first answer text arrived."""
    answers = [index for index, channel in enumerate(channels) if channel == "a"]
    if not answers:
        return False, None
    answer = "".join(texts[index] for index in answers)
    if not answer.lstrip().startswith("<think>"):
        return False, answers[0]
    end = answer.find("</think>")
    if end < 0:
        return True, None
    rest = answer[end + len("</think>") :]
    wanted = len(answer) - len(rest.lstrip())
    if wanted == len(answer):
        return True, None
    seen = 0
    for index in answers:
        seen += len(texts[index])
        if seen > wanted:
            return True, index
    raise AssertionError("the wanted character lies inside the answer")


def _decode(finished: TrialFinished, counters: ServerCounters, why: dict[str, str]) -> dict[str, object]:
    tokens, steps = counters.output_tokens, counters.output_steps
    if tokens is None:
        why |= dict.fromkeys(_DECODE, counters.why.get("output_tokens", "no_count"))
        return {}
    if tokens < MIN_TOKENS_DECODE:
        why |= dict.fromkeys(("decode_tps", "tpot_ms"), "too_short")
        return {}
    assert finished.done_ns is not None
    duration = counters.output_duration_ns if steps else None
    server_tps = steps / (duration / 1e9) if duration and steps else None
    window_s = (finished.done_ns - finished.timeline.t_ns[0]) / 1e9
    first, source = _first_tokens(finished, tokens)
    if window_s < SHORTEST_WINDOW_S or first > tokens / 2:
        source = "server"
    if source == "server" and duration and steps:
        done, over_s = steps, duration / 1e9
    else:
        # MLX counts without the end token, which is made like the others.
        made = tokens + 1 if steps == tokens else tokens
        done, over_s, source = made - first, window_s, "client"
    if done < tokens / 2 or over_s < SHORTEST_WINDOW_S:
        why |= dict.fromkeys(("decode_tps", "tpot_ms"), "all_at_once")
        return {"server_decode_tps": server_tps}
    return {
        "decode_tps": done / over_s,
        "tpot_ms": 1000 * over_s / done,
        "tps_source": source,
        "decode_steps": done,
        "decode_s": over_s,
        "server_decode_tps": server_tps,
    }


def _first_tokens(finished: TrialFinished, tokens: int) -> tuple[int, str]:
    """k1, the tokens made when the first text arrived, and whose clock to use for the rate."""
    made = finished.timeline.tokens
    if made:
        return max(1, made[0]), "client"
    bundled = _is_bundled(finished, tokens)
    if not bundled and held_back_ns(finished) is None:
        return 1, "client"
    if not bundled or not clocks_disagree(finished) or was_late_at_an_end(finished):
        return 1, "server"
    # Bundled, and the server's clock is not to be believed: the first bundle is taken to be like the others.
    return round(tokens / len(finished.timeline.t_ns)), "client"


def clocks_disagree(finished: TrialFinished) -> bool:
    """Whether the server's decode time and ours differ by more than 2 % and 5 ms, at 64 tokens or more.

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


def was_late_at_an_end(finished: TrialFinished) -> bool:
    """Whether the clocks differ only because this program saw the first or the last text late.

    By the server's stamps of those two pieces, whose own distance needs no common clock; False where it sends none.
    """
    line, difference, counters = finished.timeline, clock_difference_ns(finished), finished.counters
    if difference is None or line.server_ns is None or counters is None:
        return False
    duration = counters.output_duration_ns or 0
    late = (line.t_ns[0] - line.server_ns[0]) - (line.t_ns[-1] - line.server_ns[-1])
    # The last line has no stamp here: it comes up to a token after the last text.
    room = max(CLOCKS_SHARE * duration, CLOCKS_FLOOR_NS) + duration / (counters.output_steps or 1)
    return -room <= difference - late <= room + _first_bundle_ns(finished)


def _is_bundled(finished: TrialFinished, tokens: int) -> bool:
    return tokens / len(finished.timeline.t_ns) >= BUNDLED_FROM


def _first_bundle_ns(finished: TrialFinished) -> float:
    """The server's time for a first bundle, which is no part of ours: by its share of the text, or that of the usual.

    0 where texts come token by token, or with running counts that tell what was made when the first one came.
    """
    counters, line = finished.counters, finished.timeline
    if counters is None or line.tokens or not _is_bundled(finished, counters.output_tokens or 0):
        return 0.0
    share = max(1 / len(line.chars), line.chars[0] / max(sum(line.chars), 1))
    return share * (counters.output_duration_ns or 0)


def clock_difference_ns(finished: TrialFinished) -> int | None:
    """Gives the server's decode time − ours, over the same tokens; None where either is missing."""
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


def _text_speed(
    finished: TrialFinished, counters: ServerCounters, texts: tuple[str, ...], why: dict[str, str]
) -> dict[str, object]:
    assert finished.done_ns is not None
    over_s = (finished.done_ns - finished.timeline.t_ns[0]) / 1e9
    made = len(texts) if counters.output_tokens is None else counters.output_tokens
    later = "".join(texts[1:])
    if made < MIN_TOKENS_DECODE or not later or over_s <= 0:
        why |= dict.fromkeys(_TEXT, "too_short")
        return {}
    words = len(later.split())
    figures: dict[str, object] = {"decode_cps": len(later) / over_s, "decode_chars": len(later)}
    if words and len(later) / words <= LONGEST_WORD:
        figures["reading_x"] = words / over_s / READING_WORDS_PER_S
    else:
        why["reading_x"] = "no_words"
    return figures


def _whole(finished: TrialFinished, counters: ServerCounters, why: dict[str, str]) -> dict[str, object]:
    assert finished.done_ns is not None
    figures: dict[str, object] = {"e2e_ms": finished.done_ns / 1e6}
    if counters.output_tokens is None:
        why["e2e_tps"] = counters.why.get("output_tokens", "no_count")
    elif finished.done_ns > 0:
        figures["e2e_tps"] = counters.output_tokens / (finished.done_ns / 1e9)
    return figures


def _prefill(finished: TrialFinished, counters: ServerCounters, why: dict[str, str]) -> float | None:
    if counters.prompt_tokens is None or not counters.prompt_duration_ns:
        why["prefill_tps"] = "no_count"
        return None
    if counters.cached_tokens is None and finished.trial.kind != "cold":
        why["prefill_tps"] = "cache_unknown"
        return None
    fresh = counters.prompt_tokens - (counters.cached_tokens or 0)
    if fresh < MIN_TOKENS_PREFILL:
        why["prefill_tps"] = "too_short"
        return None
    return fresh / (counters.prompt_duration_ns / 1e9)


def _gaps(finished: TrialFinished, why: dict[str, str], *, local: bool) -> dict[str, object]:
    line = finished.timeline
    figures: dict[str, object] = {}
    if line.server_ns is not None:
        lags = sorted(finished.wall_ns + at - stamp for at, stamp in zip(line.t_ns, line.server_ns, strict=True))
        base = 0 if local else lags[0]
        figures["client_lag_ms"] = (quantile(lags, 0.5) - base) / 1e6
    stamps = line.t_ns if line.server_ns is None else line.server_ns
    gaps = sorted(later - earlier for earlier, later in pairwise(stamps))
    if len(gaps) < 2:
        why |= dict.fromkeys(_GAPS, "few_pieces")
        return figures
    median = quantile(gaps, 0.5) / 1e6
    threshold = max(STALL_FACTOR * median, STALL_FLOOR_MS)
    return figures | {
        "gap_p50_ms": median,
        "gap_p95_ms": quantile(gaps, 0.95) / 1e6,
        "longest_gap_ms": gaps[-1] / 1e6,
        "stalls": sum(gap / 1e6 > threshold for gap in gaps),
        "gap_clock": "arrival" if line.server_ns is None else "server",
    }


def quantile(ordered: Sequence[float], share: float) -> float:
    """Gives a quantile of a sorted, non-empty series by linear interpolation (type 7 of Hyndman and Fan 1996)."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
