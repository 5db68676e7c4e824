"""The schedule of one answer: its tokens, their chunks, and the times relative to the first token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Literal

from msgspec import Struct

from llmtui.simulator.model import ScriptedAnswer, SimulatedModel
from llmtui.simulator.prose import prose, random_source, thinking_text, token_texts_of

Channel = Literal["thinking", "answer"]
ThinkMode = Literal["off", "field", "inline"]
"""How thinking is delivered: not at all, in a field of its own, or between tags inside the answer."""

_LEVEL_FACTORS = {"low": 0.5, "medium": 1.0, "high": 2.0, "max": 4.0}


class Token(Struct, frozen=True):
    """One token: whether it is thinking or answer, and its text, which may be empty."""

    channel: Channel
    token_text: str


class GeneratedChunk(Struct, frozen=True, kw_only=True):
    """Tokens that are sent together.

    Attributes:
        offset_ns: time at which the chunk is due, relative to the first token of the answer.
        channel: whether the text is thinking or answer; thinking inside the answer counts as thinking.
        text: text of the chunk; only the last chunk may have none.
        first_token: number of its first token, from 1.
        last_token: number of its last token.
        is_last: whether this is the last chunk of the answer.
    """

    offset_ns: int
    channel: Channel
    text: str
    first_token: int
    last_token: int
    is_last: bool


class Course(Struct, frozen=True, kw_only=True):
    """The number of tokens of an answer to one request, and the reason for its end.

    Attributes:
        total: number of tokens generated, including the end-of-sequence token.
        stops: whether the answer ends by itself, rather than at the limit on tokens.
        reason: the `done_reason`.
        thinking: number of thinking tokens of the whole answer; includes the tags if thinking is inside the answer.
        mode: how thinking is delivered.
    """

    total: int
    stops: bool
    reason: str
    thinking: int
    mode: ThinkMode


def course_of(answer: ScriptedAnswer, *, mode: ThinkMode, level: str | None, budget: int) -> Course:
    """Return the number of tokens of an answer to one request, and the reason for its end.

    Args:
        answer: the answer as scripted.
        mode: how thinking is delivered, if at all.
        level: the requested level of thinking, which scales the number of scripted thinking tokens.
        budget: maximum number of tokens, at least 1.
    """
    thought = 0 if mode == "off" else _thinking_tokens(answer, level)
    if mode == "inline" and thought:
        thought += 2
    spoken = len(answer.token_texts) + 1 if answer.token_texts is not None else answer.tokens
    if answer.text is not None and answer.token_texts is None:
        spoken = len(token_texts_of(answer.text)) + 1
    natural = max(1, thought + spoken)
    stops = natural <= budget
    return Course(
        total=natural if stops else budget,
        stops=stops,
        reason=answer.done_reason or ("stop" if stops else "length"),
        thinking=thought,
        mode=mode,
    )


def tokens_of(answer: ScriptedAnswer, course: Course, seed: str) -> Iterator[Token]:
    """Yield the tokens of an answer, `course.total` in number."""
    with_text = course.total - 1 if course.stops else course.total
    thoughts: Iterator[str] = (
        iter(answer.thinking_token_texts) if answer.thinking_token_texts is not None else thinking_text(seed)
    )
    if course.mode == "inline" and course.thinking:
        thoughts = chain(["<think>"], islice(thoughts, course.thinking - 2), ["</think>"])
    thought = min(course.thinking, with_text)
    for token_text in islice(thoughts, thought):
        yield Token("thinking", token_text)
    for token_text in islice(_answer_token_texts(answer, seed), with_text - thought):
        yield Token("answer", token_text)
    if course.stops:
        yield Token("answer", "")


def chunks_of(
    tokens: Iterator[Token], answer: ScriptedAnswer, *, total: int, interval_ns: Callable[[int], float]
) -> Iterator[GeneratedChunk]:
    """Yield tokens bundled into chunks, each with the time at which it is due.

    A chunk ends when it has `tokens_per_chunk` tokens, when the channel changes, and at the end of the answer. The
    first text is held back until `held_tokens` tokens are generated. Tokens without text wait for the next text; any
    left at the end form a last chunk, which may have no text. The iterator is lazy, so that `interval_ns` uses the
    current speed.

    Args:
        tokens: the tokens, `total` in number.
        answer: the scripted answer, which has the rules for bundling.
        total: number of tokens.
        interval_ns: function from the number of a token (2 or more) to the nanoseconds since the token before it.
    """
    pending: list[Token] = []
    elapsed_ns = 0.0
    made_ns = 0.0
    first = 1
    for number, token in enumerate(tokens, start=1):
        made_ns = elapsed_ns
        elapsed_ns += interval_ns(number) if number > 1 else 0.0
        if pending and _changes_channel(pending, token):
            yield _chunk(pending, first, made_ns, is_last=False)
            pending, first = [], number
        pending.append(token)
        full = len(pending) >= answer.tokens_per_chunk and number >= answer.held_tokens
        if full and number < total and any(item.token_text for item in pending):
            yield _chunk(pending, first, elapsed_ns, is_last=False)
            pending, first = [], number + 1
    yield _chunk(pending, first, elapsed_ns, is_last=True)


class TokenPace:
    """The time between two tokens of an answer, as a function of the second token's number.

    Args:
        model: the model, which has the decode speed.
        answer: the scripted answer, which has jitter, stalls and a speed factor.
        scale_ns: converts seconds of the script to real nanoseconds.
        speed: returns the current speed factor of this model.
        seed: seed of the jitter.
    """

    def __init__(
        self,
        model: SimulatedModel,
        answer: ScriptedAnswer,
        *,
        scale_ns: Callable[[float], int],
        speed: Callable[[], float],
        seed: str,
    ) -> None:
        self._interval_s = 1.0 / (model.decode_tps * answer.speed)
        self._jitter = answer.jitter
        self._stalls_s: dict[int, float] = {}
        for stall in answer.stalls:
            self._stalls_s[stall.before_token] = self._stalls_s.get(stall.before_token, 0.0) + stall.seconds
        self._scale_ns = scale_ns
        self._speed = speed
        self._random = random_source(f"jitter {seed}")

    def __call__(self, token: int) -> float:
        """Return the nanoseconds between token number `token` − 1 and token number `token`."""
        seconds = self._interval_s / self._speed()
        if self._jitter:
            seconds *= 1.0 + self._random.uniform(-self._jitter, self._jitter)
        return self._scale_ns(seconds + self._stalls_s.get(token, 0.0))


def _thinking_tokens(answer: ScriptedAnswer, level: str | None) -> int:
    if answer.thinking_token_texts is not None:
        return len(answer.thinking_token_texts)
    return round(answer.thinking_tokens * _LEVEL_FACTORS.get(level or "", 1.0))


def _answer_token_texts(answer: ScriptedAnswer, seed: str) -> Iterator[str]:
    if answer.token_texts is not None:
        return iter(answer.token_texts)
    if answer.text is not None:
        return iter(token_texts_of(answer.text))
    return prose(seed)


def _changes_channel(pending: list[Token], token: Token) -> bool:
    return bool(token.token_text) and any(item.token_text and item.channel != token.channel for item in pending)


def _chunk(pending: list[Token], first: int, offset_ns: float, *, is_last: bool) -> GeneratedChunk:
    with_text = [token for token in pending if token.token_text] or pending
    return GeneratedChunk(
        offset_ns=round(offset_ns),
        channel=with_text[0].channel,
        text="".join(token.token_text for token in pending),
        first_token=first,
        last_token=first + len(pending) - 1,
        is_last=is_last,
    )
