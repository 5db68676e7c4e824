"""Decoding of compressed responses as they arrive.

The time at which compressed text left the server is unknown, because compression holds text back.
"""

from __future__ import annotations

import zlib
from typing import Final

_ANY_HEADER: Final = 47
"""Window size for zlib that accepts both gzip and zlib headers."""
_NO_HEADER: Final = -15
_NONE: Final = ("", "identity", "none")
_KNOWN: Final = ("gzip", "x-gzip", "deflate")


class Unpacker:
    """A decoder of gzip and deflate. Servers send "deflate" both with and without zlib's header; both are decoded."""

    def __init__(self, *, known: bool = True) -> None:
        """Prepare to decode.

        Args:
            known: whether the compression is supported. If False, ``feed`` raises ValueError.
        """
        self._known = known
        self._inflate = zlib.decompressobj(_ANY_HEADER)
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """Return the decoded bytes.

        Raises:
            ValueError: the compression is not supported, or the data is damaged.
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
    """Return the decoder for a ``Content-Encoding`` header; None if the body is not compressed."""
    name = content_encoding.strip().lower()
    return None if name in _NONE else Unpacker(known=name in _KNOWN)
