"""Text in the messages of both protocols: the field names that servers use, and error messages of any shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

THINKING_NAMES: Final = (
    "thinking", "reasoning_content", "reasoning", "reasoning_text", "thought", "reasoning_details", "thinking_blocks",
)  # fmt: skip
"""Fields of a message that contain thinking, the most common first. If a server sends two of them, both have the
same text.
"""
ANSWER_NAMES: Final = ("content", "refusal", "text")
_THINKING_PARTS: Final = ("thinking", "reasoning", "thought", "summary", "redacted_thinking")
_PART_TEXTS: Final = ("text", "thinking", "reasoning", "content", "summary", "refusal", "value")
_NO_TEXT: Final = frozenset(
    (*THINKING_NAMES, *ANSWER_NAMES, "role", "tool_calls", "function_call", "tool_name", "tool_call_id", "name", "id",
     "type", "index", "logprobs", "annotations", "audio", "images", "finish_reason", "signature", "model", "object",
     "reasoning_signature", "encrypted_content", "provider", "provider_specific_fields", "stop_reason", "citations")
)  # fmt: skip
_ERROR_TEXTS: Final = (
    "message",
    "msg",
    "error",
    "errors",
    "detail",
    "details",
    "description",
    "reason",
    "title",
    "code",
)
_DEEPEST: Final = 8


def parts_of(content: object) -> tuple[str, str]:
    """Return the thinking and the answer in a message's content, which is a string or a list of typed parts."""
    if isinstance(content, str):
        return "", content
    thinking, answer = [], []
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, Mapping) and str(part.get("type", "")).removesuffix("_delta").endswith(_THINKING_PARTS):
            thinking.append(flat_text(part))
        else:
            answer.append(flat_text(part))
    return "".join(thinking), "".join(answer)


def flat_text(value: object, depth: int = 0) -> str:
    """Return the text of a string, of a typed part or of a list of either; "" for anything else.

    Args:
        value: the decoded JSON value.
        depth: nesting depth of the value. Text nested deeper than 8 levels is ignored.
    """
    if isinstance(value, str):
        return value
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return "".join(flat_text(item, depth + 1) for item in value)
    if isinstance(value, Mapping):
        for name in _PART_TEXTS:
            if found := flat_text(value.get(name), depth + 1):
                return found
    return ""


def unknown_texts(message: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Return (field name, text) for each field of a message that neither protocol defines."""
    found = ((name, flat_text(value)) for name, value in message.items() if name not in _NO_TEXT)
    return tuple((name, said) for name, said in found if said)


def error_said(value: object) -> str | None:
    """Return the message in an error of any shape; None if there is no error.

    null, false, "", {} and [] mean that there is no error. An error without a message becomes "no explanation".
    """
    if not value:
        return None
    found = next(_messages(value, 0), None)
    return "no explanation" if found is None else found


def _messages(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for item in value:
            yield from _messages(item, depth + 1)
    elif isinstance(value, Mapping):
        for name in _ERROR_TEXTS:
            yield from _messages(value.get(name), depth + 1)
