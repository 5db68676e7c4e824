"""What the tests of the Ollama backend share: a scripted server with a backend that talks to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from llmtui.backends.base import BackendFailed, ChatRequest, Chunk, Final, Message, RequestSent
from llmtui.backends.ollama import OllamaBackend
from llmtui.core.plan import Model
from llmtui.core.records import Problem, ResidentModel
from tests.backends.scripted_server import Reply, ScriptedServer, scripted_server

TINY = Model(name="tiny:latest", digest="aa", family="llama", format="gguf", size_bytes=5)
RESIDENT = ResidentModel(name="tiny:latest", digest="aa", context_length=2048)


def request(model: Model = TINY) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=(Message("user", "Why?"),),
        num_ctx=4096,
        num_predict=128,
        temperature=0.0,
        seed=42,
        think=False,
        num_thread=None,
        keep_alive_s=600,
    )


@asynccontextmanager
async def served(**routes: Reply) -> AsyncIterator[tuple[ScriptedServer, OllamaBackend]]:
    """Run a server with routes by their last word (``chat=``) and a backend connected to it."""
    async with scripted_server({f"/api/{name}": reply for name, reply in routes.items()}) as server:
        backend = OllamaBackend(server.address)
        try:
            yield server, backend
        finally:
            await backend.aclose()


async def answer(backend: OllamaBackend, model: Model = TINY) -> list[RequestSent | Chunk | Final]:
    async with aclosing(backend.stream(request(model))) as items:
        return [item async for item in items]


async def problem_of(awaitable: Awaitable[object]) -> Problem:
    with pytest.raises(BackendFailed) as failed:
        await awaitable
    return failed.value.problem


async def wait_until(condition: Callable[[], object], limit_s: float = 60.0) -> None:
    """Check a condition repeatedly until it holds."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - what is waited for is another side's state, not an event
            await asyncio.sleep(0.005)
