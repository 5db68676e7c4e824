"""Where things stand in a TOML text.

``tomllib`` gives values and no positions. A message that says what is wrong with a file needs the line, and a settings
file can be changed without losing its comments only if it is known where each value begins and ends.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

KeyPath = tuple[str | int, ...]
"""Names of tables and keys from the outside in; an int is the position in an array of tables, from 0."""

_GAP = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?\n)*[ \t\r]*")
_KEY_PART = re.compile(r"""[ \t]*([A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')[ \t]*""")
_VALUE_PIECE = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*|[\[\]{}\n]|[^"'\#\[\]{}\n]+''',
    re.DOTALL,
)
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


class TomlProblem(ValueError):
    """A text that is not TOML.

    Attributes:
        line: the line it was noticed in, from 1; None where the parser does not tell.
        problem: what is wrong, in words.
    """

    def __init__(self, line: int | None, problem: str) -> None:
        super().__init__(problem if line is None else f"line {line}: {problem}")
        self.line = line
        self.problem = problem


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A table header or a ``key = value`` of a TOML text; positions are character offsets into it."""

    path: KeyPath
    line: int
    """Line of the header or the key, from 1."""
    header: bool
    start: int
    value_start: int
    value_end: int
    """End of the value, before blanks and a comment; for a header, value_start and value_end are its end."""
    end: int
    """Start of the next line, or the end of the text."""


def read_toml(text: str) -> dict[str, Any]:
    """Gives the values of a TOML text.

    Raises:
        TomlProblem: the text is not TOML.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TomlProblem(None, "is nested too deeply") from None
    except ValueError as error:
        message = str(error)
        place = _PLACE.search(message)
        if place is None:
            raise TomlProblem(None, f"is not valid TOML: {message}") from None
        line = int(place[1]) if place[1] else text.count("\n") + 1
        raise TomlProblem(line, f"is not valid TOML: {message[: place.start()]}") from None


def statements(text: str) -> tuple[Statement, ...]:
    """Gives the headers and assignments of a valid TOML text, in order. What stands inside a value is not looked at."""
    found: list[Statement] = []
    lengths: dict[KeyPath, int] = {}
    table: KeyPath = ()
    position, line = 0, 1
    while (start := _end_of_gap(text, position)) < len(text):
        line += text.count("\n", position, start)
        header = text[start] == "["
        if header:
            table, value_start = _header(text, start, lengths)
            path, value_end, end = table, value_start, _end_of_line(text, value_start)
        else:
            names, after = _key(text, start)
            path = (*table, *names)
            value_start = _end_of_blanks(text, after + 1)
            value_end, end = _value(text, value_start)
        found.append(
            Statement(
                path=path,
                line=line,
                header=header,
                start=start,
                value_start=value_start,
                value_end=value_end,
                end=end,
            )
        )
        line += text.count("\n", start, end)
        position = end
    return tuple(found)


def line_of(found: Iterable[Statement], path: Sequence[str | int]) -> int | None:
    """Gives the line where a key or table begins, or else the line of the nearest table around it."""
    listed = tuple(found)
    wanted = tuple(path)
    while wanted:
        for statement in listed:
            if statement.path[: len(wanted)] == wanted:
                return statement.line
        wanted = wanted[:-1]
    return None


def dotted(path: Sequence[str | int]) -> str:
    """Gives a key's name for a message, positions counted from 1: ``categories.coding.prompts[2].text``."""
    words = ""
    for part in path:
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def unknown_key(name: str, known: Sequence[str]) -> str:
    """Gives the sentence about a key that nobody reads, with the known key that looks most like it."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"unknown key {name!r}; did you mean {near[0]!r}?"
    return f"unknown key {name!r}; known here: {', '.join(known)}"


def kind_of(value: object) -> str:
    """Gives the kind of a TOML value in words."""
    if isinstance(value, bool):
        return "true or false"
    kinds = ((str, "text"), (int, "a whole number"), (float, "a number"), (list, "a list"), (dict, "a table"))
    return next((word for kind, word in kinds if isinstance(value, kind)), "a date or time")


def _end_of_gap(text: str, position: int) -> int:
    """Skips blank lines and comments; the last line may be a comment without a line break."""
    gap = _GAP.match(text, position)
    assert gap is not None
    at = gap.end()
    return len(text) if text.startswith("#", at) else at


def _end_of_blanks(text: str, position: int) -> int:
    while text.startswith((" ", "\t"), position):
        position += 1
    return position


def _end_of_line(text: str, position: int) -> int:
    at = text.find("\n", position)
    return len(text) if at < 0 else at + 1


def _key(text: str, position: int) -> tuple[KeyPath, int]:
    """Reads a dotted key; gives its parts and the offset of what follows (``=`` or ``]``)."""
    parts: list[str] = []
    while (part := _KEY_PART.match(text, position)) is not None:
        word = part[1]
        parts.append(tomllib.loads(f"k = {word}")["k"] if word[0] in "\"'" else word)
        position = part.end()
        if not text.startswith(".", position):
            break
        position += 1
    return tuple(parts), position


def _header(text: str, start: int, lengths: dict[KeyPath, int]) -> tuple[KeyPath, int]:
    """Reads ``[a.b]`` or ``[[a.b]]``; gives the table's path and the offset behind the brackets."""
    brackets = 2 if text.startswith("[[", start) else 1
    names, at = _key(text, start + brackets)
    path: KeyPath = ()
    for name in names[:-1]:
        path = _inside((*path, name), lengths)
    path = (*path, names[-1])
    if brackets == 2:
        lengths[path] = lengths.get(path, 0) + 1
    return _inside(path, lengths), at + brackets


def _inside(path: KeyPath, lengths: dict[KeyPath, int]) -> KeyPath:
    """An array of tables is entered at its last table."""
    return (*path, lengths[path] - 1) if path in lengths else path


def _value(text: str, start: int) -> tuple[int, int]:
    """Gives the end of the value that begins at ``start`` and the start of the line after it."""
    depth, position, value_end = 0, start, start
    while (piece := _VALUE_PIECE.match(text, position)) is not None:
        word = piece[0]
        position = piece.end()
        if word == "\n" and depth == 0:
            return value_end, position
        depth += (word in "[{") - (word in "]}") if word != "\n" else 0
        if not word.startswith("#") and word.strip():
            value_end = position - (len(word) - len(word.rstrip()))
    return value_end, len(text)
