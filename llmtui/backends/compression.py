"""Compressed answers: decoded as they come. When a text left the server is not known of them."""

from __future__ import annotations

import zlib
from typing import Final

_ANY_HEADER: Final = 47
"""zlib's window size that takes gzip and zlib headers alike."""
_NO_HEADER: Final = -15
_NONE: Final = ("", "identity", "none")
_KNOWN: Final = ("gzip", "x-gzip", "deflate")


class Unpacker:
    """Decodes gzip and deflate; "deflate" is sent with and without zlib's header."""

    def __init__(self, *, known: bool = True) -> None:
        """Prepare to decode; with ``known`` false every byte is refused."""
        self._known = known
        self._inflate = zlib.decompressobj(_ANY_HEADER)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """Return what these bytes hold.

        Raises:
            ValueError: they are not compressed in a way that can be read.
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
    """Return what decodes a body with this header; None for one that is not compressed."""
    name = content_encoding.strip().lower()
    return None if name in _NONE else Unpacker(known=name in _KNOWN)
