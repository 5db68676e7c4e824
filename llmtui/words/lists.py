"""Lists as text: "a, b and c", "a or b"."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.words import _, plural


def and_list(names: Sequence[str]) -> str:
    """Return the names as text: ``a, b and c``."""
    return _joined(names, _("{first} and {last}"))


def or_list(names: Sequence[str]) -> str:
    """Return the names as text: ``a, b or c``."""
    return _joined(names, _("{first} or {last}"))


def few(entries: Sequence[str], most: int = 4) -> str:
    """Return the first ``most`` entries separated by commas, and the number of those left out: ``a, b and 3 more``."""
    if len(entries) <= most:
        return ", ".join(entries)
    left = len(entries) - most
    more = plural("and {n} more", "and {n} more", left).format(n=left)
    return f"{', '.join(entries[:most])} {more}"


def _joined(names: Sequence[str], pattern: str) -> str:
    if len(names) < 2:
        return "".join(names)
    return pattern.format(first=", ".join(names[:-1]), last=names[-1])
