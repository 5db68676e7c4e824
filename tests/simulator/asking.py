"""How these tests talk to a simulated server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from llmtui.simulator import Script, ScriptedAnswer, SimulatedModel, SimulatedServer

QUESTION = "Why does the tide come in twice a day?"


def quick(name: str = "m", **fields: Any) -> SimulatedModel:
    """Return a model that takes no time."""
    defaults: dict[str, Any] = {
        "load_s": 0.0,
        "decode_tps": 2000.0,
        "prefill_tps": 1e6,
        "answers": (ScriptedAnswer(tokens=8),),
    }
    return SimulatedModel(name=name, **{**defaults, **fields})


def quick_script(*models: SimulatedModel, **fields: Any) -> Script:
    """A server that costs a test no time."""
    defaults: dict[str, Any] = {"dispatch_s": 0.0, "tokenize_s": 0.0, "unload_s": 0.02}
    return Script(models=models or (quick(),), **{**defaults, **fields})


def chat(model: str = "m", content: str = QUESTION, **body: Any) -> dict[str, Any]:
    """A body for /api/chat."""
    return {"model": model, "messages": [{"role": "user", "content": content}], **body}


@asynccontextmanager
async def served(script: Script) -> AsyncIterator[tuple[SimulatedServer, httpx.AsyncClient]]:
    """A server in this loop and a client for it."""
    async with (
        SimulatedServer(script) as server,
        httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=20) as client,
    ):
        yield server, client


async def lines_of(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """All lines of a streamed answer with status 200."""
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    # Not splitlines: it splits at U+0085 as well.
    return [json.loads(line) for line in response.text.split("\n") if line]


async def error_of(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> tuple[int, str]:
    """Return status and message of a refused request."""
    response = await client.post(path, json=body)
    return response.status_code, response.json()["error"]


def text_of(lines: list[dict[str, Any]], key: str = "content") -> str:
    """The text of a chat's lines."""
    return "".join(line["message"].get(key, "") for line in lines)


async def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Let the loop run until something holds."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.005)


async def state_when(client: httpx.AsyncClient, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Return the control path's answer once a condition holds for it."""
    for _ in range(1000):
        state: dict[str, Any] = (await client.get("/_sim/state")).json()
        if condition(state):
            return state
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")
