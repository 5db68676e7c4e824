"""An HTTP transport whose connections record when bytes last came out of the socket.

Parsing of headers and several layers of the library come between that moment and the caller. For the first bytes of an
answer they take half a millisecond, which would be counted as the server's time.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

from llmtui.backends.http_head import HeadMender

_SocketOptions = Iterable[Any]
_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
}
"""Errors of httpcore, and those of httpx with the same names. No key is a subclass of another."""


class StampingStream(httpcore.AsyncNetworkStream):
    """A connection that records the time of its last read."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._head: HeadMender | None = None
        self.read_ns: int | None = None
        """``time.perf_counter_ns()`` right after the last bytes arrived; None before the first."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the library's signature
        """Read bytes and record the time before anything else is done."""
        while True:
            data = await self._inner.read(max_bytes, timeout)
            self.read_ns = time.perf_counter_ns()
            fit = data if self._head is None else self._head.feed(data)
            if fit or not data:
                return fit

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write a request. The next bytes read are expected to begin with a response's headers."""
        self._head = HeadMender()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Return the same connection with TLS; it records times after decryption."""
        return StampingStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """Return information about the socket, by the library's name for it."""
        return self._inner.get_extra_info(info)


class _StampingBackend(httpcore.AsyncNetworkBackend):
    """Opens connections with the library's own backend and wraps them in StampingStream."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: _SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return StampingStream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))


class StampingTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 directly to a server, without a proxy. A response's ``network_stream`` is a StampingStream.

    httpx's own transport accepts no network backend, so this transport sends requests through a connection pool of
    httpcore.
    """

    def __init__(self, limits: httpx.Limits, certificates: ssl.SSLContext | None) -> None:
        """Create the connection pool.

        Args:
            limits: numbers of connections, and how long idle ones are kept.
            certificates: may be None for a server without TLS.
        """
        ssl_context = certificates or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._connections = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_StampingBackend(),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the response, whose body is read on demand.

        Raises:
            httpx.HTTPError: as in httpx's own transport.
        """
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        with _as_httpx(request):
            response = await self._connections.handle_async_request(
                httpcore.Request(
                    request.method,
                    url,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response, request),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connections.aclose()


class _Body(httpx.AsyncByteStream):
    """The body of a response; errors of httpcore become those of httpx."""

    def __init__(self, response: httpcore.Response, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx(self._request):
            async for data in self._response.aiter_stream():
                yield data

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    """Raise httpcore's errors as httpx's errors of the same name."""
    try:
        yield
    except tuple(_ERRORS) as error:
        kind = next(kind for known, kind in _ERRORS.items() if isinstance(error, known))
        raise kind(str(error), request=request) from error


def read_ns(response: httpx.Response) -> int:
    """Return the time at which the response's last bytes arrived; the current time if the transport recorded none."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, StampingStream) and stream.read_ns is not None:
        return stream.read_ns
    return time.perf_counter_ns()
