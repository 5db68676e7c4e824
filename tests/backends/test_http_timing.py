"""Events of a streamed exchange: equal over our own connection and over the library's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

import httpx
import pytest

from llmtui.backends.http_client import open_client
from llmtui.backends.http_timing import (
    BodyReceived,
    ExchangeEvent,
    HeadersReceived,
    RequestStarted,
    _library_exchange,
    timed_exchange,
)
from tests.backends.scripted_server import ScriptedServer, never, scripted_server, stream, whole


def library_exchange(client: httpx.AsyncClient, request: httpx.Request) -> AsyncGenerator[ExchangeEvent, None]:
    return _library_exchange(client, request)


Exchange = Callable[[httpx.AsyncClient, httpx.Request], AsyncGenerator[ExchangeEvent, None]]


@pytest.fixture(params=[timed_exchange, library_exchange], ids=["ours", "the library's"])
def exchange(request: pytest.FixtureRequest) -> Exchange:
    """Plain connections are ours; encrypted and proxied ones are the library's."""
    made: Exchange = request.param
    return made


async def moments_of(exchange: Exchange, server: ScriptedServer, path: str = "/x") -> list[ExchangeEvent]:
    async with (
        open_client(httpx.URL(f"http://{server.address}")) as client,
        aclosing(exchange(client, client.build_request("GET", path))) as moments,
    ):
        return [moment async for moment in moments]


async def given_before(
    failure: type[Exception], exchange: Exchange, client: httpx.AsyncClient, url: str
) -> list[ExchangeEvent]:
    """Return the events yielded before the failure."""
    given: list[ExchangeEvent] = []
    moments = exchange(client, client.build_request("GET", url))
    with suppress(failure):
        while True:
            given.append(await anext(moments))
    return given


async def test_an_exchange_departs_is_answered_and_arrives(exchange: Exchange) -> None:
    async with scripted_server({"/x": stream(b"ab", b"cd")}) as server:
        departed, answered, *arrived = await moments_of(exchange, server)

    assert isinstance(departed, RequestStarted)
    assert isinstance(answered, HeadersReceived)
    assert answered.status == 200
    assert answered.headers["content-type"] == "application/x-ndjson"
    assert b"".join(moment.data for moment in arrived if isinstance(moment, BodyReceived)) == b"abcd"
    stamps = [departed.t_ns, server.received[0].received_ns, answered.t_ns, *(moment.t_ns for moment in arrived)]
    assert stamps == sorted(stamps)


async def test_every_status_is_given_with_its_body(exchange: Exchange) -> None:
    async with scripted_server({"/x": whole("no", 503)}) as server:
        _, answered, arrived = await moments_of(exchange, server)

    assert isinstance(answered, HeadersReceived)
    assert isinstance(arrived, BodyReceived)
    assert (answered.status, arrived.data) == (503, b"no")


async def test_it_departs_once_in_every_exchange(exchange: Exchange) -> None:
    async with (
        scripted_server({"/x": whole("ok")}) as server,
        open_client(httpx.URL(f"http://{server.address}")) as client,
    ):
        for _ in range(2):
            moments = [moment async for moment in exchange(client, client.build_request("GET", "/x"))]
            assert [type(moment) for moment in moments] == [RequestStarted, HeadersReceived, BodyReceived]

    kept = {received.connection for received in server.received}
    assert kept == ({1, 2} if exchange is timed_exchange else {1}), "ours is open for one exchange"


async def test_what_arrived_before_a_failure_is_given_first(exchange: Exchange) -> None:
    async with (
        scripted_server({"/x": stream(b"ab", end=False)}) as server,
        open_client(httpx.URL(f"http://{server.address}")) as client,
    ):
        given = await given_before(httpx.RemoteProtocolError, exchange, client, "/x")

    assert [type(moment) for moment in given] == [RequestStarted, HeadersReceived, BodyReceived]


async def test_a_connection_that_cannot_be_made_never_departs(exchange: Exchange) -> None:
    async with scripted_server() as server:
        pass
    with pytest.raises(httpx.ConnectError):
        await moments_of(exchange, server)


async def test_closing_leaves_no_task_behind(exchange: Exchange) -> None:
    async with scripted_server({"/x": never}) as server, open_client(httpx.URL(f"http://{server.address}")) as client:
        before = asyncio.all_tasks()
        moments = exchange(client, client.build_request("GET", "/x"))
        assert isinstance(await anext(moments), RequestStarted)
        await moments.aclose()
        left = {task for task in asyncio.all_tasks() - before if "llmtui" in repr(task)}

    assert left == set()


async def test_a_tunnel_through_a_proxy_is_not_the_departure() -> None:
    """The CONNECT is answered with a refusal, so the request itself never departs."""
    async with (
        scripted_server() as proxy,
        httpx.AsyncClient(proxy=f"http://{proxy.address}", trust_env=False) as client,
    ):
        assert await given_before(httpx.ProxyError, timed_exchange, client, "https://192.0.2.1/x") == []

    assert proxy.received[0].method == "CONNECT"
