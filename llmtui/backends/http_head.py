"""Repair of the heads (status line and headers) of HTTP responses, for h11's strict parser.

curl and browsers ignore a repeated ``Transfer-Encoding`` and lines that are not headers; h11 refuses such a response.
"""

from __future__ import annotations

import re
from typing import Final

_LINE_END: Final = re.compile(rb"\r?\n")
_END: Final = re.compile(rb"\r?\n\r?\n")
"""The blank line after the headers. Lines may end without CR: RFC 9112, 2.2."""
_BLANK: Final = b"\r\n\r\n"
LONGEST: Final = 1 << 16
_HEADER: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00\r\n]*\Z")
_CHUNKED: Final = b"transfer-encoding:"


class HeadMender:
    """Holds back a response until its head is complete, and repairs the head. Later bytes are returned unchanged."""

    def __init__(self) -> None:
        self._held = b""
        self._passed = False

    def feed(self, data: bytes) -> bytes:
        """Return the bytes for the parser.

        Empty data means the end of the stream and releases bytes that were held back.
        """
        if self._passed:
            return data
        self._held += data
        found = _END.search(self._held)
        if found is None:
            if data and len(self._held) <= LONGEST:
                return b""
            self._passed = True
            return self._held
        head, body = self._held[: found.start()], self._held[found.end() :]
        self._held = b""
        if head[9:10] == b"1":  # 100 Continue, 103 Early Hints: the final response's head follows
            return mended(head) + _BLANK + (self.feed(body) if body else b"")
        self._passed = True
        return mended(head) + _BLANK + body


def mended(head: bytes) -> bytes:
    """Return a response's head without lines that h11 refuses.

    Removed are repeated ``Transfer-Encoding`` headers, the transfer encoding ``identity``, and lines that are not
    headers.
    """
    status, *lines = _LINE_END.split(head)
    kept: list[bytes] = []
    for line in lines:
        is_repeated = line.lower().startswith(_CHUNKED) and any(one.lower().startswith(_CHUNKED) for one in kept)
        is_none = line.lower().startswith(_CHUNKED) and line.lower().endswith(b"identity")
        if not (is_repeated or is_none) and (_HEADER.match(line) or line[:1] in b" \t"):
            kept.append(line)
    return b"\r\n".join((status, *kept))
