"""The habits again over real connections, against the server's own log: median of five trials."""

from __future__ import annotations

import asyncio
from statistics import median
from typing import Any

import pytest

from llmtui.backends.base import Chunk, Final, RequestSent
from llmtui.backends.ollama import OllamaBackend
from llmtui.backends.openai import OpenAiBackend
from tests.backends import ollama_served, openai_served
from tests.backends.openai_served import CHAT, MODELS, PLAIN
from tests.backends.scripted_server import Peer, Received, Reply, scripted_server, whole
from tests.wild.ollama_habits import HABITS as OLLAMA
from tests.wild.openai_habits import FIRST_MS, HABITS, Habit

MS = 1_000_000
TRIALS = 5
TIMES_WITHIN_MS = 5.0
SPEED_WITHIN = 0.03
PROTOCOLS: dict[str, dict[str, Habit]] = {"openai": HABITS, "ollama": OLLAMA}
MEASURED = [
    (protocol, name)
    for protocol, habits in PROTOCOLS.items()
    for name, habit in habits.items()
    if habit.tps is not None and habit.ttft_ms == FIRST_MS and not habit.how
]


def replayed(habit: Habit, log: list[dict[float, int]]) -> Reply:
    """Send the habit's bytes in real time, and log when each of them left."""

    async def reply(received: Received, peer: Peer) -> None:
        extra = "".join(f"{name}: {value}\r\n" for name, value in habit.headers.items() if name == "content-encoding")
        await peer.head(content_type=habit.headers.get("content-type", "text/event-stream"), extra=extra)
        loop = asyncio.get_running_loop()
        left: dict[float, int] = {}
        start = loop.time()
        for at_ms, data in habit.sends:
            await asyncio.sleep(start + at_ms / 1000 - loop.time())
            if data:
                left.setdefault(at_ms, await peer.chunk(data))
        log.append(left)
        await peer.end()

    return reply


async def trial(protocol: str, habit: Habit) -> tuple[float, float, float]:
    """TTFT and TTFO beside the log's, in ms, and the speed as a multiple of the log's."""
    log: list[dict[float, int]] = []
    routes: dict[str, Any] = {MODELS: whole({"data": [PLAIN]}), CHAT: replayed(habit, log)}
    async with scripted_server(routes | {"/api/chat": replayed(habit, log)}) as server:
        items: list[RequestSent | Chunk | Final]
        if protocol == "openai":
            backend = OpenAiBackend(server.address)
            items = await openai_served.ask(backend)
            await backend.aclose()
        else:
            ollama = OllamaBackend(server.address)
            items = await ollama_served.answer(ollama)
            await ollama.aclose()
    (left,) = log
    sent = next(item for item in items if isinstance(item, RequestSent))
    texts = [item for item in items if isinstance(item, Chunk)]
    end = next(item for item in items if isinstance(item, Final))
    assert habit.ttft_ms is not None
    assert habit.tokens is not None
    first = left[habit.ttft_ms] - sent.t_ns
    answered = left[habit.ttfo_ms or habit.ttft_ms] - sent.t_ns
    answer = next(item for item in texts if item.t_ns >= left[habit.ttfo_ms or habit.ttft_ms])
    last = left[max(left)]
    ours = (habit.tokens - 1) / (end.t_ns - texts[0].t_ns)
    logged = (habit.tokens - 1) / (last - left[habit.ttft_ms])
    return (texts[0].t_ns - sent.t_ns - first) / MS, (answer.t_ns - sent.t_ns - answered) / MS, ours / logged


@pytest.mark.timed
@pytest.mark.parametrize(("protocol", "name"), MEASURED)
async def test_times_and_speed_agree_with_the_servers_log(protocol: str, name: str) -> None:
    found = await asyncio.gather(*(trial(protocol, PROTOCOLS[protocol][name]) for _ in range(TRIALS)))
    assert abs(median(ttft for ttft, _, _ in found)) <= TIMES_WITHIN_MS
    assert abs(median(ttfo for _, ttfo, _ in found)) <= TIMES_WITHIN_MS
    assert median(speed for _, _, speed in found) == pytest.approx(1, rel=SPEED_WITHIN)
