"""The server's version, its models, and those in memory."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from llmtui.backends.base import RunnerClue, ServerEndpoint
from llmtui.backends.http_client import place_of
from llmtui.backends.ollama import OllamaBackend
from llmtui.core.plan import Model
from llmtui.words.problems import problem_remedy, problem_what
from tests.backends.ollama_served import RESIDENT, TINY, answer, problem_of, served
from tests.backends.scripted_server import (
    Peer,
    Received,
    Reply,
    never,
    whole,
)

# --- the server ---------------------------------------------------------------------------------------------------


async def test_info() -> None:
    async with served() as (server, backend):
        info = await backend.info()

    assert (info.kind, info.version, info.local, info.address) == ("ollama", "0.34.4", True, f"http://{server.address}")


@pytest.mark.parametrize(
    "reply",
    [
        whole({"object": "list"}),
        whole([]),
        whole({"version": 3}),
        whole("no", 404),
        whole(""),
    ],
)
async def test_something_else_answers_at_the_address(reply: Reply) -> None:
    async with served(version=reply) as (_, backend):
        problem = await problem_of(backend.info())

    assert problem.code == "not_ollama"


async def test_proxy_settings_do_not_touch_a_server_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    async with served() as (_, backend):
        assert (await backend.info()).version == "0.34.4"


async def test_no_exception_of_the_http_library_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served() as (_, backend):
        for failure in (
            httpx.DecodingError("x"),
            httpx.TooManyRedirects("x"),
            httpx.PoolTimeout("x"),
            httpx.WriteError("x"),
        ):

            async def fail(*_: Any, failure: Exception = failure, **__: Any) -> None:
                raise failure

            monkeypatch.setattr(backend._client, "send", fail)
            assert problem_what(await problem_of(backend.info()))
            assert problem_what(await problem_of(answer(backend)))


# --- models -------------------------------------------------------------------------------------------------------

DETAILS = {"format": "gguf", "family": "llama", "parameter_size": "2M", "quantization_level": "Q8_0"}
ENTRY = {"name": "tiny:latest", "digest": "aa", "size": 5, "details": DETAILS}
NEW_ENTRY = ENTRY | {"details": DETAILS | {"context_length": 512}, "capabilities": ["completion"]}
PS = {"name": "tiny:latest", "digest": "aa", "size": 9, "size_vram": 0, "context_length": 512}
SHOWN = {
    "modelfile": "FROM /m/blobs/sha256-" + "ab" * 32 + "\n",
    "template": "{{ .Prompt }}",
    "parameters": "stop x",
    "license": "MIT",
    "model_info": {"general.architecture": "llama", "llama.context_length": 512},
    "capabilities": ["completion"],
}


async def test_a_new_servers_models_take_two_questions() -> None:
    async with served(tags=whole({"models": [NEW_ENTRY]}), ps=whole({"models": [PS]})) as (server, backend):
        (listed,) = await backend.models()

    assert (listed.model.name, listed.model.context_limit, listed.why_not) == ("tiny:latest", 512, None)
    assert listed.resident is not None
    assert listed.resident.context_length == 512
    assert sorted(got.path for got in server.received) == ["/api/ps", "/api/tags"]


async def test_an_old_servers_models_are_completed_once() -> None:
    async with served(tags=whole({"models": [ENTRY]}), ps=whole({"models": []}), show=whole(SHOWN)) as (
        server,
        backend,
    ):
        first = await backend.models()
        second = await backend.models()

    assert first == second
    assert (first[0].model.context_limit, first[0].model.thinking) == (512, False)
    assert len(server.asked("/api/show")) == 1


async def test_models_that_show_does_not_tell_of_are_listed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.backends.ollama._SHOWS_LIMIT_S", 0.2)
    entries = [ENTRY, ENTRY | {"name": "slow:latest", "digest": "bb"}, ENTRY | {"name": "bad:latest", "digest": "cc"}]

    async def show(received: Received, peer: Peer) -> None:
        replies = {"tiny:latest": whole(SHOWN), "slow:latest": never, "bad:latest": whole({"error": "broken"}, 500)}
        await replies[received.body["model"]](received, peer)

    async with served(tags=whole({"models": entries}), ps=whole({"models": []}), show=show) as (_, backend):
        listed = await backend.models()

    assert [entry.model.thinking for entry in listed] == [False, None, None]


async def test_the_list_is_of_use_without_the_memory() -> None:
    async with served(tags=whole({"models": [NEW_ENTRY]}), ps=whole("", 500)) as (_, backend):
        (listed,) = await backend.models()

    assert listed.resident is None


@pytest.mark.parametrize("name", ["tiny", "tiny:latest"])
async def test_show(name: str) -> None:
    async with served(tags=whole({"models": [NEW_ENTRY]}), show=whole(SHOWN)) as (_, backend):
        shown = await backend.show(name)

    assert (shown.model.name, shown.model.digest) == ("tiny:latest", "aa")
    assert (shown.template, shown.parameters, shown.license) == ("{{ .Prompt }}", "stop x", "MIT")


async def test_a_page_is_called_one_and_json_is_none_whatever_its_header_says() -> None:
    async with served(version=whole("<html><title>Portal</title></html>")) as (_, backend):
        problem = await problem_of(backend.info())
    assert (problem.code, problem.detail) == ("web_page", "Portal")
    async with served(version=whole({"version": "0.34.4"}, content_type="text/html")) as (_, backend):
        assert (await backend.info()).version == "0.34.4"


@pytest.mark.parametrize("body", ["?", {"data": []}, 5, ""])
async def test_listings_that_are_none(body: object) -> None:
    reply = whole(body)
    async with served(tags=reply, ps=reply, show=whole("?")) as (_, backend):
        for call in (backend.models(), backend.runner_clue(TINY)):
            assert (await problem_of(call)).code == "not_ollama"


async def test_a_redirect_names_the_other_address() -> None:
    moved = whole("", 308, extra="Location: https://box/api/tags\r\n")
    async with served(tags=moved, ps=moved) as (_, backend):
        problem = await problem_of(backend.models())

    assert (problem.code, problem_what(problem).endswith("redirects to https://box.")) == ("redirect", True)


@pytest.mark.parametrize("reply", [whole("404 page not found", 404), whole({"detail": "x"}, 405), whole("<html>")])
async def test_a_program_without_a_list_of_what_is_in_memory_does_not_tell(reply: Reply) -> None:
    async with served(tags=whole({"models": [NEW_ENTRY]}), ps=reply) as (server, backend):
        assert await backend.resident() is None
        assert [listed.resident for listed in await backend.models()] == [None]
        assert len(server.asked("/api/ps")) == 1


async def test_show_of_an_unknown_model() -> None:
    refused = whole({"error": "model 'x' not found"}, 404)
    async with served(tags=whole({"models": []}), show=refused) as (_, backend):
        problem = await problem_of(backend.show("x"))

    assert (problem.code, problem_remedy(problem)) == ("no_such_model", "Get it with `ollama pull x`.")


def place_in(backend: OllamaBackend) -> ServerEndpoint | None:
    return place_of(backend._url)


async def test_the_runner_is_the_servers_child_with_its_weights_file() -> None:
    async with served(show=whole(SHOWN)) as (_, backend):
        clue = await backend.runner_clue(TINY)

        assert clue == RunnerClue(place=place_in(backend), model_argument="sha256-" + "ab" * 32)


async def test_the_weights_file_of_a_build_is_asked_for_once() -> None:
    """The answer holds licence, template and on old servers every tensor: not before each test."""
    async with served(show=whole(SHOWN)) as (server, backend):
        for _ in range(3):
            await backend.runner_clue(TINY)
        assert len(server.asked("/api/show")) == 1
        await backend.runner_clue(msgspec.structs.replace(TINY, digest="made anew"))
        assert len(server.asked("/api/show")) == 2


async def test_mlx_runners_have_the_models_name_in_their_command_line() -> None:
    async with served() as (_, backend):
        clue = await backend.runner_clue(Model(name="gemma3:4b-mlx", digest="d", format="safetensors"))

        assert clue == RunnerClue(place=place_in(backend), model_argument="gemma3:4b-mlx")


async def test_a_model_file_without_a_file_leads_to_no_child_of_the_server() -> None:
    async with served(show=whole({"modelfile": "FROM tiny"})) as (_, backend):
        assert await backend.runner_clue(TINY) == RunnerClue(place=place_in(backend), model_argument="")


async def test_the_processes_of_another_machine_cannot_be_seen() -> None:
    assert await OllamaBackend("http://192.0.2.1:11434").runner_clue(TINY) is None


# --- memory -------------------------------------------------------------------------------------------------------


async def test_unload_asks_by_name_with_a_number() -> None:
    async with served(generate=whole({"done": True, "done_reason": "unload"})) as (server, backend):
        await backend.unload(RESIDENT)

    assert server.asked("/api/generate")[0].body == {"model": "tiny:latest", "keep_alive": 0, "stream": False}


async def test_load_brings_a_model_back_as_it_was() -> None:
    async with served(generate=whole({"done": True, "done_reason": "load"})) as (server, backend):
        await backend.load(RESIDENT)

    body = {"model": "tiny:latest", "options": {"num_ctx": 2048}, "stream": False}
    assert server.asked("/api/generate")[0].body == body


async def test_an_embedding_model_comes_back_by_another_door() -> None:
    refused = whole({"error": '"tiny" does not support generate'}, 400)
    async with served(generate=refused, embed=whole({"embeddings": []})) as (server, backend):
        await backend.load(RESIDENT)

    assert server.asked("/api/embed")[0].body == {"model": "tiny:latest", "options": {"num_ctx": 2048}, "input": ""}


@pytest.mark.parametrize("reply", [whole({"error": "no room"}, 500), whole({"error": "no room"})])
async def test_a_load_that_fails_says_so(reply: Reply) -> None:
    async with served(generate=reply) as (_, backend):
        problem = await problem_of(backend.load(RESIDENT))

    assert "no room" in problem_what(problem)

    assert "no room" in problem_what(problem)


@pytest.mark.parametrize(("listed", "loaded"), [("", "sha256:aa"), ("sha256:aa", ""), ("", ""), ("aa", "aa")])
async def test_a_model_is_found_in_memory_where_the_list_or_the_memory_tells_no_digest(
    listed: str, loaded: str
) -> None:
    tags = whole({"models": [NEW_ENTRY | {"digest": listed}]})
    ps = whole({"models": [{"name": "tiny:latest", "digest": loaded}]})
    async with served(tags=tags, ps=ps) as (_, backend):
        (resident,) = await backend.resident() or ()
        (model,) = await backend.models()
    assert resident.digest == model.model.digest
