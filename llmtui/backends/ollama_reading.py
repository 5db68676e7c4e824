"""What the lines of an Ollama answer say: pieces of text, the last line with its counters, times of day."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from llmtui.backends.base import BackendFailed, ChatRequest, Final, Piece
from llmtui.backends.ndjson import Line
from llmtui.backends.ollama_problems import bad_line, error_text, model_problem
from llmtui.core.events import clean_text
from llmtui.core.facts import EndedBy, ServerCounters
from llmtui.core.plan import Model, Think

_ENDED_BY: dict[str, EndedBy] = {"stop": "stop", "length": "length"}
_MLX_FORMATS = ("safetensors", "mlx")

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class _Said(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None


class _ChatLine(msgspec.Struct):
    created_at: str | None = None
    message: _Said | None = None
    done: bool | None = None
    done_reason: str | None = None
    total_duration: int | float | None = None
    load_duration: int | float | None = None
    prompt_eval_count: int | float | None = None
    prompt_eval_cached_count: int | float | None = None
    prompt_eval_duration: int | float | None = None
    eval_count: int | float | None = None
    eval_duration: int | float | None = None
    error: Any = msgspec.UNSET


_decoder = msgspec.json.Decoder(_ChatLine)


def chat_body(request: ChatRequest) -> bytes:
    """Gives the body of /api/chat for a request, options explicit."""
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
    return msgspec.json.encode(body)


def think_value(model: Model, think: Think) -> Think:
    """Gives what to send as ``think``; a gpt-oss model cannot be told to stop thinking, so off is ``low`` for it."""
    is_gpt_oss = model.family in ("gptoss", "gpt-oss") or model.name.rpartition("/")[2].startswith("gpt-oss")
    return "low" if think is False and is_gpt_oss else think


def is_mlx(model: Model) -> bool:
    """Says whether a model runs in Ollama's MLX engine, which counts and names its processes in its own way."""
    return model.format in _MLX_FORMATS


def read_chat_line(line: Line, model: Model, where: str) -> Iterator[Piece | Final]:
    """Gives what a line of /api/chat says: thinking, answer, and with ``done`` the Final; empty text is no piece.

    Raises:
        BackendFailed: the line is an error of the server, or not a line of Ollama's at all.
    """
    told = _decoded(line.data)
    if told is None:
        raise BackendFailed(bad_line(line.data, where))
    if told.error is not msgspec.UNSET:
        raise BackendFailed(model_problem(error_text(line.data) or "", model.name, where=where))
    if told.message is None and told.done is None:
        raise BackendFailed(bad_line(line.data, where))
    server_ns = wall_ns(told.created_at) if told.created_at else None
    said = told.message or _Said()
    if said.thinking:
        yield Piece(t_ns=line.t_ns, channel="t", text=said.thinking, server_ns=server_ns)
    if said.content:
        yield Piece(t_ns=line.t_ns, channel="a", text=said.content, server_ns=server_ns)
    if told.done:
        yield Final(
            t_ns=line.t_ns, ended_by=_ENDED_BY.get(told.done_reason or "", "other"), counters=_counters(told, model)
        )


def wall_ns(text: str) -> int | None:
    """Gives an RFC 3339 time as nanoseconds since 1970 UTC, exact to all of its (up to nine) decimals.

    Ollama stamps with Go's RFC3339Nano, in UTC or with the zone's offset; ``datetime`` keeps six decimals only.

    Returns:
        None for what is no such time.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    offset_hour, offset_minute = int(match[9] or 0), int(match[10] or 0)
    if hour > 23 or minute > 59 or second > 59 or offset_hour > 23 or offset_minute > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    offset_s = (offset_hour * 60 + offset_minute) * 60
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - (-offset_s if match[8] == "-" else offset_s)
    return seconds * 1_000_000_000 + int((match[7] or "").ljust(9, "0"))


def _decoded(data: bytes) -> _ChatLine | None:
    try:
        return _decoder.decode(data)
    except (msgspec.ValidationError, RecursionError):
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decoded_slowly(data)


def _decoded_slowly(data: bytes) -> _ChatLine | None:
    """Reads lines that hold a lone surrogate or bytes that are not UTF-8: the text is the model's, and it is kept."""
    try:
        return msgspec.convert(json.loads(data.decode("utf-8", "replace")), _ChatLine)
    except (ValueError, RecursionError):
        return None


def _counters(told: _ChatLine, model: Model) -> ServerCounters:
    output_tokens = _whole(told.eval_count)
    output_steps = output_tokens
    if output_tokens and not is_mlx(model):
        # The first token's time is in the prompt's duration: n tokens are n - 1 steps. MLX leaves out the end token.
        output_steps = output_tokens - 1
    return ServerCounters(
        total_duration_ns=_whole(told.total_duration),
        load_duration_ns=_whole(told.load_duration),
        prompt_tokens=_whole(told.prompt_eval_count),
        cached_tokens=_whole(told.prompt_eval_cached_count),
        prompt_duration_ns=_whole(told.prompt_eval_duration),
        output_tokens=output_tokens,
        output_duration_ns=_whole(told.eval_duration),
        output_steps=output_steps,
    )


def _whole(number: int | float | None) -> int | None:
    return None if number is None else int(number)
