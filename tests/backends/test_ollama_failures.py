"""What goes wrong with a server, in words."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from llmtui.backends.base import Chunk, Final, RequestSent
from llmtui.backends.ollama import OllamaBackend
from llmtui.core.records import Problem
from llmtui.words.problems import problem_remedy, problem_what
from tests.backends.ollama_served import RESIDENT, answer, problem_of, request, served
from tests.backends.scripted_server import (
    Peer,
    Received,
    Reply,
    done,
    line,
    never,
    said,
    scripted_server,
    stream,
    whole,
)


async def test_a_line_with_an_error_ends_the_answer_in_words() -> None:
    async with served(chat=stream(said("x"), line(error="llama runner: signal: killed"))) as (_, backend):
        items = backend.stream(request())
        assert isinstance(await anext(items), RequestSent)
        assert isinstance(await anext(items), Chunk)
        problem = await problem_of(anext(items))

    assert problem.code == "server_error"
    assert "signal: killed" in problem_what(problem)


@pytest.mark.parametrize("chunks", [(), (said("x"),), (said("x"), said("y")[:20])])
async def test_a_connection_that_is_lost_in_mid_answer_is_a_cut(chunks: tuple[bytes, ...]) -> None:
    async with served(chat=stream(*chunks, end=False)) as (_, backend):
        problem = await problem_of(answer(backend))

    assert problem.code == "cut"
    assert problem_remedy(problem)


async def test_an_orderly_end_in_the_middle_of_a_line_is_a_cut() -> None:
    async with served(chat=stream(said("x"), said("y")[:20])) as (_, backend):
        problem = await problem_of(answer(backend))

    assert problem.code == "cut_line"


async def test_a_connection_that_is_lost_before_any_answer_is_a_cut() -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.cut()

    async with served(chat=reply) as (_, backend):
        problem = await problem_of(answer(backend))

    assert problem.code == "cut"


async def test_a_connection_that_is_lost_after_the_last_line_harms_nothing() -> None:
    async with served(chat=stream(said("x"), done(), end=False)) as (_, backend):
        *_, final = await answer(backend)

    assert isinstance(final, Final)


async def test_a_server_that_does_not_end_its_answer_is_not_waited_for() -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        await peer.chunk(done())
        await peer.gone()

    async with served(chat=reply) as (_, backend):
        *_, final = await asyncio.wait_for(answer(backend), 60)

    assert isinstance(final, Final)


async def test_a_line_that_never_ends_is_not_listened_to_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.backends.framing.MAX_DOCUMENT_BYTES", 1000)
    async with served(chat=stream(said("x"), *[b"x" * 400] * 5)) as (_, backend):
        problem = await problem_of(answer(backend))

    assert problem.code == "bad_answer"


async def test_an_error_in_a_last_line_without_its_line_feed_is_an_error() -> None:
    async with served(chat=stream(said("x"), line(error="signal: killed").rstrip())) as (_, backend):
        problem = await problem_of(answer(backend))

    assert problem.code == "server_error"


async def test_of_a_long_refusal_only_the_beginning_is_read() -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.head(418)
        with suppress(ConnectionError):
            while True:
                await peer.chunk(b"x" * 10_000)
                await asyncio.sleep(0)

    async with served(chat=reply) as (_, backend):
        problem = await asyncio.wait_for(problem_of(answer(backend)), 60)

    assert problem.code == "bad_status"
    assert len(problem_what(problem)) < 500


async def test_what_a_proxy_says_in_mid_answer_is_shown_without_its_markup() -> None:
    async with served(chat=stream(said("x"), b"<html><b>502</b> Bad Gateway</html>\n")) as (_, backend):
        problem = await problem_of(answer(backend))

    assert problem.code == "bad_answer"
    assert "502 Bad Gateway" in problem_what(problem)


@pytest.mark.parametrize(
    ("reply", "code", "remedy"),
    [
        (whole({"error": "model 'tiny:latest' not found"}, 404), "no_such_model", "ollama pull tiny:latest"),
        (whole({"error": '"tiny" does not support chat'}, 400), "embedding_only", "another model"),
        (whole({"error": '"tiny" does not support thinking'}, 400), "no_thinking", "thinking off"),
        (whole({"error": "server busy, please try again."}, 503), "busy", "later"),
        (whole("", 403), "forbidden_host", "OLLAMA_HOST"),
        (whole({"error": "unauthorized", "signin_url": "x"}, 401), "sign_in_model", "ollama signin"),
        (whole({"error": "llama runner process has terminated: a\nexit 2"}, 500), "load_failed", "log"),
        (whole("<html>Bad Gateway</html>", 502, "text/html"), "proxy", "behind it"),
        (whole("404 page not found", 404, "text/plain"), "not_ollama", "port"),
        (whole("", 307, extra="Location: https://box/api/chat\r\n"), "redirect", "that address"),
        (whole("I'm a teapot", 418, "text/plain"), "bad_status", "address"),
    ],
)
async def test_refusals_say_what_and_what_to_do(reply: Reply, code: str, remedy: str) -> None:
    async with served(chat=reply) as (_, backend):
        problem = await problem_of(answer(backend))

    assert problem.code == code
    assert remedy in problem_remedy(problem)


async def test_nothing_listens() -> None:
    async with scripted_server() as server:
        address = server.address
    backend = OllamaBackend(address)

    for call in (answer(backend), backend.info(), backend.models(), backend.resident(), backend.unload(RESIDENT)):
        problem = await problem_of(call)
        assert problem == Problem(code="refused", args={"where": address, "start": "ollama"})
        assert problem_remedy(problem) == "Start it with `ollama serve`, or use another address."


async def test_a_busy_server_that_does_not_tell_its_version_in_time_is_asked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("llmtui.backends.http_direct.FIRST_LIMIT_S", 0.1)
    async with served(version=never, chat=stream(said("x"), done())) as (_, backend):
        *_, final = await answer(backend)

    assert isinstance(final, Final)


async def test_a_silent_server_is_called_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.backends.ollama.ANSWER_LIMIT_S", 0.1)
    async with served(version=never) as (_, backend):
        problem = await problem_of(backend.info())

    assert problem.code == "silent"


async def test_something_that_speaks_no_http() -> None:
    async def reply(received: Received, peer: Peer) -> None:
        await peer.send(b"220 mail.example ESMTP\r\n\r\n")
        await peer.cut()

    async with served(version=reply) as (_, backend):
        problem = await problem_of(backend.info())

    assert problem.code == "not_http"
