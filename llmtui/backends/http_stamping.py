"""An HTTP transport whose connections remember when bytes last came out of the socket.

Between that moment and the caller lie the parsing of headers and several layers of the library: half a millisecond for
the first bytes of an answer, which would be counted as the server's.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx

from llmtui.backends.http_head import HeadMender

_SocketOptions = Iterable[Any]


class StampingStream(httpcore.AsyncNetworkStream):
    """A connection that keeps the moment of its last read."""

    def __init__(self, inner: httpcore.AsyncNetworkStream) -> None:
        self._inner = inner
        self._head: HeadMender | None = None
        self.read_ns: int | None = None
        """``time.perf_counter_ns()`` right after bytes came; None before the first."""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the library's signature
        """Reads, and stamps before anything else is done."""
        while True:
            data = await self._inner.read(max_bytes, timeout)
            self.read_ns = time.perf_counter_ns()
            fit = data if self._head is None else self._head.feed(data)
            if fit or not data:
                return fit

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Write a request, whose answer begins with a head."""
        self._head = HeadMender()
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        """Closes."""
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """Gives the same connection with TLS, stamped after decryption."""
        return StampingStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> object:
        """Tells about the socket."""
        return self._inner.get_extra_info(info)


class _StampingBackend(httpcore.AsyncNetworkBackend):
    """Opens connections as the library does."""

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


class StampingTransport(httpx.AsyncHTTPTransport):
    """HTTP/1.1 straight to a server, without a proxy; a response's ``network_stream`` is a StampingStream."""

    def __init__(self, limits: httpx.Limits, certificates: ssl.SSLContext | None) -> None:
        """Make one; ``certificates`` may be None where nothing is encrypted."""
        ssl_context = certificates or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        super().__init__(verify=ssl_context, limits=limits)
        # httpx has no argument for the network backend; all else stays as it sets it up.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_StampingBackend(),
        )


def read_ns(response: httpx.Response) -> int:
    """Gives the moment at which the bytes that were last given arrived; now, where the transport did not stamp them."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, StampingStream) and stream.read_ns is not None:
        return stream.read_ns
    return time.perf_counter_ns()
