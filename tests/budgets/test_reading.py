"""What a token costs on the way from the socket to the journal and the screen's batch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import httpx
import pytest

from llmtui.backends.answer import AnswerReader
from llmtui.backends.base import Chunk
from llmtui.backends.http_moments import BodyReceived, HeadersReceived
from llmtui.backends.ollama_reading import OllamaDialect
from llmtui.backends.openai_reading import OpenAiDialect
from llmtui.core.events import Chunks, Event
from llmtui.core.plan import Model
from llmtui.engine.live_text import ChunkBatcher, CollectedAnswer

TOKENS = 2000
CALLS_PER_TOKEN = 40
"""Of Python functions and of C functions together; 32 when this was written."""
MODEL = Model(name="m:1b", digest="sha256:" + "a" * 64)


def counted(act: Callable[[], None]) -> int:
    """Run an action; return the number of calls."""
    calls = 0

    def count(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
    return calls


OLLAMA = (
    b'{"model":"m:1b","created_at":"2026-11-22T22:41:07.123456789Z","message":{"role":"assistant",%s},"done":false}\n'
)
OPENAI = (
    b'data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{%s},"finish_reason":null}]}\n\n'
)


@pytest.mark.parametrize(("dialect", "line"), [(OllamaDialect(MODEL, "here"), OLLAMA), (OpenAiDialect(), OPENAI)])
async def test_calls_from_bytes_to_batches(dialect: OllamaDialect | OpenAiDialect, line: bytes) -> None:
    lines = [line.replace(b"%s", b'"content":"word %d"' % number) for number in range(TOKENS)]
    told: list[Event] = []
    reader, answer, live = AnswerReader[Any](dialect), CollectedAnswer(), ChunkBatcher("r1-m1-warm-p1", told.append)
    reader.take(HeadersReceived(0, 200, httpx.Headers()))

    def read() -> None:
        for t_ns, data in enumerate(lines):
            for chunk in reader.take(BodyReceived(t_ns, data)):
                assert isinstance(chunk, Chunk)
                live.add(chunk, answer.add(chunk), 0)

    calls = counted(read)
    live.close()
    assert sum(len(event.chunks) for event in told if isinstance(event, Chunks)) == TOKENS
    assert calls / TOKENS <= CALLS_PER_TOKEN


async def test_a_burst_goes_out_in_few_batches() -> None:
    told: list[Event] = []
    live = ChunkBatcher("r1-m1-warm-p1", told.append)
    for number in range(TOKENS):
        live.add(Chunk(t_ns=number, channel="a", text="word "), "word ", 0)
    await asyncio.sleep(0)
    live.close()
    assert len([event for event in told if isinstance(event, Chunks)]) <= 3
