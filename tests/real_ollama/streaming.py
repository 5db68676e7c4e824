"""Asking the backend itself, without an engine."""

from __future__ import annotations

from contextlib import aclosing

from llmtui.backends.base import ChatRequest, Chunk, Final, Message, RequestSent
from llmtui.backends.ollama import OllamaBackend
from llmtui.core.plan import Model
from tests.real_ollama.asking import NUM_CTX
from tests.real_ollama.contract import a_prompt


def question(model: Model, text: str | None = None, num_predict: int = 16) -> ChatRequest:
    """Return a request as the engine makes one."""
    return ChatRequest(
        model=model,
        messages=(Message("user", text or a_prompt()),),
        num_ctx=NUM_CTX,
        num_predict=num_predict,
        temperature=1.0,  # at 0 a model of noise may say one word until the server breaks the answer off
        seed=42,
        think=False,
        num_thread=1,
        keep_alive_s=600,
    )


async def answer(backend: OllamaBackend, request: ChatRequest) -> list[RequestSent | Chunk | Final]:
    """All that the server says to it."""
    async with aclosing(backend.stream(request)) as said:
        return [item async for item in said]
