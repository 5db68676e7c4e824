"""The text of a file to import: limited in size, in any of the common encodings, possibly compressed with gzip."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path

from llmtui.config.regular_file import NotRegular, TooLarge, regular_bytes
from llmtui.legacy.rows import CannotImport

MOST_BYTES = 64 * 2**20
"""Largest size of the text in bytes; a larger file is refused instead of being cut."""
_BLOCK = 2**20
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\x1b")) + b"\x7f"
MOST_CONTROLS = 0.01
"""Fraction of control characters above which a file does not count as text."""


def file_text(path: Path) -> str:
    """Return the text of a regular file, decompressed if it is gzip.

    Encodings: UTF-8, UTF-16 with or without a byte order mark, else Windows-1252.

    Raises:
        CannotImport: the file is unreadable, not a regular file, larger than ``MOST_BYTES``, or not text.
    """
    data = _bytes_of(path)
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data)
    return _decoded(data)


def _bytes_of(path: Path) -> bytes:
    try:
        return regular_bytes(path, MOST_BYTES)
    except (OSError, ValueError) as error:
        raise CannotImport("cannot_read", why=getattr(error, "strerror", None) or str(error)) from error
    except NotRegular as error:
        raise CannotImport("not_a_file", directory=error.is_folder) from error
    except TooLarge as error:
        raise _too_large() from error


def _unpacked(data: bytes) -> bytes:
    parts = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while block := file.read(_BLOCK):
                parts += block
                if len(parts) > MOST_BYTES:
                    raise _too_large()
    except (OSError, EOFError, zlib.error) as error:
        raise CannotImport("cannot_read", why=str(error)) from error
    return bytes(parts)


def _decoded(data: bytes) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):  # fmt: skip
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    else:
        text = _guessed(data)
    if "\x00" in text or _controls(text) > MOST_CONTROLS:
        raise CannotImport("not_text")
    if not text.strip():
        raise CannotImport("empty")
    return text


def _guessed(data: bytes) -> str:
    head = data[:4096]
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        # Western text in UTF-16: every other byte is nearly always 0.
        if len(head) >= 4 and head[first::2].count(0) > 0.8 * len(head[first::2]):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _controls(text: str) -> float:
    head = text[:65536]
    controls = _CONTROLS.decode("ascii")
    return sum(head.count(one) for one in controls) / max(len(head), 1)


def _too_large() -> CannotImport:
    return CannotImport("too_large", megabytes=MOST_BYTES // 2**20)
