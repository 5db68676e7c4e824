"""OpenAI-compatible servers: versions, refusals, failures, addresses."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from llmtui.backends.base import BackendFailed, Chunk, Final, RequestSent, RunnerClue
from llmtui.backends.http_client import place_of
from llmtui.backends.openai import OpenAiBackend, openai_place
from llmtui.core.plan import Model
from llmtui.core.records import ResidentModel
from llmtui.words.problems import problem_remedy, problem_what
from tests.backends.openai_served import (
    DONE,
    LLAMACPP,
    MODELS,
    PLAIN,
    VLLM,
    answers,
    ask,
    event,
    final,
    problem_of,
    request,
    said,
    served,
    texts,
)
from tests.backends.scripted_server import Peer, Received, Reply, never, scripted_server, whole


async def collect(backend: OpenAiBackend, items: list[RequestSent | Chunk | Final]) -> None:
    """Keep the items, also where they end in a failure."""
    async with aclosing(backend.stream(request())) as stream:
        async for item in stream:
            items.append(item)  # noqa: PERF401  # a comprehension would keep nothing


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "body", "code"),
        [
            (401, {"error": {"message": "Invalid API Key", "type": "authentication_error"}}, "key_refused"),
            (404, {"error": {"message": "The model `x` does not exist."}}, "not_known"),
            (429, {"error": {"message": "slow down"}}, "rate_limited"),
            (503, {"error": {"message": "Loading model", "code": 503}}, "loading"),
            (
                400,
                {"error": {"message": "request (6010 tokens) exceeds the available context size"}},
                "prompt_over_context",
            ),
            (400, {"message": "This model's maximum context length is 2048 tokens."}, "prompt_over_context"),
            (400, {"detail": [{"msg": "extra inputs"}]}, "failed_http"),
            (500, "<html>oops</html>", "failed_http"),
            (404, "<html>oops</html>", "web_page"),
            (500, "CUDA out of memory. Tried to allocate 2 GiB", "server_out_of_memory"),
            (500, {"error": {"message": "torch.OutOfMemoryError"}}, "server_out_of_memory"),
            (500, "", "failed_http"),
        ],
    )
    async def test_a_refused_request_is_put_into_words(self, status: int, body: object, code: str) -> None:
        problem = await problem_of(whole(body, status))
        assert problem.code == code
        assert problem_remedy(problem)
        assert "secret-key" not in problem_what(problem)

    async def test_the_servers_own_words_are_kept(self) -> None:
        problem = await problem_of(whole({"error": {"message": "out of\x1b[31m pages"}}, 500))
        assert problem_what(problem) == "The server failed with HTTP 500: out of [31m pages."

    async def test_an_error_within_the_answer_ends_it(self) -> None:
        problem = await problem_of(answers(said(content="a"), event(error={"message": "slot died"}), DONE))
        assert problem.code == "failed_midway"
        assert "in the middle of the answer: slot died" in problem_what(problem)

    async def test_an_error_with_status_200_is_an_error(self) -> None:
        assert problem_what(await problem_of(whole({"error": "no such slot"}))).endswith("no such slot.")

    async def test_an_answer_all_at_once_is_marked_as_such(self) -> None:
        async with served(whole({"choices": [{"message": {"content": "Hello"}}]})) as (_, backend):
            items = await ask(backend)
        assert texts(items) == [("a", "Hello")]
        assert [remark.flag for remark in final(items).remarks] == ["buffered"]

    @pytest.mark.parametrize("junk", [b"data: not json\n\n", b"data: [1]\n\n"])
    async def test_a_line_that_cannot_be_read_is_shown(self, junk: bytes) -> None:
        problem = await problem_of(answers(said(content="a"), junk))
        assert problem.code == "failed_midway"
        assert junk[6:].decode().strip() in problem_what(problem)

    async def test_a_connection_that_breaks_in_mid_answer_is_cut(self) -> None:
        assert (await problem_of(answers(said(content="a"), end=False))).code == "cut"

    async def test_what_came_before_the_break_is_given(self) -> None:
        async with served(answers(said(content="a"), end=False)) as (_, backend):
            items: list[RequestSent | Chunk | Final] = []
            with pytest.raises(BackendFailed):
                await collect(backend, items)
        assert texts(items) == [("a", "a")]

    async def test_a_closed_port_is_refused(self) -> None:
        async with scripted_server() as server:
            address = server.address
        backend = OpenAiBackend(address, dialect="llamacpp")
        with pytest.raises(BackendFailed) as caught:
            await ask(backend)
        assert caught.value.problem.code == "refused"
        await backend.aclose()


class TestTheServer:
    async def test_llamacpp_tells_its_build(self) -> None:
        async with served(props=whole({"build_info": "b10488-fb307609"})) as (server, backend):
            info = await backend.info()
        assert (info.kind, info.address, info.version, info.local) == (
            "openai",
            f"http://{server.address}/v1",
            "b10488-fb307609",
            True,
        )

    async def test_vllm_tells_its_version(self) -> None:
        async with served(entry=VLLM, version=whole({"version": "0.11.0"})) as (_, backend):
            assert (await backend.info()).version == "0.11.0"

    async def test_a_version_that_is_not_told_is_missing(self) -> None:
        async with served(entry=PLAIN) as (_, backend):
            assert (await backend.info()).version is None

    @pytest.mark.parametrize("reply", [whole("text"), whole("no", 404), whole({"models": []})])
    async def test_another_kind_of_server_is_named_as_such(self, reply: Reply) -> None:
        async with scripted_server({MODELS: reply}) as server:
            backend = OpenAiBackend(server.address)
            with pytest.raises(BackendFailed) as caught:
                await backend.info()
            await backend.aclose()
        assert caught.value.problem.code in ("not_openai", "no_such_path")

    async def test_an_empty_list_is_no_failure_since_a_named_model_may_be_there(self) -> None:
        async with scripted_server({MODELS: whole({"data": []})}) as server:
            backend = OpenAiBackend(server.address)
            assert (await backend.info()).kind == "openai"
            assert await backend.models() == ()
            await backend.aclose()

    async def test_a_wrong_key_is_said(self) -> None:
        async with scripted_server({MODELS: whole({"error": {"message": "Invalid API Key"}}, 401)}) as server:
            backend = OpenAiBackend(server.address)
            with pytest.raises(BackendFailed) as caught:
                await backend.models()
            await backend.aclose()
        assert caught.value.problem.code == "needs_key"

    async def test_a_silent_server_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("llmtui.backends.openai.LIST_LIMIT_S", 0.2)
        async with scripted_server({MODELS: never}) as server:
            backend = OpenAiBackend(server.address)
            with pytest.raises(BackendFailed) as caught:
                await backend.info()
            await backend.aclose()
        assert caught.value.problem.code == "silent"

    async def test_a_slow_list_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("llmtui.backends.http_client.ANSWER_LIMIT_S", 0.05)

        async def slow(received: Received, peer: Peer) -> None:
            await asyncio.sleep(0.3)
            await whole({"data": [PLAIN]})(received, peer)

        async with scripted_server({MODELS: slow}) as server:
            backend = OpenAiBackend(server.address)
            assert [one.model.name for one in await backend.models()] == ["some-model"]
            await backend.aclose()

    async def test_lm_studios_own_list_adds_what_it_says(self) -> None:
        names = ("llama-3.1-8b", "qwen2-vl-7b", "nomic-v1.5", "new")
        listed = [{"id": name, "object": "model", "owned_by": "organization_owner"} for name in names]
        facts = {"compatibility_type": "gguf", "quantization": "Q4_K_M", "max_context_length": 131072}
        own: list[dict[str, object]] = [
            {"id": names[0], "type": "llm", "state": "loaded", "loaded_context_length": 4096, **facts},
            {
                "id": names[1],
                "type": "vlm",
                "state": "not-loaded",
                **facts,
                "quantization": 4,
                "max_context_length": "x",
            },
            {"id": names[2], "type": "embeddings", "state": None, **facts},
            {"id": "not-served", "type": "llm", "state": "loaded", **facts},
        ]
        routes = {MODELS: whole({"data": listed}), "/api/v0/models": whole({"data": own})}
        async with scripted_server(routes) as server:
            backend = OpenAiBackend(server.address)
            info, models, resident = await backend.info(), await backend.models(), await backend.resident()
            await backend.aclose()
        assert (info.kind, info.product) == ("openai", "LM Studio")
        found = [
            (one.model.name, one.model.quantisation, one.model.context_limit, one.model.served_ctx, bool(one.resident))
            for one in models
        ]
        assert found == [
            ("llama-3.1-8b", "Q4_K_M", 131072, 4096, True),
            ("qwen2-vl-7b", None, None, None, False),
            ("nomic-v1.5", "Q4_K_M", 131072, None, False),
            ("new", None, None, None, False),
        ]
        assert [one.why_not and one.why_not.code for one in models] == [None, None, "makes_embeddings", None]
        assert resident is not None
        assert [(one.name, one.context_length) for one in resident] == [("llama-3.1-8b", 4096)]

    async def test_a_server_without_such_a_list_is_asked_for_it_once(self) -> None:
        async with scripted_server({MODELS: whole({"data": [PLAIN]})}) as server:
            backend = OpenAiBackend(server.address)
            for _ in range(3):
                assert [one.model.name for one in await backend.models()] == ["some-model"]
            assert await backend.resident() is None
            await backend.aclose()
            assert len(server.asked("/api/v0/models")) == 1

    async def test_llamacpps_model_has_its_facts_and_is_in_memory(self) -> None:
        async with served() as (_, backend):
            (listed,) = await backend.models()
            resident = await backend.resident()
        model = listed.model
        assert (model.name, model.backend, model.size_bytes) == ("gemma-3-1b", "openai", 806_058_240)
        assert (model.parameters, model.quantisation, model.context_limit) == ("999.9M", "Q4_K_M", 4096)
        assert resident == (listed.resident,)
        assert resident[0].digest == model.digest
        assert resident[0].context_length == 4096

    async def test_a_router_tells_which_models_are_loaded(self) -> None:
        async with served(entry=LLAMACPP | {"status": {"value": "unloaded"}}) as (_, backend):
            assert await backend.resident() == ()

    async def test_a_server_that_does_not_tell_what_is_loaded_has_nothing_known_in_memory(self) -> None:
        async with served(entry=PLAIN) as (_, backend):
            assert await backend.resident() is None
            (listed,) = await backend.models()
        assert listed.resident is None
        assert (listed.model.size_bytes, listed.model.parameters, listed.model.context_limit) == (None, None, None)

    async def test_builds_of_one_name_have_different_digests(self) -> None:
        digests = set()
        for ftype in ("Q4_K_M", "Q8_0"):
            async with served(entry=LLAMACPP | {"meta": LLAMACPP["meta"] | {"ftype": ftype}}) as (_, backend):  # type: ignore[operator]
                digests.add((await backend.models())[0].model.digest)
        assert len(digests) == 2

    async def test_details_hold_the_template(self) -> None:
        async with served(props=whole({"chat_template": "{{ x }}"})) as (_, backend):
            assert (await backend.show("gemma-3-1b")).template == "{{ x }}"

    async def test_a_model_that_is_not_there_is_named(self) -> None:
        async with served() as (_, backend):
            with pytest.raises(BackendFailed, match="not_served"):
                await backend.show("nothing")

    async def test_the_runner_is_what_listens_whatever_the_model_is_called(self) -> None:
        async with served(entry=PLAIN) as (_, backend):
            clue = await backend.runner_clue(Model(name="some-model", digest="d"))
            assert clue == RunnerClue(place=place_of(backend._url))
        elsewhere = OpenAiBackend("http://192.0.2.1:8000/v1")
        assert await elsewhere.runner_clue(Model(name="some-model", digest="d")) is None

    async def test_it_cannot_load_unload_or_pull_and_says_so(self) -> None:
        backend = OpenAiBackend("localhost")
        resident = ResidentModel(name="m", digest="d")
        for call in (backend.unload(resident), backend.load(resident)):
            with pytest.raises(BackendFailed) as caught:
                await call
            assert caught.value.problem.code in ("cannot_unload", "cannot_load")
        with pytest.raises(BackendFailed):
            backend.pull("m")
        await backend.aclose()


class TestAddresses:
    @pytest.mark.parametrize(
        ("written", "root", "prefix"),
        [
            ("localhost", "http://localhost:8080/", "/v1"),
            ("box:1234", "http://box:1234/", "/v1"),
            ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/", "/v1"),
            (" http://box/v1/ ", "http://box/", "/v1"),
            ("http://box:80/v1/chat/completions", "http://box/", "/v1"),
            ("http://box/v1/models", "http://box/", "/v1"),
            ("https://example.org/api/v1?x=1#y", "https://example.org/api", "/v1"),
            ("0.0.0.0:8080", "http://127.0.0.1:8080/", "/v1"),
            ("http://box/V1", "http://box/", "/V1"),
            ("http://box/gate/v3", "http://box/gate", "/v3"),
            ("http://box/", "http://box/", ""),
            ("http://box/gate/", "http://box/gate", ""),
        ],
    )
    def test_they_are_written_in_many_ways(self, written: str, root: str, prefix: str) -> None:
        url, before_models = openai_place(written)
        assert (str(url), before_models) == (root, prefix)

    @pytest.mark.parametrize("written", ["", "ftp://box", "http://", "http://[::1", "box:99999"])
    def test_what_is_no_address_is_refused(self, written: str) -> None:
        with pytest.raises(BackendFailed) as caught:
            OpenAiBackend(written)
        assert caught.value.problem.code in ("bad_address", "bad_scheme", "no_host", "bad_port")

    async def test_a_path_before_v1_is_kept(self) -> None:
        async with scripted_server({"/gate/v1/models": whole({"data": [PLAIN]})}) as server:
            backend = OpenAiBackend(f"{server.address}/gate/v1")
            assert [listed.model.name for listed in await backend.models()] == ["some-model"]
            await backend.aclose()

    def test_only_loopback_is_local(self) -> None:
        assert OpenAiBackend("localhost:1").local
        assert not OpenAiBackend("https://example.org").local
