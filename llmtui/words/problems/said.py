"""The entries of tables of problems and evidence."""

from __future__ import annotations

from typing import NamedTuple


class Counted(NamedTuple):
    """A template with a form for one and a form for many."""

    one: str
    many: str
    by: str
    """The argument that decides the form."""


Text = str | Counted


class Said(NamedTuple):
    """What happened and, where there is a remedy, what to do about it: English templates, translated when shown."""

    what: Text
    remedy: Text | None = None


def counted(one: str, many: str, by: str) -> Counted:
    """Mark a text with a plural for translation."""
    return Counted(one, many, by)
