"""Requests to Ollama's /api/chat, and the lines of its answers: text, counts and times."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Any

import msgspec

from llmtui.backends import lenient
from llmtui.backends.answer import ParsedDocument
from llmtui.backends.answer_text import THINKING_NAMES, error_said, flat_text, parts_of, unknown_texts
from llmtui.backends.base import ChatRequest, with_extra
from llmtui.backends.counts import Counts
from llmtui.backends.framing import Document
from llmtui.backends.http_moments import HeadersReceived
from llmtui.backends.lenient import StructReader
from llmtui.backends.ollama_problems import bad_line, cut_line, model_problem, refusal
from llmtui.core.events import clean_text
from llmtui.core.plan import Model, Think
from llmtui.core.records import Problem, ServerCounters

_MLX_FORMATS = ("safetensors", "mlx")

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class _Said(msgspec.Struct, frozen=True):
    content: Any = None
    thinking: Any = None


class ChatLine(msgspec.Struct, frozen=True):
    """One line of /api/chat. Any field may be missing or of an unexpected type; only values that fit are used."""

    created_at: Any = None
    message: _Said | None = None
    response: Any = None
    """Used in place of ``message`` by servers that answer as in /api/generate."""
    done: Any = None
    done_reason: str | None = None
    total_duration: Any = None
    load_duration: Any = None
    prompt_eval_count: Any = None
    prompt_eval_cached_count: Any = None
    prompt_eval_duration: Any = None
    eval_count: Any = None
    eval_duration: Any = None
    error: Any = None


_reader = StructReader(ChatLine)


def chat_body(request: ChatRequest) -> dict[str, Any]:
    """Return the body of /api/chat for a request. All options are sent explicitly."""
    options: dict[str, Any] = {
        "num_ctx": request.num_ctx,
        "num_predict": request.num_predict,
        "seed": request.seed,
        "temperature": request.temperature,
    }
    if request.num_thread is not None:
        options["num_thread"] = request.num_thread
    body = {
        "model": request.model.name,
        "messages": [{"role": said.role, "content": clean_text(said.content)[0]} for said in request.messages],
        "stream": True,
        "think": think_value(request.model, request.think),
        "options": options,
        "keep_alive": request.keep_alive_s,
    }
    return with_extra(body, request.extra_fields)


def think_value(model: Model, think: Think | None) -> Think | None:
    """Return the value of ``think`` to send. gpt-oss cannot switch thinking off, so False becomes ``low``."""
    is_gpt_oss = model.family in ("gptoss", "gpt-oss") or model.name.rpartition("/")[2].startswith("gpt-oss")
    return "low" if think is False and is_gpt_oss else think


def is_mlx(model: Model) -> bool:
    """Return whether a model runs in Ollama's MLX engine, which counts tokens and names its processes differently."""
    return model.format in _MLX_FORMATS


class OllamaDialect:
    """Reads one answer of /api/chat."""

    close_ends = False

    def __init__(self, model: Model, where: str) -> None:
        """Prepare to read one answer.

        Args:
            model: the requested model.
            where: the server's address for messages.
        """
        self.reader = _reader
        self._model = model
        self._where = where
        self._last: ChatLine | None = None

    def tell(self, said: ChatLine, document: Document[ChatLine]) -> ParsedDocument:
        """Return the content of one line."""
        if said.error or document.event == b"error":
            return ParsedDocument(error=error_said(said.error or lenient.document(document.data)))
        message = said.message
        if message is None and said.done is None and not said.response:
            error = error_said(lenient.document(document.data))
            return (
                ParsedDocument(error=error) if error not in (None, "no explanation") else ParsedDocument(foreign=True)
            )
        stamp = said.created_at
        told = _text_of(said, message, document)
        told.server_ns = wall_ns(stamp) if type(stamp) is str else None
        if _is_true(said.done) or (said.done_reason and said.eval_count is not None):
            self._last = said
            told.over = True
            told.whole = bool(told.answer or told.thinking)
            told.end = said.done_reason
        return told

    def counters(self, *, has_text: bool) -> ServerCounters | None:
        """Return the counts and times of the last line; None if that line has not arrived."""
        told, counts = self._last, Counts()
        if told is None:
            return None
        made = counts.read("output_tokens", told.eval_count, zero=not has_text)
        total_ns = counts.read("total_duration_ns", told.total_duration)
        # If the total is sent, a duration of 0 is real: nothing had to be loaded or processed.
        timed = total_ns is not None
        steps = made
        if made and not is_mlx(self._model):
            # The first token's time is part of the prompt's duration: n tokens are n − 1 steps. MLX omits the end
            # token.
            steps = made - 1
        return ServerCounters(
            total_duration_ns=total_ns,
            load_duration_ns=counts.read("load_duration_ns", told.load_duration, zero=timed),
            prompt_tokens=counts.read("prompt_tokens", told.prompt_eval_count),
            cached_tokens=counts.read("cached_tokens", told.prompt_eval_cached_count, zero=True),
            prompt_duration_ns=counts.read("prompt_duration_ns", told.prompt_eval_duration, zero=timed),
            output_tokens=made,
            output_duration_ns=counts.read("output_duration_ns", told.eval_duration, zero=timed),
            output_steps=steps,
            why=counts.why,
        )

    def refused(self, answered: HeadersReceived, body: bytes) -> Problem:
        """Return the problem for a response with an HTTP status other than 200."""
        return refusal(answered.status, body, where=self._where, model=self._model.name)

    def failed(self, said: str) -> Problem:
        """Return the problem for an error message within an answer."""
        return model_problem(said, self._model.name, where=self._where)

    def nothing(self) -> Problem:
        """Return the problem for a response without any document, from a server that accepted the request."""
        return Problem(code="no_body")

    def unreadable(self, data: bytes, *, cut: bool) -> Problem:
        """Return the problem for bytes that are not a line in Ollama's format.

        Args:
            data: the bytes.
            cut: whether they are the beginning of a line that was cut off.
        """
        return cut_line(self._where) if cut else bad_line(data, self._where)


def _text_of(said: ChatLine, message: _Said | None, document: Document[ChatLine]) -> ParsedDocument:
    if message is None:
        return ParsedDocument(answer=flat_text(said.response))
    content, thinking = message.content, message.thinking
    if type(content) is str and content and not thinking:
        return ParsedDocument(answer=content)
    thought, answer = parts_of(content)
    thought = flat_text(thinking) or thought
    if thought == answer:  # the answer, sent under both names
        thought = ""
    if thought or answer or _is_true(said.done):
        return ParsedDocument(thinking=thought, answer=answer)
    raw = lenient.mapping(lenient.mapping(lenient.document(document.data)).get("message"))
    for name in THINKING_NAMES:
        if thought := flat_text(raw.get(name)):
            return ParsedDocument(thinking=thought)
    return ParsedDocument(unknown=unknown_texts(raw), beside=bool(raw.get("tool_calls")))


def _is_true(value: object) -> bool:
    return value in (True, 1) or (isinstance(value, str) and value.lower() == "true")


def wall_ns(text: str) -> int | None:
    """Return an RFC 3339 time as nanoseconds since 1970 UTC, exact to all of its (up to nine) decimals.

    Ollama writes times with Go's RFC3339Nano, in UTC or with an offset; ``datetime`` keeps only six decimals.

    Returns:
        Nanoseconds since 1970 UTC; None if the text is not such a time.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    to_the_minute, second, decimals, zone = match.groups()
    minute_ns = _minute_ns(to_the_minute, zone)
    if minute_ns is None or second > "59":
        return None
    return minute_ns + int(second + decimals.ljust(9, "0") if decimals else second + "000000000")


@lru_cache(maxsize=64)
def _minute_ns(to_the_minute: str, zone: str) -> int | None:
    """Return the start of a minute as nanoseconds since 1970 UTC. Cached, since many timestamps share a minute.

    Args:
        to_the_minute: date and time such as ``2026-11-22T22:41``.
        zone: ``Z``, or an offset such as ``+01:00``.
    """
    year, month, day = int(to_the_minute[:4]), int(to_the_minute[5:7]), int(to_the_minute[8:10])
    hour, minute = int(to_the_minute[11:13]), int(to_the_minute[14:])
    offset_hour, offset_minute = (0, 0) if zone in "Zz" else (int(zone[1:3]), int(zone[4:]))
    if hour > 23 or minute > 59 or offset_hour > 23 or offset_minute > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    offset_s = (offset_hour * 60 + offset_minute) * (-60 if zone[0] == "-" else 60)
    return (days * 86_400 + hour * 3600 + minute * 60 - offset_s) * 1_000_000_000
