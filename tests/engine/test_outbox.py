from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from llmtui.core.events import Gap, decode_event
from llmtui.engine.outbox import LIVE_LIMIT_BYTES, Outbox
from tests.engine.waiting import wait_until


class Pipe:
    """A pipe whose reader reads on demand."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()
        os.set_blocking(self.read_fd, False)
        self.data = b""

    def read(self) -> bytes:
        while True:
            try:
                data = os.read(self.read_fd, 1 << 20)
            except BlockingIOError:
                data = b""
            if not data:
                return self.data
            self.data += data

    def lines(self) -> list[bytes]:
        return self.read().splitlines(keepends=True)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.read()
    os.close(made.read_fd)


def fact(number: int, size: int = 20) -> bytes:
    return f"fact {number} ".encode().ljust(size, b".") + b"\n"


CHUNK = b"c" * 1000 + b"\n"


def test_lines_come_out_in_order(pipe: Pipe) -> None:
    outbox = Outbox(pipe.write_fd)
    sent = [fact(1), CHUNK, fact(2), b"sample\n", fact(3)]
    for line, stream in zip(sent, ("facts", "chunks", "facts", "samples", "facts"), strict=True):
        outbox.put(line, stream)  # type: ignore[arg-type]
    assert outbox.flush(10)
    assert pipe.lines() == sent


def test_a_stopped_reader_costs_live_text_but_no_fact_and_is_told_once(pipe: Pipe) -> None:
    outbox = Outbox(pipe.write_fd)
    facts = [fact(number, 500) for number in range(300)]
    for line in facts:
        outbox.put(line)
        outbox.put(CHUNK, "chunks")
        outbox.put(b"sample\n", "samples")
    # Here: so nothing waited for the reader.
    assert outbox.waiting_live_bytes <= LIVE_LIMIT_BYTES
    assert not outbox.flush(0.05), "the pipe is full"
    wait_until(lambda: len(pipe.lines()) > 0 and outbox.flush(0.01))
    lines = pipe.lines()
    assert [line for line in lines if line.startswith(b"fact")] == facts
    gaps = [decode_event(line) for line in lines if line.startswith(b"{")]
    chunks, samples = lines.count(CHUNK), lines.count(b"sample\n")
    assert gaps == [Gap(chunks=300 - chunks, samples=300 - samples)]
    assert chunks < 300


def test_live_text_flows_again_after_the_gap(pipe: Pipe) -> None:
    outbox = Outbox(pipe.write_fd)
    while outbox.waiting_live_bytes + len(CHUNK) <= LIVE_LIMIT_BYTES:
        outbox.put(CHUNK, "chunks")
    outbox.put(CHUNK, "chunks")
    wait_until(lambda: b'"Gap"' in pipe.read())
    outbox.put(b"again\n", "chunks")
    assert outbox.flush(10)
    assert pipe.lines()[-1] == b"again\n"


def test_a_reader_that_is_gone_is_not_remembered(pipe: Pipe) -> None:
    outbox = Outbox(pipe.write_fd)
    own, pipe.read_fd = pipe.read_fd, os.open(os.devnull, os.O_RDONLY)
    os.close(own)
    outbox.put(fact(1))
    wait_until(lambda: outbox.broken)
    outbox.put(fact(2))
    assert outbox.flush(0)


def test_a_descriptor_that_does_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.write_fd, False)
    outbox = Outbox(pipe.write_fd)
    facts = [fact(number, 4000) for number in range(100)]
    for line in facts:
        outbox.put(line)
    wait_until(lambda: pipe.lines() == facts)


def test_a_write_of_a_part_is_followed_by_the_rest(pipe: Pipe) -> None:
    outbox = Outbox(pipe.write_fd, write=lambda fd, data: os.write(fd, data[:7]))
    outbox.put(fact(1, 100))
    assert outbox.flush(10)
    assert pipe.lines() == [fact(1, 100)]
