from __future__ import annotations

import asyncio
import json
import socket
import time

import httpx
import pytest

from llmtui.simulator import ScriptedAnswer, SimulatedServer
from llmtui.simulator.server import SKEW_VARIABLE
from tests.simulator.asking import chat, lines_of, quick, quick_script, served, wait_until


def raw_request(body: dict[str, object], version: str = "1.1", connection: str = "") -> bytes:
    content = json.dumps(body).encode()
    head = f"POST /api/chat HTTP/{version}\r\nHost: localhost\r\n{connection}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def spoken_to(url: str, data: bytes) -> bytes:
    """All that a server sends for some bytes until it closes."""
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return answer


async def test_each_line_is_one_chunk_and_headers_come_with_the_first() -> None:
    async with served(quick_script()) as (server, _):
        answer = await spoken_to(server.url, raw_request(chat(), connection="Connection: close\r\n"))
        (record,) = server.log
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b"Content-Type: application/x-ndjson" in head
    assert b"Transfer-Encoding: chunked" in head
    count = 0
    while not rest.startswith(b"0\r\n"):
        size, _, rest = rest.partition(b"\r\n")
        line, rest = rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        json.loads(line)
        count += 1
    assert rest == b"0\r\n\r\n"
    assert count == len(record.chunks)
    assert record.headers_ns == record.chunks[0].sent_ns


async def test_an_old_client_gets_a_plain_body_that_ends_with_the_connection() -> None:
    async with served(quick_script()) as (server, _):
        answer = await spoken_to(server.url, raw_request(chat(), version="1.0"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert json.loads(body.split(b"\n")[-2])["done"] is True


async def test_a_connection_is_used_again() -> None:
    async with served(quick_script()) as (server, client):
        for _ in range(3):
            await lines_of(client, "/api/chat", chat())
        assert {record.connection for record in server.log} == {1}


async def test_requests_sent_together_are_answered_in_order() -> None:
    async with served(quick_script()) as (server, _):
        last = b"GET /api/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await spoken_to(server.url, raw_request(chat()) + last)
    assert answer.index(b'"done":true') < answer.index(b'"version"')


async def test_what_is_not_http_is_refused_and_the_connection_closed() -> None:
    async with served(quick_script()) as (server, _):
        assert (await spoken_to(server.url, b"hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_a_client_that_half_closes_is_taken_for_gone() -> None:
    async with served(quick_script(quick(answers=(ScriptedAnswer(silent=True),)))) as (server, _):
        port = int(server.url.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw_request(chat()))
        await wait_until(lambda: len(server.log) == 1 and server.log[0].truth is not None)
        writer.write_eof()
        await wait_until(lambda: server.log[0].disconnected_ns is not None)
        writer.close()


async def test_what_a_slow_reader_has_not_taken_is_not_logged_as_sent() -> None:
    big = ScriptedAnswer(token_texts=("x" * 200_000,) * 200)
    async with served(quick_script(quick(decode_tps=100_000.0, answers=(big,)))) as (server, _):
        port = int(server.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**16)
        writer.write(raw_request(chat(), connection="Connection: close\r\n"))
        await wait_until(lambda: bool(server.log) and len(server.log[0].chunks) > 3)
        await asyncio.sleep(0.3)
        stuck_at, read_at_ns = len(server.log[0].chunks), time.perf_counter_ns()
        await asyncio.wait_for(reader.read(), 30)
        (record,) = server.log
        writer.close()
    assert stuck_at < 200
    assert record.chunks[stuck_at].sent_ns >= read_at_ns
    assert record.output_tokens == 201


async def test_times_in_the_log_are_in_order_and_on_the_clock_of_this_machine() -> None:
    async with served(quick_script()) as (server, client):
        before_ns, wall_before_ns = time.perf_counter_ns(), time.time_ns()
        lines = await lines_of(client, "/api/chat", chat())
        after_ns, wall_after_ns = time.perf_counter_ns(), time.time_ns()
        (record,) = server.log
    moments = [before_ns, record.received_ns]
    for chunk in record.chunks:
        moments += [chunk.handed_ns, chunk.sent_ns]
    assert moments == sorted(moments)
    assert moments[-1] <= after_ns
    assert all(wall_before_ns <= chunk.created_ns <= wall_after_ns for chunk in record.chunks)
    assert record.body["messages"][0]["role"] == "user"
    assert len(lines) == len(record.chunks)


def test_a_server_can_run_in_a_thread() -> None:
    with SimulatedServer(quick_script()) as server:
        response = httpx.post(f"{server.url}/api/chat", json=chat(), trust_env=False)
        assert response.status_code == 200
        assert server.log[0].decode_tps is not None
        url = server.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_a_server_that_is_not_running_says_so() -> None:
    with pytest.raises(RuntimeError, match="with statement"):
        _ = SimulatedServer(quick_script()).url


def test_a_taken_port_is_an_os_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"), SimulatedServer(quick_script(), port=taken.getsockname()[1]):
            raise AssertionError("it started")


async def test_a_server_that_stops_drops_its_clients() -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        async with SimulatedServer(quick_script(quick(answers=(ScriptedAnswer(silent=True),)))) as server:
            request = asyncio.create_task(client.post(f"{server.url}/api/chat", json=chat()))
            await wait_until(lambda: bool(server.log) and server.log[0].truth is not None)
        with pytest.raises(httpx.TransportError):
            await asyncio.wait_for(request, 60)


async def test_the_skew_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SKEW_VARIABLE, "60000")
    async with served(quick_script()) as (server, client):
        await lines_of(client, "/api/chat", chat())
        (record,) = server.log
    assert record.ttft_ns is not None
    assert record.ttft_ns > 60e9
    assert record.received_ns < time.perf_counter_ns()


async def test_a_skew_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SKEW_VARIABLE, "much")
    with pytest.raises(ValueError, match=SKEW_VARIABLE):
        async with SimulatedServer(quick_script()):
            raise AssertionError("it started")
