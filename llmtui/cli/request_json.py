"""``--request-json``: additional fields for every request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from llmtui.cli.startup import Refused
from llmtui.config import SettingsError, expanded
from llmtui.config.toml_text import read_text
from llmtui.words import _
from llmtui.words.settings import settings_words

_OURS: Final = frozenset(
    {"model", "messages", "prompt", "stream", "stream_options", "n", "timings_per_token", "cache_prompt", "keep_alive"}
)
"""Fields that llmtui must set itself; with other values, the measurement would fail or measure something else."""
_FLAGS: Final = {
    "max_tokens": "--num-predict", "max_completion_tokens": "--num-predict", "options.num_predict": "--num-predict",
    "temperature": "--temperature", "options.temperature": "--temperature", "options.num_ctx": "--num-ctx",
    "options.num_thread": "--num-thread", "think": "--think", "reasoning_effort": "--think", "reasoning": "--think",
    "chat_template_kwargs.enable_thinking": "--think",
}  # fmt: skip
"""Field → the flag that sets it instead; the flag's value is saved with the results."""
_FIXED: Final = frozenset({"seed", "options.seed"})
"""Fields that must have the same value in all sessions, so that sessions can be compared."""


def extra_fields(path: str) -> dict[str, Any]:
    """Return the request fields in a file.

    Args:
        path: a file with one JSON object.

    Raises:
        Refused: the file cannot be read, is not a JSON object, or has a field that llmtui must set itself.
    """
    try:
        content = read_text(expanded(path))
    except OSError as error:
        raise Refused(_("{path} cannot be read: {why}.").format(path=path, why=error.strerror or error)) from error
    except SettingsError as error:
        raise Refused(settings_words(error)) from error
    try:
        fields = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Refused(_("{path} is not a JSON object: {why}.").format(path=path, why=error)) from error
    for name in _names(fields):
        if name in _FLAGS:
            said = _("{path}: use {flag} to set `{name}`.")
            raise Refused(said.format(path=path, name=name, flag=_FLAGS[name]))
        if name in _OURS | _FIXED:
            said = _("{path}: llmtui needs to set `{name}` itself. Remove it from the file.")
            raise Refused(said.format(path=path, name=name))
    return fields


def _names(fields: Mapping[str, Any]) -> list[str]:
    inner = [f"{name}.{one}" for name, part in fields.items() if isinstance(part, Mapping) for one in part]
    return [*fields, *inner]
