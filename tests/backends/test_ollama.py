"""Answers, and how they are cancelled; against a server that plays every byte."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from statistics import median

import pytest

from llmtui.backends.base import Backend, BackendFailed, Chunk, Final, RequestSent
from llmtui.backends.ollama import OllamaBackend
from tests.backends.ollama_served import answer, request, served, wait_until
from tests.backends.scripted_server import (
    Peer,
    Received,
    Reply,
    done,
    never,
    said,
    stream,
)


def test_it_is_a_backend() -> None:
    backend: Backend = OllamaBackend("127.0.0.1")

    assert backend.kind == "ollama"


@pytest.mark.parametrize("address", ["ftp://box", "http://b ox", "http://a..b"])
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(BackendFailed) as failed:
        OllamaBackend(address)

    assert failed.value.problem.code in ("bad_address", "bad_scheme")


# --- an answer ----------------------------------------------------------------------------------------------------


async def test_an_answer_is_sent_then_pieces_then_final() -> None:
    lines = [said(thinking="hm"), said(""), said("Be"), said("cause"), done(eval_count=4, eval_duration=30)]
    async with served(chat=stream(*lines)) as (server, backend):
        sent, thought, *answered, final = await answer(backend)

    assert isinstance(sent, RequestSent)
    assert isinstance(final, Final)
    assert [(chunk.channel, chunk.text) for chunk in (thought, *answered) if isinstance(chunk, Chunk)] == [
        ("t", "hm"),
        ("a", "Be"),
        ("a", "cause"),
    ]
    assert final.ended_by == "stop"
    assert final.counters is not None
    assert (final.counters.output_tokens, final.counters.output_steps) == (4, 3)
    assert server.asked("/api/chat")[0].body["messages"] == [{"role": "user", "content": "Why?"}]


async def test_any_cutting_into_chunks_gives_the_same_answer() -> None:
    data = said("a\u0085b\u2028c") + b"\n" + said("d") + done("e")
    for size in (1, 7, 64, len(data)):
        chunks = [data[begin : begin + size] for begin in range(0, len(data), size)]
        async with served(chat=stream(*chunks)) as (_, backend):
            texts = [item.text for item in await answer(backend) if isinstance(item, Chunk)]

        assert texts == ["a\u0085b\u2028c", "d", "e"]


async def test_a_last_line_without_its_line_feed_counts() -> None:
    async with served(chat=stream(said("x"), done().rstrip())) as (_, backend):
        *_, final = await answer(backend)

    assert isinstance(final, Final)


async def test_a_stream_that_ends_in_order_but_without_a_last_line_has_no_final() -> None:
    async with served(chat=stream(said("x"), said("y"))) as (_, backend):
        items = await answer(backend)

    assert [type(item) for item in items] == [RequestSent, Chunk, Chunk]


async def test_the_request_goes_out_on_a_connection_that_is_open_already() -> None:
    async with served(chat=stream(said("x"), done())) as (server, backend):
        for _ in range(3):
            await answer(backend)

    for got in server.asked("/api/chat"):
        before = server.received[server.received.index(got) - 1]
        assert (before.path, before.connection) == ("/api/version", got.connection)
    assert [got.path for got in server.received] == ["/api/version", "/api/chat"] * 3


async def test_nothing_in_between_may_pack_the_answer() -> None:
    async with served(chat=stream(done())) as (server, backend):
        await answer(backend)

    assert {got.headers["accept-encoding"] for got in server.received} == {"identity"}


@pytest.mark.timed
async def test_stamps_lie_between_what_the_server_did() -> None:
    """Both run on one clock here: sent before it was received, arrived after it was sent and soon."""
    sends: list[int] = []

    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        for number in range(30):
            await asyncio.sleep(0.005)
            sends.append(await peer.chunk(said(f"{number} ")))
        sends.append(await peer.chunk(done()))
        await peer.end()

    async with served(chat=reply) as (server, backend):
        sent, *arrived = await answer(backend)
        received_ns = server.asked("/api/chat")[0].received_ns

    assert sent.t_ns < received_ns
    lags_ns = [item.t_ns - send_ns for item, send_ns in zip(arrived, sends, strict=True)]
    assert all(lag > 0 for lag in lags_ns)
    assert median(lags_ns) < 20_000_000


async def test_a_busy_reader_moves_no_stamp() -> None:
    """The consumer is away after the first chunk until all others have long come: their stamps are from before."""
    all_sent = asyncio.Event()

    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        for _ in range(5):
            await peer.chunk(said("x"))
            await asyncio.sleep(0.005)
        await peer.end()
        all_sent.set()

    async with served(chat=reply) as (_, backend):
        stamps: list[int] = []
        back_ns = 0
        async with aclosing(backend.stream(request())) as items:
            async for item in items:
                if isinstance(item, Chunk):
                    stamps.append(item.t_ns)
                    if len(stamps) == 1:
                        await all_sent.wait()
                        await asyncio.sleep(0.1)
                        back_ns = time.perf_counter_ns()

    assert len(stamps) == 5
    assert all(stamp < back_ns for stamp in stamps)


async def test_sent_is_told_before_there_is_an_answer() -> None:
    async with served(chat=never) as (_, backend):
        items = backend.stream(request())
        first = await asyncio.wait_for(anext(items), 60)
        await items.aclose()

    assert isinstance(first, RequestSent)


# --- cancelling ---------------------------------------------------------------------------------------------------


async def hang_after_one_line(received: Received, peer: Peer) -> None:
    await peer.head()
    await peer.chunk(said("x"))


def noticing(reply: Reply, gone_ns: list[int]) -> Reply:
    async def noticed(received: Received, peer: Peer) -> None:
        await reply(received, peer)
        gone_ns.append(await peer.gone())

    return noticed


async def nothing(received: Received, peer: Peer) -> None:
    """No headers, as while a model is loaded."""


@pytest.mark.parametrize("reply", [nothing, hang_after_one_line])
@pytest.mark.timed
async def test_cancelling_the_task_closes_the_connection_at_once(reply: Reply) -> None:
    gone_ns: list[int] = []
    async with served(chat=noticing(reply, gone_ns)) as (server, backend):
        task = asyncio.create_task(answer(backend))
        await wait_until(lambda: server.asked("/api/chat"))
        await asyncio.sleep(0.05)
        cancelled_ns = time.perf_counter_ns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until(lambda: gone_ns)

    assert gone_ns[0] - cancelled_ns < 100_000_000


@pytest.mark.parametrize(("reply", "items_before"), [(nothing, 1), (hang_after_one_line, 2)])
@pytest.mark.timed
async def test_closing_the_stream_closes_the_connection_at_once(reply: Reply, items_before: int) -> None:
    gone_ns: list[int] = []
    async with served(chat=noticing(reply, gone_ns)) as (server, backend):
        items = backend.stream(request())
        for _ in range(items_before):
            await anext(items)
        await wait_until(lambda: server.asked("/api/chat"))
        closed_ns = time.perf_counter_ns()
        await items.aclose()
        await wait_until(lambda: gone_ns)

    assert gone_ns[0] - closed_ns < 100_000_000


async def test_a_listing_call_can_be_cancelled() -> None:
    gone_ns: list[int] = []
    async with served(ps=noticing(nothing, gone_ns)) as (server, backend):
        task = asyncio.create_task(backend.resident())
        await wait_until(lambda: server.asked("/api/ps"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until(lambda: gone_ns)


async def test_after_a_cancelled_answer_the_next_one_is_whole() -> None:
    async with served(chat=noticing(hang_after_one_line, [])) as (server, backend):
        items = backend.stream(request())
        await anext(items)
        await items.aclose()
        server.routes["/api/chat"] = stream(said("y"), done())
        sent, chunk, final = await answer(backend)

    assert isinstance(sent, RequestSent)
    assert isinstance(chunk, Chunk)
    assert isinstance(final, Final)
