"""Users' TOML texts, read from regular files of limited size. Errors have position and reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from llmtui.config.errors import SettingsError
from llmtui.config.regular_file import NotRegular, TooLarge, regular_bytes

KeyPath = tuple[str | int, ...]
"""Names of nested tables and of the key, the outermost first. An int is the position in an array of tables, from 0."""
LARGEST_BYTES: Final = 1024 * 1024
DEEPEST: Final = 50
"""Deepest accepted nesting of tables and lists."""

_LONG_KEY = re.compile(r"(?<![^\s=\[\]{},#])(?:[^\s.=\[\]{},#]++[ \t]*+\.[ \t]*+){50}")
"""A dotted key of more than 50 parts, for which ``tomllib`` takes quadratic time."""
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def read_text(path: Path) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        FileNotFoundError: there is no file.
        SettingsError: the file is not regular, larger than ``LARGEST_BYTES``, not UTF-8, or unreadable.
    """
    try:
        content = regular_bytes(path, LARGEST_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SettingsError("cannot_read", file=str(path), why=error.strerror or str(error)) from None
    except NotRegular:
        raise SettingsError("not_a_file", file=str(path)) from None
    except TooLarge:
        raise SettingsError("too_large", file=str(path), limit=f"{LARGEST_BYTES // 1024**2} MiB") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsError("not_utf8", file=str(path)) from None


def read_toml(text: str, file: str) -> dict[str, Any]:
    """Return the values of a TOML text.

    Args:
        text: the text.
        file: name of the text's file, for the error.

    Raises:
        SettingsError: the text is not TOML, or is nested too deep.
    """
    if _LONG_KEY.search(text):
        raise SettingsError("too_deep", file=file)
    try:
        tree = tomllib.loads(text)
    except RecursionError:
        raise SettingsError("too_deep", file=file) from None
    except ValueError as error:
        why = str(error)
        place = _PLACE.search(why)
        if place is None:
            raise SettingsError("not_toml", file=file, why=why) from None
        line = int(place[1]) if place[1] else text.count("\n") + 1
        raise SettingsError("not_toml", file=file, line=line, why=why[: place.start()]) from None
    if _is_deeper(tree, DEEPEST):
        raise SettingsError("too_deep", file=file)
    return tree


def _is_deeper(tree: object, depth: int) -> bool:
    """Return whether tables and lists are nested deeper than ``depth`` levels, the limit for recursive functions."""
    inside = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return bool(inside) if depth == 0 else any(_is_deeper(value, depth - 1) for value in inside)


def dotted(path: Sequence[str | int]) -> str:
    """Return a key's name for a message, with positions from 1, such as ``categories.coding.prompts[2].text``."""
    words = ""
    for part in path:
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def kind_of(value: object) -> str:
    """Return a code for the type of a TOML value: flag, text, whole, number, list, table or time."""
    if isinstance(value, bool):
        return "flag"
    kinds = ((str, "text"), (int, "whole"), (float, "number"), (list, "list"), (dict, "table"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "time")
