"""HTTP/1.1: requests parsed from a connection by h11, and the bytes of a response."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import unquote, urlsplit

import h11
from msgspec import Struct

LAST_CHUNK = b"0\r\n\r\n"
"""The end of a response in chunked transfer encoding."""

_MAX_HEAD_BYTES = 65_536
_MAX_BODY_BYTES = 64 * 1024 * 1024
_VERSIONS = (b"1.0", b"1.1")


class HttpError(Exception):
    """A malformed request; the connection is closed after the error response.

    Attributes:
        status: HTTP status of the response.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request.

    Attributes:
        method: method in upper case, as sent.
        path: decoded, without the query.
        query: as sent, without the question mark.
        headers: header values by name in lower case; if a name is repeated, its last value.
        body: the content, without chunked transfer encoding.
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
        """Whether the connection stays open after the response."""
        wish = self.headers.get("connection", "").lower()
        return wish != "close" if self.version == "1.1" else wish == "keep-alive"


class RequestParser:
    """Splits a byte stream into requests, whatever the size of the parts in which it arrives.

    h11 accepts another request only after it has seen the response to the previous one. Responses are written without
    h11 here, so that the time before and after each line can be logged. Every request therefore gets a new h11 parser.
    """

    def __init__(self) -> None:
        self._parser = _new_parser()
        self._head: h11.Request | None = None
        self._body = bytearray()

    @property
    def idle(self) -> bool:
        """True if no part of a request has been read."""
        return self._head is None and not self._parser.trailing_data[0]

    def feed(self, data: bytes) -> list[Request]:
        """Take bytes and return the requests that are now complete.

        Raises:
            HttpError: the stream is not valid HTTP/1.x; nothing more can be read from it.
        """
        requests: list[Request] = []
        try:
            if data:  # h11 takes empty data as the end of the connection
                self._parser.receive_data(data)
            while (event := self._parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Request):
                    self._begin(event)
                elif isinstance(event, h11.Data):
                    self._add(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    requests.append(self._end())
        except h11.RemoteProtocolError as error:
            raise HttpError(error.error_status_hint, str(error)) from error
        return requests

    def _begin(self, head: h11.Request) -> None:
        if head.http_version not in _VERSIONS:
            raise HttpError(400, "malformed request line")
        length = dict(head.headers).get(b"content-length", b"0")
        if int(length) > _MAX_BODY_BYTES:
            raise HttpError(413, "request body too large")
        self._head = head

    def _add(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > _MAX_BODY_BYTES:
            raise HttpError(413, "request body too large")

    def _end(self) -> Request:
        assert self._head is not None
        request = _request(self._head, bytes(self._body))
        rest, _closed = self._parser.trailing_data
        self._parser, self._head, self._body = _new_parser(), None, bytearray()
        if rest:
            self._parser.receive_data(rest)
        return request


def _new_parser() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD_BYTES)


def _request(head: h11.Request, body: bytes) -> Request:
    try:
        target = urlsplit(head.target.decode("latin-1"))
    except ValueError as error:
        raise HttpError(400, "malformed request target") from error
    return Request(
        method=head.method.decode("ascii"),
        path=unquote(target.path) or "/",
        query=target.query,
        headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
        body=body,
        version=head.http_version.decode("ascii"),
    )


def response_head(status: int, headers: dict[str, str]) -> bytes:
    """Return the status line and the headers of a response, including the blank line after them."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "status code " + str(status)
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return data as one chunk of a response. The data must not be empty, since an empty chunk ends the response."""
    return b"%x\r\n%b\r\n" % (len(data), data)
