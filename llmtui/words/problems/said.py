"""Types of the entries in the tables of problems and of evidence."""

from __future__ import annotations

from typing import NamedTuple


class Counted(NamedTuple):
    """A template with a singular and a plural form."""

    one: str
    many: str
    by: str
    """Name of the argument whose number decides the form."""


Text = str | Counted


class Said(NamedTuple):
    """What happened and, if known, what to do about it: English templates, translated when they are shown."""

    what: Text
    remedy: Text | None = None


def counted(one: str, many: str, by: str) -> Counted:
    """Mark a text with a singular and a plural form for translation."""
    return Counted(one, many, by)
