"""The part of HTTP/1.1 that a model server needs: requests with a length or in chunks in, plain or chunked out."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from msgspec import Struct

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked answer."""

_MAX_HEAD_BYTES = 65_536
_MAX_BODY_BYTES = 64 * 1024 * 1024
_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/(1\.[01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_HEX = re.compile(rb"[0-9A-Fa-f]{1,8}")


class HttpError(Exception):
    """A request that cannot be read; the connection ends after the answer.

    Attributes:
        status: HTTP status to answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Request(Struct, frozen=True, kw_only=True):
    """One request.

    Attributes:
        method: Upper case, as sent.
        path: Decoded, without the query.
        query: As sent, without the question mark.
        headers: Names in lower case; of a repeated name the last.
        body: Decoded from chunks where it came in chunks.
        version: `1.0` or `1.1`.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    version: str

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open after the answer."""
        wish = self.headers.get("connection", "").lower()
        return wish != "close" if self.version == "1.1" else wish == "keep-alive"


class RequestParser:
    """Cuts a byte stream into requests, wherever the stream is split."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None
        self._chunks: bytearray | None = None
        self._length = 0

    @property
    def idle(self) -> bool:
        """No part of a request has been read."""
        return self._head is None and not self._buffer

    def feed(self, data: bytes) -> list[Request]:
        """Take bytes and give the requests that they complete.

        Raises:
            HttpError: The stream is no HTTP/1.x; nothing can be read from it any more.
        """
        self._buffer += data
        requests: list[Request] = []
        while (request := self._next()) is not None:
            requests.append(request)
        return requests

    def _next(self) -> Request | None:
        if self._head is None and not self._read_head():
            return None
        assert self._head is not None
        body = self._read_chunks() if self._chunks is not None else self._read_length()
        if body is None:
            return None
        head, self._head, self._chunks = self._head, None, None
        return Request(
            method=head.method,
            path=head.path,
            query=head.query,
            headers=head.headers,
            body=body,
            version=head.version,
        )

    def _read_head(self) -> bool:
        while self._buffer.startswith(b"\r\n"):  # allowed before a request line
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n")
        if max(end, len(self._buffer) if end < 0 else 0) > _MAX_HEAD_BYTES:
            raise HttpError(431, "request header fields too large")
        if end < 0:
            return False
        head = _parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        self._head = head
        if "transfer-encoding" in head.headers:
            if head.headers["transfer-encoding"].lower() != "chunked":
                raise HttpError(501, "unsupported transfer encoding")
            self._chunks = bytearray()
        else:
            self._length = _content_length(head.headers)
        return True

    def _read_length(self) -> bytes | None:
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        return body

    def _read_chunks(self) -> bytes | None:
        assert self._chunks is not None
        while (line_end := self._buffer.find(b"\r\n")) >= 0:
            size_text = bytes(self._buffer[:line_end]).partition(b";")[0].strip()
            if not _HEX.fullmatch(size_text):
                raise HttpError(400, "malformed chunked encoding")
            size = int(size_text, 16)
            if len(self._chunks) + size > _MAX_BODY_BYTES:
                raise HttpError(413, "request body too large")
            end = line_end + 2 + size
            if size == 0:
                return self._read_trailer(line_end + 2)
            if len(self._buffer) < end + 2:
                return None
            if self._buffer[end : end + 2] != b"\r\n":
                raise HttpError(400, "malformed chunked encoding")
            self._chunks += self._buffer[line_end + 2 : end]
            del self._buffer[: end + 2]
        if len(self._buffer) > _MAX_HEAD_BYTES:
            raise HttpError(400, "malformed chunked encoding")
        return None

    def _read_trailer(self, start: int) -> bytes | None:
        if self._buffer[start : start + 2] == b"\r\n":
            end = start + 2
        else:
            found = self._buffer.find(b"\r\n\r\n", start)
            if found < 0:
                return None
            end = found + 4
        del self._buffer[:end]
        return bytes(self._chunks or b"")


def response_head(status: int, headers: dict[str, str]) -> bytes:
    """Status line and headers of an answer, blank line included."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "status code " + str(status)
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Data as one chunk; not for empty data, which would end the answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _parse_head(head: bytes) -> Request:
    request_line, *lines = head.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(request_line)
    if match is None:
        raise HttpError(400, "malformed request line")
    headers: dict[str, str] = {}
    for line in lines:
        field = _HEADER.fullmatch(line)
        if field is None:
            raise HttpError(400, "malformed header")
        headers[field[1].decode("ascii").lower()] = field[2].decode("latin-1")
    try:
        target = urlsplit(match[2].decode("latin-1"))
    except ValueError as error:
        raise HttpError(400, "malformed request target") from error
    return Request(
        method=match[1].decode("ascii"),
        path=unquote(target.path) or "/",
        query=target.query,
        headers=headers,
        body=b"",
        version=match[3].decode("ascii"),
    )


def _content_length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HttpError(400, "bad content length")
    length = int(text)
    if length > _MAX_BODY_BYTES:
        raise HttpError(413, "request body too large")
    return length
