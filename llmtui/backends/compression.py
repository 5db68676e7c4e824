"""Compressed answers, decoded as they arrive. The time at which their text left the server is unknown."""

from __future__ import annotations

import zlib
from typing import Final

_ANY_HEADER: Final = 47
"""zlib's window size that accepts gzip and zlib headers."""
_NO_HEADER: Final = -15
_NONE: Final = ("", "identity", "none")
_KNOWN: Final = ("gzip", "x-gzip", "deflate")


class Unpacker:
    """A decoder of gzip and deflate; "deflate" is sent with and without zlib's header."""

    def __init__(self, *, known: bool = True) -> None:
        """Prepare to decode; with ``known`` false every byte is refused."""
        self._known = known
        self._inflate = zlib.decompressobj(_ANY_HEADER)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """Return the decoded bytes.

        Raises:
            ValueError: the compression is not supported.
        """
        if not self._known:
            raise ValueError("an unknown compression")
        try:
            plain = self._inflate.decompress(data)
        except zlib.error as error:
            if self._begun:
                raise ValueError(str(error)) from error
            plain = self._bare(data)
        self._begun = True
        return plain

    def _bare(self, data: bytes) -> bytes:
        self._inflate = zlib.decompressobj(_NO_HEADER)
        try:
            return self._inflate.decompress(data)
        except zlib.error as error:
            raise ValueError(str(error)) from error


def unpacker_for(content_encoding: str) -> Unpacker | None:
    """Return the decoder for a body with this header; None for one that is not compressed."""
    name = content_encoding.strip().lower()
    return None if name in _NONE else Unpacker(known=name in _KNOWN)
