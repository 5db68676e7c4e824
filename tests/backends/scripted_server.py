"""A server of which every byte is the test's: raw asyncio, for faults that no web framework can play."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    connection: int
    received_ns: int


class Peer:
    """The connection that a request came on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.closed_by_us = False

    async def send(self, data: bytes) -> int:
        """Send bytes unchanged and return the time just before."""
        t_ns = time.perf_counter_ns()
        self._writer.write(data)
        await self._writer.drain()
        return t_ns

    async def head(self, status: int = 200, content_type: str = "application/x-ndjson", extra: str = "") -> None:
        await self.send(
            f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\n"
            f"{extra}Transfer-Encoding: chunked\r\n\r\n".encode()
        )

    async def chunk(self, data: bytes) -> int:
        return await self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def cut(self) -> None:
        self.closed_by_us = True
        self._writer.close()

    async def gone(self) -> int:
        """Wait until the client has closed the connection and return the time."""
        try:
            while await self._reader.read(4096):
                pass
        except ConnectionError:
            pass
        self.closed_by_us = True
        return time.perf_counter_ns()


Reply = Callable[[Received, Peer], Awaitable[None]]


def whole(
    body: bytes | str | object, status: int = 200, content_type: str = "application/json", extra: str = ""
) -> Reply:
    """Answer with one body; values other than bytes and text are sent as JSON."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()

    async def reply(received: Received, peer: Peer) -> None:
        head = (
            f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\n{extra}Content-Length: {len(data)}\r\n\r\n"
        )
        await peer.send(head.encode() + data)

    return reply


def stream(*chunks: bytes, end: bool = True) -> Reply:
    """Answer with these chunks; without an end the connection is cut after them."""

    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        for data in chunks:
            await peer.chunk(data)
        await (peer.end() if end else peer.cut())

    return reply


async def never(received: Received, peer: Peer) -> None:
    """Accept the request and never answer, until the client leaves."""
    await peer.gone()


def line(**fields: Any) -> bytes:
    """One line of an answer."""
    return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


def said(content: str = "", thinking: str = "", created_at: str = "2026-11-22T22:41:07.123456789Z") -> bytes:
    """A line with text."""
    message = {"role": "assistant", "content": content} | ({"thinking": thinking} if thinking else {})
    return line(model="m", created_at=created_at, message=message, done=False)


def done(content: str = "", reason: str = "stop", **counters: int) -> bytes:
    """The last line."""
    message = {"role": "assistant", "content": content}
    return line(
        model="m", created_at="2026-11-22T22:41:08Z", message=message, done=True, done_reason=reason, **counters
    )


@dataclass
class ScriptedServer:
    """What the server is, has got, and answers."""

    port: int
    routes: dict[str, Reply]
    received: list[Received] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def asked(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]


@asynccontextmanager
async def scripted_server(routes: Mapping[str, Reply] | None = None) -> AsyncIterator[ScriptedServer]:
    """Run a server on a free loopback port; unknown routes get Go's 404."""
    connections = 0
    served = ScriptedServer(port=0, routes={"/api/version": whole({"version": "0.34.4"}), **(routes or {})})

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        number = connections
        peer = Peer(reader, writer)
        try:
            while not peer.closed_by_us:
                received = await _read_request(reader, number)
                served.received.append(received)
                not_found = whole("404 page not found", 404, "text/plain")
                await served.routes.get(received.path, not_found)(received, peer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        server.close()


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Received:
    head = await reader.readuntil(b"\r\n\r\n")
    received_ns = time.perf_counter_ns()
    first, *rest = head.decode().rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (entry.split(": ", 1) for entry in rest)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, json.loads(body) if body else None, connection, received_ns)
