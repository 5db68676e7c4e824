r"""Lines of a byte stream, cut at ``\n`` and nowhere else.

Text splitters also cut at U+0085 and U+2028, which are legal inside JSON strings and do occur in models' text.
"""

from __future__ import annotations

import msgspec

MAX_LINE_BYTES = 16 * 1024 * 1024


class Line(msgspec.Struct, frozen=True):
    """One line without its end, and the moment at which the bytes that completed it arrived."""

    t_ns: int
    data: bytes


class LineTooLong(Exception):
    """More bytes without an end of line than any server's line has."""


class LineCutter:
    """Collects bytes in pieces of any size and gives whole lines; blank lines are left out."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held_bytes = 0
        self._last_ns = 0

    def feed(self, t_ns: int, data: bytes) -> list[Line]:
        """Takes bytes that arrived at ``t_ns`` and gives the lines that they complete.

        Raises:
            LineTooLong: there was no end of line in ``MAX_LINE_BYTES`` bytes.
        """
        self._last_ns = t_ns
        *ends, rest = data.split(b"\n")
        lines = []
        for end in ends:
            line = b"".join((*self._parts, end))
            self._parts.clear()
            self._held_bytes = 0
            if line.strip():
                lines.append(Line(t_ns, line))
        if rest:
            self._held_bytes += len(rest)
            if self._held_bytes > MAX_LINE_BYTES:
                raise LineTooLong(f"{self._held_bytes} bytes without an end of line")
            self._parts.append(rest)
        return lines

    def rest(self) -> Line | None:
        """Gives what came after the last end of line: a line that was cut or has no end; None if nothing did."""
        data = b"".join(self._parts)
        return Line(self._last_ns, data) if data.strip() else None
