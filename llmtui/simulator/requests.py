"""Parsing of the bodies of requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

from msgspec import Struct

from llmtui.simulator.jsontext import read_json
from llmtui.simulator.model import Dialect
from llmtui.simulator.options import ApiError, parse_keep_alive_s

Kind = Literal["chat", "generate"]

_T = TypeVar("_T")

_GO_KINDS: dict[type, str] = {
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_CODE_POINTS = 0x110000
_LEVELS: dict[Dialect, tuple[str, ...]] = {
    "0.11.4": ("high", "medium", "low"),
    "0.34.4": ("high", "medium", "low", "max"),
}


class Ask(Struct, frozen=True, kw_only=True):
    """One request for an answer, from /api/chat or /api/generate.

    Attributes:
        kind: the route.
        model: the model's name as sent.
        prompt: the conversation as the model reads it; None = no prompt, so the request loads or unloads the model.
        think: as sent; None = not sent.
        options: as sent.
        keep_alive_s: None = not sent; infinity = for ever.
        stream: whether the answer is sent in chunks.
        wants_tools: whether the request offers tools.
        truncate: whether a prompt that is too long may be truncated.
        raw: whether the prompt is used without a template. If so, no context is returned.
    """

    kind: Kind
    model: str
    prompt: str | None
    think: bool | str | None
    options: Mapping[str, object]
    keep_alive_s: float | None
    stream: bool
    wants_tools: bool
    truncate: bool
    raw: bool


def parse_object(body: bytes) -> dict[str, object]:
    """Decode a JSON object.

    Raises:
        ApiError: 400, as from the real server, if the body is not a JSON object.
    """
    if not body.strip():
        raise ApiError(400, "missing request body")
    try:
        value = read_json(body)
    except ValueError as error:
        raise ApiError(400, str(error)) from error
    if not isinstance(value, dict):
        raise ApiError(400, f"json: cannot unmarshal {_go_kind(value)} into Go value of type api.Request")
    return value


def parse_model_name(body: Mapping[str, object]) -> str:
    """Return the model's name from `model`, or from the older key `name`; empty if neither is present."""
    return _typed(body, "model", str, "string") or _typed(body, "name", str, "string") or ""


def wants_stream(body: Mapping[str, object]) -> bool:
    """Return whether the answer is to be sent in chunks: yes unless `stream` is false."""
    return _typed(body, "stream", bool, "bool") is not False


def parse_ask(kind: Kind, body: Mapping[str, object], dialect: Dialect) -> Ask:
    """Return the request in a body of /api/chat or /api/generate.

    Raises:
        ApiError: 400 for a value of the wrong type, for an invalid `keep_alive`, and, in Ollama 0.11.4, for an invalid
            `think`.
    """
    keep_alive = body.get("keep_alive")
    return Ask(
        kind=kind,
        model=_typed(body, "model", str, "string") or "",
        prompt=_chat_prompt(body) if kind == "chat" else _generate_prompt(body),
        think=_parse_think(body.get("think"), dialect),
        options=_typed(body, "options", dict, "map[string]interface {}") or {},
        keep_alive_s=None if keep_alive is None else parse_keep_alive_s(keep_alive),
        stream=wants_stream(body),
        wants_tools=bool(_typed(body, "tools", list, "api.Tools")),
        truncate=_typed(body, "truncate", bool, "bool") is not False,
        raw=bool(_typed(body, "raw", bool, "bool")),
    )


def _chat_prompt(body: Mapping[str, object]) -> str | None:
    messages = _typed(body, "messages", list, "[]api.Message") or []
    if not messages:
        return None
    parts: list[tuple[str, str]] = []
    for message in messages:
        if not isinstance(message, dict):
            raise ApiError(400, f"json: cannot unmarshal {_go_kind(message)} into Go struct field of type api.Message")
        role = _typed(message, "role", str, "string") or ""
        parts.append((role, _typed(message, "content", str, "string") or ""))
    return _rendered(parts)


def _generate_prompt(body: Mapping[str, object]) -> str | None:
    prompt = _typed(body, "prompt", str, "string") or ""
    if not prompt:
        return None
    system = _typed(body, "system", str, "string")
    context = _typed(body, "context", list, "[]int") or []
    if _typed(body, "raw", bool, "bool"):
        if system or context or body.get("template"):
            raise ApiError(400, "raw mode does not support template, system, or context")
        return prompt
    parts = [("system", system)] if system else []
    return text_of_context(context) + _rendered([*parts, ("user", prompt)])


def _rendered(parts: Sequence[tuple[str, str]]) -> str:
    turns = "".join(f"<|{role}|>\n{content}<|end|>\n" for role, content in parts)
    return f"{turns}<|assistant|>\n"


def context_of_text(text: str) -> list[int]:
    """Return a conversation as the `context` of a finished answer: one number per character, so it can be decoded."""
    return [ord(character) for character in text]


def text_of_context(context: Sequence[object]) -> str:
    """Return the conversation that is encoded in a `context`.

    Raises:
        ApiError: 400 if the list has anything but code points.
    """
    characters = [chr(number) for number in context if type(number) is int and 0 <= number < _CODE_POINTS]
    if len(characters) < len(context):
        raise ApiError(400, "json: cannot unmarshal value into Go struct field GenerateRequest.context of type []int")
    return "".join(characters)


def check_level(think: bool | str | None, dialect: Dialect) -> None:
    """Check a level of thinking. Ollama 0.34.4 does so only if the model exists.

    Raises:
        ApiError: 400 for an unknown level.
    """
    levels = _LEVELS[dialect]
    if isinstance(think, str) and think not in levels:
        allowed = ", ".join(f'"{level}"' for level in levels)
        raise ApiError(400, f'invalid think value: "{think}" (must be {allowed}, true, or false)')


def _parse_think(value: object, dialect: Dialect) -> bool | str | None:
    if value is not None and not isinstance(value, bool | str):
        allowed = ' ("high", "medium", "low")' if dialect == "0.11.4" else ""
        raise ApiError(400, f"think must be a boolean or string{allowed}")
    if dialect == "0.11.4":
        check_level(value, dialect)
    return value


def _typed(body: Mapping[str, object], key: str, kind: type[_T], go_type: str) -> _T | None:
    value = body.get(key)
    if value is None:
        return None
    if type(value) is kind:
        return value
    raise ApiError(400, f"json: cannot unmarshal {_go_kind(value)} into Go struct field .{key} of type {go_type}")


def _go_kind(value: object) -> str:
    return _GO_KINDS.get(type(value), "null")
