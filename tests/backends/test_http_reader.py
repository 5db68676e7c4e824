"""A reader thread and its time stamps."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from llmtui.backends import http_reader
from llmtui.backends.http_reader import WAKE_PERIOD_S, SocketReader, StampedBytes, ask_for_stamps, moment_ns

STAMPING = 37
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A connection over loopback: the side that writes, and the one that is read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        reads = socket.create_connection(server.getsockname())
        writes, _ = server.accept()
    writes.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with writes, reads:
        yield writes, reads


def stamp(wall_ns: int) -> list[tuple[int, int, bytes]]:
    """What the system hands over with bytes that came at this moment."""
    times = struct.pack("@llllll", *divmod(wall_ns, 1_000_000_000), 0, 0, 0, 0)
    return [(socket.SOL_SOCKET, STAMPING, times)]


@pytest.mark.timed
def test_a_systems_stamp_counts() -> None:
    before_ns = time.perf_counter_ns()
    assert moment_ns(stamp(time.time_ns() - 50_000_000)) == pytest.approx(before_ns - 50_000_000, abs=2_000_000)


@pytest.mark.parametrize(
    "ancillary",
    [[], [(socket.SOL_SOCKET, 1, b"x" * 48)], [(socket.SOL_SOCKET, STAMPING, b"short")]],
    ids=["none", "of another kind", "cut"],
)
def test_without_a_stamp_it_is_now(ancillary: list[tuple[int, int, bytes]]) -> None:
    before_ns = time.perf_counter_ns()
    assert before_ns <= moment_ns(ancillary) <= time.perf_counter_ns()


@pytest.mark.parametrize("age_s", [-0.5, 3600.0], ids=["in the future", "an hour ago"])
def test_a_stamp_that_cannot_be_is_not_believed(age_s: float) -> None:
    """The clock was set between arrival and read."""
    before_ns = time.perf_counter_ns()
    assert before_ns <= moment_ns(stamp(time.time_ns() - round(age_s * 1e9))) <= time.perf_counter_ns()


def test_clocks_that_were_not_read_together_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_reader, "_READ_TOGETHER_NS", -1)
    before_ns = time.perf_counter_ns()
    assert moment_ns(stamp(time.time_ns() - 50_000_000)) >= before_ns


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what comes")
@pytest.mark.timed
def test_bytes_carry_the_moment_at_which_they_came_and_not_that_of_the_reading(pair: Pair) -> None:
    writes, reads = pair
    ask_for_stamps(reads)
    writes.sendall(b"the first may come before the system is ready to stamp")
    reads.recvmsg(100, 256)
    time.sleep(0.05)
    sent_ns = time.perf_counter_ns()
    writes.sendall(b"late")
    time.sleep(0.2)
    data, ancillary, _flags, _address = reads.recvmsg(100, 256)
    assert data == b"late"
    assert sent_ns <= moment_ns(ancillary) < sent_ns + 100_000_000


async def test_pieces_come_in_order_and_no_bytes_are_the_end(pair: Pair) -> None:
    writes, reads = pair
    with closing(SocketReader(reads)) as reader:
        came: list[StampedBytes] = []
        for data in (b"a", b"b"):
            writes.sendall(data)
            came.append(await reader.next())
        writes.close()
        came.append(await reader.next())
    assert [chunk.data for chunk in came] == [b"a", b"b", b""]
    assert [chunk.t_ns for chunk in came] == sorted(chunk.t_ns for chunk in came)


@pytest.mark.timed
async def test_while_pieces_keep_coming_the_loop_is_woken_a_few_times_only(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, reads = pair
    woken: list[float] = []
    wake = SocketReader._wake

    def counted(self: SocketReader) -> None:
        woken.append(time.monotonic())
        wake(self)

    monkeypatch.setattr(SocketReader, "_wake", counted)
    with closing(SocketReader(reads)) as reader:
        began = time.monotonic()
        taken = 0

        async def take() -> None:
            nonlocal taken
            while (await reader.next()).data:
                taken += 1

        task = asyncio.create_task(take())
        for _ in range(100):
            writes.sendall(b"x")
            await asyncio.sleep(0.003)
        writes.close()
        await asyncio.wait_for(task, 60)
        lasted = time.monotonic() - began
    assert taken > 50
    assert len(woken) <= lasted / WAKE_PERIOD_S + 3


@pytest.mark.timed
async def test_a_piece_after_a_pause_is_told_at_once(pair: Pair) -> None:
    writes, reads = pair
    with closing(SocketReader(reads)) as reader:
        for _ in range(3):
            await asyncio.sleep(2 * WAKE_PERIOD_S)
            writes.sendall(b"x")
            began = time.monotonic()
            assert (await reader.next()).data == b"x"
            assert time.monotonic() - began < 1


async def test_the_last_piece_and_what_follows_it_are_told_at_once(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_reader, "WAKE_PERIOD_S", 60.0)
    writes, reads = pair
    with closing(SocketReader(reads, last=b"done")) as reader:
        writes.sendall(b"text")
        assert (await reader.next()).data == b"text"
        async with asyncio.timeout(60):
            for data in (b"all is done", b"end of it"):
                writes.sendall(data)
                assert (await reader.next()).data == data


async def test_a_broken_connection_is_an_error(pair: Pair) -> None:
    writes, reads = pair
    with closing(SocketReader(reads)) as reader:
        writes.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writes.close()
        with pytest.raises(ConnectionResetError):
            await reader.next()
