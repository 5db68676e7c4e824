"""Records from servers and files made safe: no character can control the terminal, no number overflows a sum.

Names, versions, errors and titles come from servers, and a journal may come from anywhere. Every event that is read
(see ``core.events.decode_event``) passes ``shown_event`` before screens, printed output and files use it. The text of
an answer is kept unchanged; the widgets that show it use ``visible`` themselves.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec

T = TypeVar("T")

BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
ODD: Final = re.compile(f"[\x00-\x1f\x7f-\x9f{BIDI}\u2028\u2029\ud800-\udfff\ufff9-\ufffb]")
"""Characters that are not shown as they are, but replaced by a visible substitute."""
_ODD_IN_LINES: Final = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{BIDI}\ud800-\udfff\ufff9-\ufffb]")
_LINES: Final = frozenset(("text", "cold_text", "follow_up_text", "template", "license", "modelfile"))
"""Names of the fields whose text may have several lines."""
_AS_IT_CAME: Final = frozenset(("timeline",))
MOST: Final = 1e15
"""Numbers from here on are no measurements. Times in ns are whole numbers and have no limit here."""
_HUGE: Final = re.compile(rb'\d[eE]\+?\d\d|(?<![\d.])(?<!t_ns":)\d{16}')


class Implausible(ValueError):
    """A record has a number that no measurement can have, in a field that cannot be None."""


def may_be_huge(line: bytes) -> bool:
    """Return whether a line of JSON may have a number of at least ``MOST``."""
    return _HUGE.search(line) is not None


def visible(character: str) -> str:
    """Return the visible substitute for a control character.

    C0 controls and DEL become their symbol (``␛``). C1 controls, bidirectional controls and other invisible marks
    become their code point (``<U+202E>``). Lone surrogates become U+FFFD.
    """
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if 0xD800 <= code <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return f"<U+{code:04X}>"


def without_controls(text: str) -> str:
    """Return a one-line text, such as a name or an error, with its control characters replaced by visible ones."""
    return ODD.sub(lambda found: visible(found[0]), text) if ODD.search(text) else text


def lines_without_controls(text: str) -> str:
    """Return a text with its control characters replaced by visible ones, except line ends and tabs."""
    return _ODD_IN_LINES.sub(lambda found: visible(found[0]), text) if _ODD_IN_LINES.search(text) else text


def shown_event(event: T, *, keep: frozenset[str] = frozenset()) -> T:
    """Return a record with all its texts made safe to show; the record itself if nothing changes.

    Numbers that no measurement can have become None, since sums with them overflow.

    Args:
        event: a struct. Any other value is returned unchanged.
        keep: names of fields of the record to leave unchanged.

    Raises:
        Implausible: a number that no measurement can have is in a field that cannot be None.
    """
    if not isinstance(event, msgspec.Struct):
        return event
    changes: dict[str, Any] = {}
    for name in event.__struct_fields__:
        if name in keep or name in _AS_IT_CAME:
            continue
        value = getattr(event, name)
        if type(value) is float and not -MOST < value < MOST:
            _check_optional(event, name)
            changes[name] = None
            continue
        fit = _shown(value, lines=name in _LINES)
        if fit is not value:
            changes[name] = fit
    return msgspec.structs.replace(event, **changes) if changes else event


def _check_optional(event: msgspec.Struct, name: str) -> None:
    field = next(one for one in msgspec.structs.fields(event) if one.name == name)
    if field.default is not None:
        raise Implausible(f"implausible number - at `{name}`")


def _shown(value: object, *, lines: bool) -> object:
    if isinstance(value, str):
        return lines_without_controls(value) if lines else without_controls(value)
    if isinstance(value, msgspec.Struct):
        return shown_event(value)
    if isinstance(value, tuple) and value and not isinstance(value[0], int | float):
        fit = tuple(_shown(item, lines=lines) for item in value)
        return value if all(new is old for new, old in zip(fit, value, strict=True)) else fit
    if isinstance(value, dict):
        shown = {_shown(key, lines=False): _shown(item, lines=lines) for key, item in value.items()}
        same = all(shown.get(key) is item for key, item in value.items())
        return value if same else shown
    return value
