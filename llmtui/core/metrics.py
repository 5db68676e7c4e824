"""The figures of one finished trial.

The formulas are worded in ``words.measures``; the rules are in docs/method.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from llmtui.core.clocks import MIN_TOKENS_COMPARED as MIN_TOKENS_COMPARED
from llmtui.core.clocks import (
    Side,
    clock_side,
    clocks_disagree,
    held_back_ns,
    is_bundled,
    lags_ns,
    stamps_refused,
    was_late_at_an_end,
)
from llmtui.core.events import TrialFinished
from llmtui.core.reading import (
    FASTEST_TPS,
    GAPS,
    NOT_CLAIMED,
    TEXT,
    believed_counters,
    chunk_texts,
    own_text,
    reading_flags,
)
from llmtui.core.records import ServerCounters
from llmtui.core.thinking import inline_thinking


class Figures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The figures of one trial. A missing figure is None; ``why`` has the code of the reason under the field's name."""

    ttft_ms: float | None = None
    ttfo_ms: float | None = None
    decode_tps: float | None = None
    tps_source: str | None = None
    """Clock of ``decode_tps``: ``client`` (this program's clock) or ``server`` (the server's counters)."""
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
    """Source of the chunk gaps: ``server`` (its timestamps) or ``arrival``."""
    client_lag_ms: float | None = None
    """Median of arrival − server timestamp in ms; for a remote server, the excess over the smallest difference."""
    tokens: int | None = None
    """Number of output tokens by the server's count, including thinking."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_ms: float | None = None
    """The server's time for processing the prompt in ms, without the part taken from its cache."""
    chunks: int = 0
    answer_chars: int = 0
    thinking_chars: int = 0
    words: int = 0
    decode_steps: int | None = None
    """Numerator of ``decode_tps``, for pooling: number of tokens generated in ``decode_s``."""
    decode_s: float | None = None
    """Denominator of ``decode_tps``: seconds after the first text, or the server's decode time."""
    decode_chars: int | None = None
    """Numerator of ``decode_cps``: number of characters after the first chunk."""
    server_decode_tps: float | None = None
    """Decode speed by the server's own counters, in tokens per second."""
    thinking_inline: bool = False
    clock_side: Side | None = None
    """Which clock is wrong, if the server's clock and this program's disagree."""
    why: dict[str, str] = {}


READING_WORDS_PER_S = 238 / 60
"""Silent reading speed for English non-fiction, 238 words per minute: Brysbaert 2019, doi 10.1016/j.jml.2019.104047."""

MIN_TOKENS_DECODE = 16
"""Smallest number of output tokens for a decode speed. With fewer, an error of one token is more than 7 %."""
MIN_TOKENS_PREFILL = 64
SHORTEST_WINDOW_S = 0.005
"""Shortest time from the first text to the end, in seconds, for computing a speed. One late wake-up of this program
takes as long."""
STALL_FLOOR_MS = 250.0
STALL_FACTOR = 5.0
LONGEST_WORD = 15
"""Mean number of characters per word above which a text does not seem to separate its words by spaces."""

_HAS_TIMES = ("ok", "no_final", "thinking_only")


def measure(finished: TrialFinished, *, local: bool) -> Figures:
    """Return the figures of a finished trial.

    TTFT, TTFO and time per token are defined as in NVIDIA AIPerf and MLPerf Inference. The decode speed excludes the
    tokens of the first chunk, because their time belongs to the prompt.

    Args:
        finished: the trial with its timeline and the server's counters.
        local: whether the server runs on this machine, so that both share one wall clock.
    """
    why: dict[str, str] = {}
    finished = own_text(finished)
    times = finished.timeline.t_ns
    if not times:
        reason = "nothing_sent" if finished.t0_ns is None else "no_text"
        return Figures(load_ms=_load_ms(finished.counters), why=dict.fromkeys(_all_columns(), reason))
    texts = chunk_texts(finished)
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
    counters = believed_counters(finished)
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
        why |= dict.fromkeys((*_DECODE, *TEXT, "e2e_ms", "e2e_tps"), "not_finished")
    parts["prefill_tps"] = _prefill(finished, counters, why)
    if finished.recorded is not None:
        why |= dict.fromkeys((*TEXT, *GAPS, "prefill_tps"), "not_recorded")
    reading = reading_flags(finished)
    if not reading:  # otherwise the incomplete reading explains the difference
        lag_ms = _lag_ms(finished, local=local) if "client_lag_ms" in parts else None
        parts["clock_side"] = clock_side(finished, lag_ms)
    for flag in reading:
        parts |= dict.fromkeys(NOT_CLAIMED[flag])
        why |= {column: flag for column in NOT_CLAIMED[flag] if column in _all_columns()}
    return msgspec.convert({**parts, "why": why}, Figures)


_DECODE = ("decode_tps", "tpot_ms", "tokens")


def _all_columns() -> tuple[str, ...]:
    return (
        "ttft_ms", "ttfo_ms", "decode_tps", "tpot_ms", "decode_cps", "reading_x", "prefill_tps", "e2e_ms", "e2e_tps",
        *GAPS, "client_lag_ms", "tokens",
    )  # fmt: skip


def _load_ms(counters: ServerCounters | None) -> float | None:
    return None if counters is None or counters.load_duration_ns is None else counters.load_duration_ns / 1e6


def _first_answer(texts: tuple[str, ...], channels: str) -> tuple[bool, int | None]:
    """Return whether the answer contains thinking, and the index of the chunk in which the actual answer begins."""
    answers = [index for index, channel in enumerate(channels) if channel == "a"]
    if not answers:
        return False, None
    inline = inline_thinking("".join(texts[index] for index in answers))
    if not inline.found:
        return False, answers[0]
    seen = 0
    for index in answers:
        seen += len(texts[index])
        if inline.start is not None and seen > inline.start:
            return True, index
    return True, None


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
        # MLX does not count the end token, although it takes one decode step like the others.
        made = tokens + 1 if steps == tokens else tokens
        done, over_s, source = made - first, window_s, "client"
    if done < tokens / 2 or over_s < SHORTEST_WINDOW_S or done / over_s > FASTEST_TPS:
        reason = "impossible" if over_s >= SHORTEST_WINDOW_S and done / over_s > FASTEST_TPS else "all_at_once"
        why |= dict.fromkeys(("decode_tps", "tpot_ms"), reason)
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
    """Return the number of tokens in the first chunk, and the clock for the decode speed: ``client`` or ``server``."""
    made = finished.timeline.tokens
    if made and made[0] <= tokens:
        return max(1, made[0]), "client"
    bundled = is_bundled(finished, tokens)
    if not bundled and held_back_ns(finished) is None:
        return 1, "client"
    if not bundled or not clocks_disagree(finished) or was_late_at_an_end(finished):
        return 1, "server"
    # Several tokens per chunk and a wrong server clock: assume that the first chunk is as large as the others.
    return round(tokens / len(finished.timeline.t_ns)), "client"


def _text_speed(
    finished: TrialFinished, counters: ServerCounters, texts: tuple[str, ...], why: dict[str, str]
) -> dict[str, object]:
    assert finished.done_ns is not None
    over_s = (finished.done_ns - finished.timeline.t_ns[0]) / 1e9
    made = max(len(texts), counters.output_tokens or 0)  # a token count that is too low must not hide the text speed
    later = "".join(texts[1:])
    if made < MIN_TOKENS_DECODE or not later or over_s <= 0:
        why |= dict.fromkeys(TEXT, "too_short")
        return {}
    if over_s < SHORTEST_WINDOW_S:
        why |= dict.fromkeys(TEXT, "all_at_once")
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


# t0                 t_first                                     t_done
# |------ ttft ------|-- gap --|-- gap --|-- gap --|-- end ----|   arrivals, on our clock
#                    |   gap   |   gap   |   gap   |               server's timestamps, if usable
#                    |<--- decode window, n - k1 tokens ------>|   n: all tokens, k1: those of the first chunk
# |<-------------------------- e2e --------------------------->|
#
# Gaps are computed from the server's timestamps, so that a late arrival does not count as a gap. A pause is the smaller
# of the gaps by timestamps and by arrival, so that a step of the server's clock does not count as a pause.


def _gaps(finished: TrialFinished, why: dict[str, str], *, local: bool) -> dict[str, object]:
    """Return the figures about gaps between chunks, by the server's timestamps if they are usable.

    Stalls and the longest gap use the smaller of the gap by timestamps and the gap by arrival.
    """
    line = finished.timeline
    figures: dict[str, object] = {}
    refused = stamps_refused(finished, local=local)
    stamps = line.server_ns if refused is None else None
    if refused is not None:
        why["client_lag_ms"] = refused
    elif stamps is not None:
        figures["client_lag_ms"] = _lag_ms(finished, local=local)
    arrivals = [later - earlier for earlier, later in pairwise(line.t_ns)]
    if len(arrivals) < 2:
        why |= dict.fromkeys(GAPS, "few_pieces")
        return figures
    sent = arrivals if stamps is None else [max(0, later - earlier) for earlier, later in pairwise(stamps)]
    gaps, pauses = sorted(sent), [min(both) for both in zip(sent, arrivals, strict=True)]
    median = quantile(gaps, 0.5) / 1e6
    threshold = max(STALL_FACTOR * median, STALL_FLOOR_MS)
    return figures | {
        "gap_p50_ms": median,
        "gap_p95_ms": quantile(gaps, 0.95) / 1e6,
        "longest_gap_ms": max(pauses) / 1e6,
        "stalls": sum(gap / 1e6 > threshold for gap in pauses),
        "gap_clock": "arrival" if stamps is None else "server",
    }


def _lag_ms(finished: TrialFinished, *, local: bool) -> float:
    """Return the median of arrival − server timestamp in ms; for a remote server, the excess over the smallest."""
    lags = sorted(lags_ns(finished))
    return max(0.0, quantile(lags, 0.5) - (0 if local else lags[0])) / 1e6


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of a sorted, non-empty series by linear interpolation (type 7 of Hyndman and Fan 1996)."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)
