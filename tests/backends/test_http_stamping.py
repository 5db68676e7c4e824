from __future__ import annotations

import asyncio
import ssl
import time

import httpcore
import httpx

from llmtui.backends.http_client import open_client
from llmtui.backends.http_stamping import StampingStream, read_ns
from tests.backends.scripted_server import Peer, Received, scripted_server


class ParsedDocument(httpcore.AsyncNetworkStream):
    """A connection that returns prepared data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.written = b""
        self.closed = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return self.data[:max_bytes]

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self.written += buffer

    async def aclose(self) -> None:
        self.closed = True

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return ParsedDocument(self.data.upper())

    def get_extra_info(self, info: str) -> str:
        return f"{info} of the inner one"


async def test_a_stream_does_what_the_one_inside_does_and_remembers_when_it_read() -> None:
    inner = ParsedDocument(b"abc")
    stamping = StampingStream(inner)

    before_ns = time.perf_counter_ns()
    assert await stamping.read(2) == b"ab"
    assert stamping.read_ns is not None
    assert before_ns <= stamping.read_ns <= time.perf_counter_ns()

    await stamping.write(b"x")
    encrypted = await stamping.start_tls(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    assert isinstance(encrypted, StampingStream)
    assert await encrypted.read(3) == b"ABC"
    assert stamping.get_extra_info("socket") == "socket of the inner one"
    await stamping.aclose()
    assert (inner.written, inner.closed) == (b"x", True)


async def test_bytes_that_came_with_the_headers_carry_their_moment_however_late_they_are_looked_at() -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        await asyncio.sleep(0.05)
        await peer.send(b"def")

    async with scripted_server({"/x": reply}) as server:
        url = httpx.URL(f"http://{server.address}")
        async with open_client(url) as client, client.stream("GET", "/x") as response:
            headers_ns = read_ns(response)
            await asyncio.sleep(0.01)
            looked_ns = time.perf_counter_ns()
            given = [(data, read_ns(response)) async for data in response.aiter_raw()]

    assert [data for data, _ in given] == [b"abc", b"def"]
    assert given[0][1] == headers_ns < looked_ns < given[1][1]


def test_before_the_first_bytes_there_is_no_moment() -> None:
    assert StampingStream(ParsedDocument(b"")).read_ns is None


def test_a_response_of_another_transport_has_the_present_moment() -> None:
    before_ns = time.perf_counter_ns()

    assert before_ns <= read_ns(httpx.Response(200)) <= time.perf_counter_ns()
