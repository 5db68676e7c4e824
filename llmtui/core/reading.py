"""The checks that the text of an answer was read completely and comes from the model itself.

These checks need the finished answer; other checks are made while the stream is read, and add their flags themselves.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from llmtui.core.events import TrialFinished
from llmtui.core.records import Evidence, FlagEvidence, ServerCounters
from llmtui.core.thinking import inline_thinking

ONE_CHUNK_TOKENS: Final = 16
"""If an answer has at least this many tokens but arrived in a single chunk, it was not streamed."""
FASTEST_TPS: Final = 100_000.0
"""Tokens per second above which a server's counts are considered impossible."""
SLACK_TOKENS: Final = 16
"""Number of tokens allowed without text, such as the template's marks and the end of the answer."""
HIDDEN_TOKENS: Final = 8
_LOADING: Final = re.compile(
    r"[\s━─=_*#-]*[^\n]{0,60}\bloading (?:the )?model\b.*?\bdone!? *\([\d.,]+ ?m?s\)[\s━─=_*#-]*",
    re.IGNORECASE | re.DOTALL,
)
"""Text that a router (llama-swap) writes into the thinking channel while it loads a model."""


def reading_flags(finished: TrialFinished) -> dict[str, FlagEvidence]:
    """Return the flags about reading the answer, each with its evidence; those that came with the trial are first."""
    told: tuple[FlagEvidence, ...] = finished.evidence + ("",) * (len(finished.flags) - len(finished.evidence))
    found = {flag: seen for flag, seen in zip(finished.flags, told, strict=False) if flag in NOT_CLAIMED}
    if not finished.timeline.t_ns or finished.recorded is not None:
        return found
    counters = believed_counters(finished)
    if len(finished.timeline.t_ns) == 1 and (counters.output_tokens or 0) >= ONE_CHUNK_TOKENS:
        found.setdefault("buffered", Evidence(code="all_at_once"))
    unseen = _unseen(finished, counters)
    if unseen is not None:
        found.setdefault("unseen_text", unseen)
    return found


def believed_counters(finished: TrialFinished) -> ServerCounters:
    """Return the server's counters, without a token count that is impossible in the given time.

    An impossible count is neither shown nor used as evidence of hidden text.
    """
    counters = finished.counters or ServerCounters()
    tokens, done_ns = counters.output_tokens, finished.done_ns
    if tokens is None or not done_ns or tokens / (done_ns / 1e9) <= FASTEST_TPS or not _exceeds(tokens, finished.text):
        return counters
    why = {**counters.why, "output_tokens": "impossible"}
    return msgspec.structs.replace(counters, output_tokens=None, output_steps=None, reasoning_tokens=None, why=why)


def _exceeds(tokens: int, text: str) -> bool:
    """Return whether a text is too short for the given number of tokens, if each token is at least one byte."""
    return tokens > len(text.encode("utf-8", "replace")) + SLACK_TOKENS


SPEED: Final = ("decode_tps", "tpot_ms", "tps_source", "decode_steps", "decode_s")
TEXT: Final = ("decode_cps", "reading_x")
GAPS: Final = ("gap_p50_ms", "gap_p95_ms", "longest_gap_ms", "stalls")
NOT_CLAIMED: Final[dict[str, tuple[str, ...]]] = {
    "unseen_text": ("ttft_ms", *SPEED),
    "buffered": ("ttft_ms", "ttfo_ms", *SPEED, *TEXT, "decode_chars", *GAPS, "gap_clock", "client_lag_ms"),
}
"""For each flag about reading an answer, the figures that are set to missing."""


def _unseen(finished: TrialFinished, counters: ServerCounters) -> Evidence | None:
    """Return the evidence that some text of the answer was not received; None if there is none.

    The evidence is a count of more tokens than the text has bytes, or thinking tokens in the counters without any
    thinking in the text.
    """
    line, text = finished.timeline, finished.text
    tokens, thought = counters.output_tokens, counters.reasoning_tokens
    if tokens is not None and _exceeds(tokens, text):
        return Evidence(code="more_tokens_than_text", args={"tokens": tokens, "chars": len(text)})
    if (
        thought is not None
        and thought >= HIDDEN_TOKENS
        and "t" not in line.channels
        and not inline_thinking(text).found
    ):
        return Evidence(code="unseen_thinking", args={"tokens": thought})
    if line.tokens and (tokens is None or line.tokens[0] <= tokens):  # a running count above the final one is wrong
        first = text[: sum(size for size, at in zip(line.chars, line.t_ns, strict=True) if at == line.t_ns[0])]
        if _exceeds(line.tokens[0], first):
            return Evidence(code="unseen_start", args={"tokens": line.tokens[0]})
    return None


def loading_chunks(channels: str, texts: tuple[str, ...]) -> int:
    """Return the number of leading chunks that a router wrote while it loaded the model."""
    thinking = len(channels) - len(channels.lstrip("t"))
    match = _LOADING.match("".join(texts[:thinking])) if thinking else None
    if match is None:
        return 0
    at = 0
    for number, text in enumerate(texts[:thinking]):
        at += len(text)
        if at > match.end():
            return number
    return thinking


def chunk_texts(finished: TrialFinished) -> tuple[str, ...]:
    """Return the text of an answer divided into its chunks."""
    cut: list[str] = []
    at = 0
    for length in finished.timeline.chars:
        cut.append(finished.text[at : at + length])
        at += length
    return tuple(cut)


def answer_of(finished: TrialFinished) -> str:
    """Return the answer, without any thinking that arrived in a separate channel."""
    channels = finished.timeline.channels
    return "".join(text for text, channel in zip(chunk_texts(finished), channels, strict=True) if channel == "a")


def own_text(finished: TrialFinished) -> TrialFinished:
    """Return the trial without text that a router wrote while it loaded the model.

    If the recorded end is before the last text, it is corrected.
    """
    line = finished.timeline
    if finished.done_ns is not None and line.t_ns and finished.done_ns < line.t_ns[-1]:
        # Older versions recorded the first finish_reason as the end of the answer.
        finished = msgspec.structs.replace(finished, done_ns=line.t_ns[-1])
    if not line.channels.startswith("t") or "oad" not in finished.text[:200]:
        return finished
    foreign = loading_chunks(line.channels, chunk_texts(finished))
    if not foreign:
        return finished
    own = msgspec.structs.replace(
        line,
        t_ns=line.t_ns[foreign:],
        chars=line.chars[foreign:],
        channels=line.channels[foreign:],
        server_ns=None if line.server_ns is None else line.server_ns[foreign:],
        tokens=None if line.tokens is None else line.tokens[foreign:],
    )
    return msgspec.structs.replace(finished, timeline=own, text=finished.text[sum(line.chars[:foreign]) :])
