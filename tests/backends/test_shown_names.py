"""A model whose name has control characters is shown without them and requested by its own name."""

from __future__ import annotations

import msgspec

from tests.backends import ollama_served, openai_served
from tests.backends.openai_served import CHAT, DONE, PLAIN, answers, said
from tests.backends.scripted_server import done, stream, whole
from tests.backends.scripted_server import said as line

RAW = "a\x07\x1b[31mb:1b"
SHOWN = "a␇␛[31mb:1b"


async def test_of_the_openai_protocol() -> None:
    chat = answers(said(content="a"), said("stop"), DONE)
    async with openai_served.served(chat, PLAIN | {"id": RAW}) as (server, backend):
        await backend.models()
        await openai_served.ask(backend, openai_served.request(model=SHOWN))
    assert server.asked(CHAT)[0].body["model"] == RAW


async def test_of_ollamas_protocol() -> None:
    tags = whole({"models": [{"name": RAW, "model": RAW, "digest": "aa", "capabilities": ["completion"]}]})
    async with ollama_served.served(tags=tags, ps=whole({"models": []}), chat=stream(line("x"), done())) as (
        server,
        backend,
    ):
        await backend.models()
        await ollama_served.answer(backend, msgspec.structs.replace(ollama_served.TINY, name=SHOWN))
    assert server.asked("/api/chat")[0].body["model"] == RAW
