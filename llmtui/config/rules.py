"""What each setting may be, in one table: used for the settings file, the environment, flags and saving."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from llmtui.config.address import builtin_place, normalise_host
from llmtui.config.errors import SettingsError

_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What one setting may be."""

    words: str
    """Completes "must be …"."""
    accepts: Callable[[object], bool]
    read: Callable[[str], object]
    """Turns an environment variable's text into a value; raises ValueError where it cannot."""
    shape: Callable[[Any], object]
    """Turns an accepted value into the one that ``Settings`` holds."""


def _same(value: object) -> object:
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _is_host(value: object) -> bool:
    if not isinstance(value, str) or not _is_text(value):
        return False
    if builtin_place(value) is not None:
        return True
    try:
        normalise_host(value)
    except SettingsError:
        return False
    return True


def _is_names(value: object) -> bool:
    return isinstance(value, list | tuple) and all(_is_text(name) for name in value)


def _is_keymap(value: object) -> bool:
    return isinstance(value, dict) and all(_is_text(part) for pair in value.items() for part in pair)


def _read_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _read_keymap(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError(text)
    return {name.strip(): keys.strip() for name, _, keys in pairs}


def _read_flag(text: str) -> bool:
    word = text.lower()
    if word not in _YES + _NO:
        raise ValueError(text)
    return word in _YES


def _text(words: str, accepts: Callable[[object], bool] = _is_text) -> Rule:
    return Rule(words=words, accepts=accepts, read=_same, shape=_same)


def _choice(*choices: str) -> Rule:
    words = f"{', '.join(repr(choice) for choice in choices[:-1])} or {choices[-1]!r}"
    return Rule(words=words, accepts=lambda value: value in choices, read=str.lower, shape=_same)


def _whole(low: int, high: int) -> Rule:
    def accepts(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return Rule(words=f"a whole number from {low} to {high}", accepts=accepts, read=int, shape=_same)


def _number(low: float, high: float) -> Rule:
    def accepts(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return math.isfinite(value) and low <= value <= high

    return Rule(words=f"a number from {low:g} to {high:g}", accepts=accepts, read=float, shape=float)


def _flag() -> Rule:
    return Rule(words="true or false", accepts=lambda value: isinstance(value, bool), read=_read_flag, shape=_same)


def _names(words: str) -> Rule:
    return Rule(words=words, accepts=_is_names, read=_read_names, shape=tuple)


RULES: dict[str, Rule] = {
    "host": _text("a server's address such as '127.0.0.1:11434', 'https://box.example' or 'builtin'", _is_host),
    "results_dir": _text("a folder"),
    "language": _choice("auto", "en", "es"),
    "theme": _text("the name of a theme"),
    "models": _names("names of models"),
    "categories": _names("ids of categories"),
    "preset": _choice("auto", "quick", "standard", "thorough"),
    "num_ctx": _whole(128, 4_194_304),
    "num_thread": _whole(1, 4096),
    "num_predict": _whole(1, 131_072),
    "temperature": _number(0, 2),
    "think": _choice("off", "on"),
    "unload_others": _flag(),
    "stall_s": _number(1, 86_400),
    "stall_loading_s": _number(1, 86_400),
    "quiet_wait_s": _number(0, 600),
    "bell": _flag(),
    "keymap": Rule(
        words="keys by the id of what they do, such as pause = 'f6'",
        accepts=_is_keymap,
        read=_read_keymap,
        shape=dict,
    ),
}
"""Setting → rule. The names are those of ``Settings``, of the settings file and, in capitals, of the environment."""
