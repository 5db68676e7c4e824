"""Our own connection: what it sends, how it fails, and that it ends."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import aclosing

import httpx
import pytest

from llmtui.backends import http_direct
from llmtui.backends.http_client import open_client, transport_problem
from llmtui.backends.http_direct import direct_exchange
from llmtui.backends.http_moments import BodyReceived, ExchangeEvent, HeadersReceived, RequestStarted
from llmtui.backends.http_timing import timed_exchange
from tests.backends.scripted_server import Peer, Received, never, scripted_server, stream, whole


def request_to(address: str, path: str = "/x", content: bytes = b"", **limits: float) -> httpx.Request:
    """A request with the limits in force."""
    extensions = {"timeout": {"connect": 3.0, "read": None, "write": 3.0} | limits}
    return httpx.Request(
        "POST" if content else "GET", f"http://{address}{path}", content=content, extensions=extensions
    )


async def moments_of(request: httpx.Request, first: httpx.Request | None = None) -> list[ExchangeEvent]:
    async with aclosing(direct_exchange(request, first)) as moments:
        return [moment async for moment in moments]


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "reader"]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - nobody tells when a thread has ended
            await asyncio.sleep(0.005)


async def until_no_reader() -> None:
    await until(lambda: not readers())


async def test_the_request_arrives_as_the_client_built_it() -> None:
    async with scripted_server({"/x": whole("ok")}) as server:
        url = httpx.URL(f"http://{server.address}")
        async with open_client(url) as client:
            built = client.build_request("POST", "/x", json={"stream": True}, headers={"X-Own": "1"})
            async with aclosing(timed_exchange(client, built)) as moments:
                assert [type(moment) async for moment in moments] == [RequestStarted, HeadersReceived, BodyReceived]

    (received,) = server.received
    assert (received.method, received.path, received.body) == ("POST", "/x", {"stream": True})
    assert received.headers["host"] == server.address
    assert received.headers["x-own"] == "1"
    assert received.headers["accept-encoding"] == "identity"


async def test_answers_of_every_framing_are_read() -> None:
    async def until_closed(received: Received, peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab")
        await peer.send(b"cd")
        await peer.cut()

    async def after_a_hint(received: Received, peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await whole("abcd")(received, peer)

    routes = {"/chunks": stream(b"ab", b"cd"), "/length": whole("abcd"), "/end": until_closed, "/hint": after_a_hint}
    async with scripted_server(routes) as server:
        for path in routes:
            departed, answered, *arrived = await moments_of(request_to(server.address, path))
            assert isinstance(departed, RequestStarted)
            assert isinstance(answered, HeadersReceived)
            assert b"".join(moment.data for moment in arrived if isinstance(moment, BodyReceived)) == b"abcd", path


@pytest.mark.timed
async def test_a_piece_carries_the_moment_of_its_coming_however_late_it_is_taken() -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        sent_ns.append(await peer.chunk(b"first"))
        await asyncio.sleep(0.1)
        sent_ns.append(await peer.chunk(b"second"))
        await peer.end()

    sent_ns: list[int] = []
    async with (
        scripted_server({"/x": reply}) as server,
        aclosing(direct_exchange(request_to(server.address))) as moments,
    ):
        assert isinstance(await anext(moments), RequestStarted)
        assert isinstance(await anext(moments), HeadersReceived)
        await asyncio.sleep(0.3)  # a consumer that is busy elsewhere
        arrived = [moment async for moment in moments if isinstance(moment, BodyReceived)]

    assert [moment.data for moment in arrived] == [b"first", b"second"]
    assert arrived[1].t_ns - arrived[0].t_ns == pytest.approx(sent_ns[1] - sent_ns[0], abs=5e7)
    assert all(moment.t_ns >= at for moment, at in zip(arrived, sent_ns, strict=True))


async def test_a_long_request_is_taken_whole() -> None:
    content = b'"' + b"x" * (4 << 20) + b'"'
    async with scripted_server({"/x": whole("ok")}) as server:
        moments = await moments_of(request_to(server.address, content=content))
    assert [type(moment) for moment in moments] == [RequestStarted, HeadersReceived, BodyReceived]
    assert server.received[0].headers["content-length"] == str(len(content))


@pytest.mark.parametrize(
    ("data", "failure", "code"),
    [
        (b"", httpx.RemoteProtocolError, "cut"),
        (b"220 mail.example ESMTP\r\n\r\n", httpx.RemoteProtocolError, "not_http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", httpx.RemoteProtocolError, "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", httpx.RemoteProtocolError, "cut"),
    ],
)
async def test_a_broken_answer_fails_as_the_librarys_does(data: bytes, failure: type[Exception], code: str) -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.send(data)
        await peer.cut()

    async with scripted_server({"/x": reply}) as server:
        with pytest.raises(failure) as ours:
            await moments_of(request_to(server.address))
    assert transport_problem(ours.value, httpx.URL(f"http://{server.address}"), "ollama").code == code


async def test_a_reset_connection_is_cut() -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        peer._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await peer.cut()

    async with scripted_server({"/x": reply}) as server:
        with pytest.raises(httpx.NetworkError) as ours:
            await moments_of(request_to(server.address))
    assert transport_problem(ours.value, httpx.URL(f"http://{server.address}"), "ollama").code == "cut"


async def test_nobody_listens() -> None:
    async with scripted_server() as server:
        pass
    with pytest.raises(httpx.ConnectError) as ours:
        await moments_of(request_to(server.address))
    assert transport_problem(ours.value, httpx.URL(f"http://{server.address}"), "ollama").code == "refused"


async def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(httpx.ConnectError) as ours:
        await moments_of(request_to("no-such-machine.invalid:1"))
    assert transport_problem(ours.value, httpx.URL("http://no-such-machine.invalid"), "ollama").code == "unknown_host"


async def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_server({"/x": whole("ok")}) as server:
        nobody = socket.create_server(("127.0.0.1", 0))
        refusing = nobody.getsockname()
        nobody.close()
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", at) for at in (refusing, ("127.0.0.1", server.port))]

        async def both(*_args: object, **_kwargs: object) -> object:
            return found

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
        moments = await moments_of(request_to(server.address))
    assert len(moments) == 3


async def test_a_machine_that_takes_no_connection_is_given_up() -> None:
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = []
    try:
        for _ in range(4):  # the system itself answers for the first ones
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(full.getsockname())
            waiting.append(one)
        with pytest.raises(httpx.ConnectTimeout):
            await moments_of(request_to(f"127.0.0.1:{full.getsockname()[1]}", connect=0.3))
    finally:
        for one in (*waiting, full):
            one.close()


async def test_silence_longer_than_allowed_is_a_timeout() -> None:
    async with scripted_server({"/x": never}) as server:
        with pytest.raises(httpx.ReadTimeout):
            await moments_of(request_to(server.address, read=0.1))
    await until_no_reader()


async def test_closing_tells_the_server_and_ends_the_reader() -> None:
    gone = asyncio.Event()

    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        await peer.chunk(b"ab")
        await peer.gone()
        gone.set()

    async with scripted_server({"/x": reply}) as server:
        moments = direct_exchange(request_to(server.address))
        while not isinstance(await anext(moments), BodyReceived):
            pass
        assert readers()
        await moments.aclose()
        async with asyncio.timeout(60):
            await gone.wait()
        await until_no_reader()


async def test_cancelling_closes_the_connection_before_there_is_an_answer() -> None:
    gone = asyncio.Event()

    async def reply(received: Received, peer: Peer) -> None:
        await peer.gone()
        gone.set()

    async with scripted_server({"/x": reply}) as server:
        task = asyncio.create_task(moments_of(request_to(server.address)))
        await until(lambda: server.received)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        await until(gone.is_set)
        await until_no_reader()
    assert task.cancelled()


async def test_a_first_request_goes_before_on_the_same_connection() -> None:
    async with scripted_server({"/x": whole("ok")}) as server:
        moments = await moments_of(request_to(server.address), request_to(server.address, "/api/version"))
    assert [type(moment) for moment in moments] == [RequestStarted, HeadersReceived, BodyReceived]
    assert [(got.path, got.connection) for got in server.received] == [("/api/version", 1), ("/x", 1)]


@pytest.mark.parametrize("becomes", ["silent", "cut", "closed after it"])
async def test_what_becomes_of_the_first_request_does_not_matter(becomes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cut(received: Received, peer: Peer) -> None:
        await peer.cut()

    monkeypatch.setattr(http_direct, "FIRST_LIMIT_S", 0.2)
    first = {"silent": never, "cut": cut, "closed after it": whole("v", extra="Connection: close\r\n")}[becomes]
    async with scripted_server({"/x": whole("ok"), "/first": first}) as server:
        moments = await moments_of(request_to(server.address), request_to(server.address, "/first"))
    assert [type(moment) for moment in moments] == [RequestStarted, HeadersReceived, BodyReceived]
    assert [(got.path, got.connection) for got in server.received] == [("/first", 1), ("/x", 2)]


async def test_a_name_and_password_are_left_to_the_library() -> None:
    async with scripted_server({"/x": whole("ok")}) as server:
        url = httpx.URL(f"http://me:secret@{server.address}")
        async with open_client(url) as client:
            built = client.build_request("GET", "/x")
            async with aclosing(timed_exchange(client, built)) as moments:
                assert len([moment async for moment in moments]) == 3
    assert server.received[0].headers["authorization"].startswith("Basic ")
