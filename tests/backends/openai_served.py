"""What the tests of the OpenAI backend share: a scripted server with a backend that talks to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from llmtui.backends.base import BackendFailed, ChatRequest, Chunk, Final, Message, RequestSent
from llmtui.backends.openai import OpenAiBackend
from llmtui.config.access import Access
from llmtui.core.plan import Model, Think
from llmtui.core.records import Problem
from tests.backends.scripted_server import Peer, Received, Reply, ScriptedServer, scripted_server, whole

CHAT = "/v1/chat/completions"
MODELS = "/v1/models"
LLAMACPP = {
    "id": "gemma-3-1b",
    "owned_by": "llamacpp",
    "meta": {"n_ctx": 4096, "n_ctx_train": 32768, "n_params": 999_885_952, "size": 806_058_240, "ftype": "Q4_K_M"},
}
VLLM = {"id": "qwen3", "owned_by": "vllm", "max_model_len": 8192}
PLAIN = {"id": "some-model", "owned_by": "organization_owner"}


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n"


def said(finish: str | None = None, *, extra: dict[str, Any] | None = None, **delta: Any) -> bytes:
    return event(choices=[{"index": 0, "delta": delta, "finish_reason": finish}], **(extra or {}))


DONE = b"data: [DONE]\n\n"
ROLE = said(role="assistant", content=None)


def answers(*chunks: bytes, end: bool = True, pause_s: float = 0.0) -> Reply:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.head(content_type="text/event-stream; charset=utf-8")
        for chunk in chunks:
            await peer.chunk(chunk)
            await asyncio.sleep(pause_s)
        await (peer.end() if end else peer.cut())

    return reply


def request(think: Think = False, *, reuse_prefix: bool = False, model: str = "gemma-3-1b") -> ChatRequest:
    return ChatRequest(
        model=Model(name=model, digest="d", backend="openai"),
        messages=(Message("system", "Be brief."), Message("user", "[4817] Hello")),
        num_ctx=4096,
        num_predict=128,
        temperature=0.0,
        seed=42,
        think=think,
        num_thread=None,
        keep_alive_s=600,
        reuse_prefix=reuse_prefix,
    )


@asynccontextmanager
async def served(
    chat: Reply | None = None, entry: dict[str, Any] = LLAMACPP, **routes: Reply
) -> AsyncIterator[tuple[ScriptedServer, OpenAiBackend]]:
    """A server with one model, and a backend for it; ``props`` and ``version`` are routes by name."""
    named = {f"/{name}": reply for name, reply in routes.items()}
    chat_route = {} if chat is None else {CHAT: chat}
    async with scripted_server({MODELS: whole({"object": "list", "data": [entry]}), **chat_route, **named}) as server:
        backend = OpenAiBackend(server.address, access=Access(header="Bearer secret-key", source="LLMTUI_API_KEY"))
        try:
            yield server, backend
        finally:
            await backend.aclose()


async def ask(backend: OpenAiBackend, what: ChatRequest | None = None) -> list[RequestSent | Chunk | Final]:
    async with aclosing(backend.stream(what or request())) as items:
        return [item async for item in items]


async def answer_of(*chunks: bytes, end: bool = True) -> list[RequestSent | Chunk | Final]:
    async with served(answers(*chunks, end=end)) as (_, backend):
        return await ask(backend)


async def problem_of(chat: Reply, entry: dict[str, Any] = LLAMACPP) -> Problem:
    async with served(chat, entry) as (_, backend):
        with pytest.raises(BackendFailed) as caught:
            await ask(backend)
    return caught.value.problem


def texts(items: list[RequestSent | Chunk | Final]) -> list[tuple[str, str]]:
    return [(item.channel, item.text) for item in items if isinstance(item, Chunk)]


def final(items: list[RequestSent | Chunk | Final]) -> Final:
    (last,) = [item for item in items if isinstance(item, Final)]
    return last
