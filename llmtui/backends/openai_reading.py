"""Reader of the JSON documents in an answer of an OpenAI-compatible server.

llama.cpp adds ``timings`` to its answers, and vLLM sends ``usage`` with every chunk if asked; neither is needed. Any
field may be missing or of an unexpected type; only values that fit are used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from llmtui.backends import lenient
from llmtui.backends.answer import ParsedDocument
from llmtui.backends.answer_text import THINKING_NAMES, error_said, flat_text, parts_of, unknown_texts
from llmtui.backends.counts import DISAGREE, Counts
from llmtui.backends.framing import Document
from llmtui.backends.http_moments import HeadersReceived
from llmtui.backends.lenient import StructReader
from llmtui.backends.openai_wire import error_problem, excerpt
from llmtui.core.events import clean_text
from llmtui.core.records import Problem, ServerCounters


class Delta(msgspec.Struct, frozen=True):
    """New text: each field is a string, a list of typed parts, or null."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    thinking: Any = None
    refusal: Any = None


class ChunkChoice(msgspec.Struct, frozen=True):
    """One of the alternative answers in a chunk."""

    index: Any = None
    delta: Delta | None = None
    message: Delta | None = None
    """Used in place of ``delta`` by servers that do not stream."""
    text: Any = None
    """Used in place of ``delta`` and ``message`` by servers with the older completion protocol."""
    finish_reason: Any = None
    finish_details: Any = None
    """Used in place of ``finish_reason`` by a few servers; both may be objects with the reason in ``type``."""
    usage: Any = None
    error: Any = None


class CompletionChunk(msgspec.Struct, frozen=True):
    """The data of one server-sent event."""

    choices: list[ChunkChoice] | None = None
    usage: Any = None
    timings: Any = None
    error: Any = None
    errors: Any = None
    x_groq: Any = None
    # If there are no choices, errors of a shape other than {"error": …} are searched for in these fields.
    object: Any = None
    type: Any = None
    message: Any = None
    detail: Any = None


_reader = StructReader(CompletionChunk)
_NOTHING = Delta()
_COUNTED = ("completion_tokens", "output_tokens", "generated_tokens")
_PROMPT = ("prompt_tokens", "input_tokens")
_CAPITAL = re.compile("([A-Z])")


class OpenAiDialect:
    """Reads one answer in the protocol of OpenAI-compatible servers."""

    close_ends = True

    def __init__(self) -> None:
        self.reader = _reader
        self._usage: dict[str, object] = {}
        self._timings: dict[str, object] = {}
        self._index: int | None = None
        """Index of the alternative answer that is read: the first that has text."""

    def tell(self, said: CompletionChunk, document: Document[CompletionChunk]) -> ParsedDocument:
        """Return the content of a document. Its token counts are kept for ``counters``."""
        if said.error or said.errors or document.event == b"error":
            return ParsedDocument(error=error_said(said.error or said.errors or lenient.document(document.data)))
        tokens = None
        if said.usage is not None or said.timings is not None or said.x_groq is not None:
            tokens = self._count(said.usage or lenient.mapping(said.x_groq).get("usage"), said.timings)
        if not said.choices:
            return self._without_choices(said, document)
        choice = self._choice(said.choices)
        if choice is None:  # a server may number the text and the end of its answer differently
            told = _text_of(said.choices[0], document)
            has_text = told.answer or told.thinking
            return ParsedDocument(beside=True, end=None if has_text else _end_of(said.choices[0]))
        if choice.error:
            return ParsedDocument(error=error_said(choice.error))
        end = _end_of(choice)
        if end == "error":
            return ParsedDocument(error=_error_anywhere(document.data))
        if choice.usage is not None:
            self._count(choice.usage, None)
        told = _text_of(choice, document)
        if self._index is None and type(choice.index) is int and (told.answer or told.thinking):
            self._index = choice.index
        told.tokens = tokens
        if end:
            told.end = end
        return told

    def counters(self, *, has_text: bool) -> ServerCounters | None:
        """Return the counts and times from ``usage`` and ``timings``; None if neither arrived."""
        if not self._usage and not self._timings:
            return None
        counts, usage, timings = Counts(), self._usage, self._timings
        prompt = counts.read("prompt_tokens", _first(usage, _PROMPT))
        cached = counts.read("cached_tokens", timings.get("cache_n"), zero=True)
        if cached is None:
            cached = counts.read("cached_tokens", _cached(usage), zero=True)
        made = counts.read("output_tokens", _first(usage, _COUNTED), zero=not has_text)
        thought = _detail(usage, ("completion_tokens_details", "output_tokens_details"), "reasoning_tokens")
        if prompt is not None and made is not None:
            made = _agreed(prompt, made, lenient.count(usage.get("total_tokens")), thought, counts)
        is_odd = counts.why.get("output_tokens") == DISAGREE
        if thought is not None and (is_odd or (made is not None and thought > made)):
            counts.refuse("reasoning_tokens", DISAGREE)
            thought = None
        predicted = counts.read("output_duration_ns", timings.get("predicted_n"))
        if made is None and predicted is not None and counts.why.get("output_tokens") != DISAGREE:
            made = predicted
            counts.why.pop("output_tokens", None)
        fresh = lenient.count(timings.get("prompt_n"))
        if prompt is None and fresh is not None and cached is not None:
            prompt = fresh + cached
        if cached is not None and prompt is not None and cached > prompt:
            counts.refuse("cached_tokens", DISAGREE)
            cached = None
        timed = _ns(timings.get("predicted_ms")) if predicted else None
        return ServerCounters(
            prompt_tokens=prompt,
            cached_tokens=cached,
            prompt_duration_ns=_ns(timings.get("prompt_ms")),
            output_tokens=made,
            output_duration_ns=timed,
            output_steps=predicted - 1 if timed is not None and predicted else None,
            reasoning_tokens=thought,
            why={field: reason for field, reason in counts.why.items() if field != "output_duration_ns"},
        )

    def refused(self, answered: HeadersReceived, body: bytes) -> Problem:
        """Return the problem for a response with an HTTP status other than 200."""
        return error_problem(answered.status, body)

    def failed(self, said: str) -> Problem:
        """Return the problem for an error message within an answer."""
        return error_problem(None, msgspec.json.encode({"error": clean_text(said)[0]}))

    def nothing(self) -> Problem:
        """Return the problem for a response without any document, from a server that accepted the request."""
        return Problem(code="no_body")

    def unreadable(self, data: bytes, *, cut: bool) -> Problem:
        """Return the problem for bytes that could not be read as a document.

        Args:
            data: the bytes.
            cut: whether they are the beginning of a document that was cut off.
        """
        if cut:
            return Problem(code="cut_chunk", detail=excerpt(data))
        return Problem(code="bad_chunk", detail=excerpt(data))

    def _without_choices(self, said: CompletionChunk, document: Document[CompletionChunk]) -> ParsedDocument:
        is_error = said.object == "error" or said.type == "error" or said.detail or isinstance(said.message, str)
        if is_error and said.usage is None:
            return ParsedDocument(error=error_said(lenient.document(document.data)))
        counts = said.usage is not None or said.timings is not None or said.x_groq is not None
        return ParsedDocument(closes=counts, foreign=not counts and said.choices is None)

    def _choice(self, choices: list[ChunkChoice]) -> ChunkChoice | None:
        """Return the alternative that is read; None if the chunk has only other alternatives."""
        if self._index is None:
            return choices[0]
        return next((one for one in choices if type(one.index) is not int or one.index == self._index), None)

    def _count(self, usage: object, timings: object) -> int | None:
        """Store counts and return the number of tokens so far. A count of 0 or null does not replace an earlier one."""
        told = _standard(usage)
        if told:
            news = {name: value for name, value in told.items() if value or name not in self._usage}
            self._usage = {**self._usage, **news}
        clock = lenient.mapping(timings)
        if clock:
            self._timings = {**clock}
        return lenient.count(clock.get("predicted_n")) or lenient.count(_first(told, _COUNTED)) or None


def _text_of(choice: ChunkChoice, document: Document[CompletionChunk]) -> ParsedDocument:
    delta = choice.delta or choice.message or _NOTHING
    content, thinking = delta.content, delta.reasoning_content or delta.reasoning or delta.thinking
    if type(content) is str and content and not thinking:
        return ParsedDocument(answer=content, whole=choice.delta is None)
    thought, answer = parts_of(content)
    answer = answer or flat_text(delta.refusal) or flat_text(choice.text)
    thought = flat_text(thinking) or thought
    if not thought and not answer:
        return _rarer(document)
    if thought == answer:  # the answer, sent under both names
        thought = ""
    return ParsedDocument(thinking=thought, answer=answer, whole=choice.delta is None and choice.message is not None)


def _rarer(document: Document[CompletionChunk]) -> ParsedDocument:
    """Return the text in fields that few servers use, or in unknown ones."""
    raw = lenient.mapping(lenient.document(document.data)).get("choices")
    choice = lenient.mapping(raw[0]) if isinstance(raw, list) and raw else {}
    message = lenient.mapping(choice.get("delta")) or lenient.mapping(choice.get("message"))
    for name in THINKING_NAMES:
        if thought := flat_text(message.get(name)):
            return ParsedDocument(thinking=thought)
    is_call = bool(message.get("tool_calls") or message.get("function_call"))
    return ParsedDocument(unknown=unknown_texts(message), beside=is_call)


def _end_of(choice: ChunkChoice) -> str | None:
    """Return the server's reason for the end of the answer, in whatever form it is sent."""
    told = choice.finish_reason or choice.finish_details
    if type(told) is str or not told:
        return told or None
    return next(
        (said for name in ("type", "reason", "value") if (said := lenient.text(lenient.mapping(told).get(name)))), None
    )


def _standard(usage: object) -> Mapping[str, object]:
    """Return ``usage`` with OpenAI's names. Some servers write ``completionTokens``, or send a list."""
    if isinstance(usage, list):
        usage = next((one for one in usage if isinstance(one, Mapping)), None)
    told = lenient.mapping(usage)
    if not told or any(name in told for name in (*_COUNTED, *_PROMPT, "total_tokens")):
        return told
    return {_CAPITAL.sub(r"_\1", name).lower(): value for name, value in told.items()}


def _agreed(prompt: int, made: int, total: int | None, thought: int | None, counts: Counts) -> int | None:
    """Return the number of output tokens, checked against the total; None if they disagree.

    Some servers leave thinking out of their count of output tokens; then it is added.

    Args:
        prompt: number of prompt tokens.
        made: number of output tokens as sent.
        total: total number of tokens; None if it was not sent.
        thought: number of thinking tokens; None if it was not sent.
        counts: records why a count is not used.
    """
    if total is None or total == 0 or prompt + made == total:
        return made
    if thought and prompt + made + thought == total:
        return made + thought
    counts.refuse("output_tokens", DISAGREE)
    return None


def _first(of: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((of[name] for name in names if of.get(name) is not None), None)


def _cached(usage: dict[str, object]) -> object:
    for name in ("prompt_tokens_details", "input_tokens_details"):
        found = lenient.mapping(usage.get(name)).get("cached_tokens")
        if found is not None:
            return found
    return usage.get("prompt_cache_hit_tokens")


def _detail(usage: dict[str, object], names: tuple[str, ...], key: str) -> int | None:
    return next((found for name in names if (found := lenient.count(lenient.mapping(usage.get(name)).get(key)))), None)


def _error_anywhere(data: bytes) -> str:
    found = lenient.document(data)
    raw = lenient.mapping(found).get("choices")
    choice = lenient.mapping(raw[0]) if isinstance(raw, list) and raw else {}
    message = lenient.mapping(choice.get("delta")) or lenient.mapping(choice.get("message"))
    places = (choice.get("error"), choice.get("message"), message.get("error"), message.get("content"))
    return next((said for place in places if (said := error_said(place))), "no explanation")


def _ns(milliseconds: object) -> int | None:
    found = lenient.number(milliseconds)
    return None if found is None else round(found * 1e6)
