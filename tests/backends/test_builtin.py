"""The built-in server end to end: real llama.cpp in a real child process, real tokens of the demo model."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest

from llmtui.backends.base import Backend, BackendFailed, Chunk, Final, RequestSent
from llmtui.backends.builtin import BuiltinBackend, spare_cores
from llmtui.backends.builtin_models import DEMO_FILE
from tests.backends.builtin_children import (
    ask,
    ask_demo,
    demo_of,
    file_model,
    is_gone,
    last_word,
    needs_xllamacpp,
    problem_of,
    request,
    text_of,
)


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[BuiltinBackend]:
    backend = BuiltinBackend(cache_folder=tmp_path)
    yield backend
    await backend.aclose()


def test_it_is_a_backend() -> None:
    backend: Backend = BuiltinBackend()
    assert backend.kind == "builtin"


@needs_xllamacpp
class TestAnAnswer:
    async def test_real_tokens_arrive_one_by_one(self, backend: BuiltinBackend) -> None:
        sent, *chunks, final = await ask_demo(backend)
        assert isinstance(sent, RequestSent)
        assert isinstance(final, Final)
        assert "sea" in text_of(list(chunks))
        assert len(chunks) > 64
        stamps = [sent.t_ns, *(chunk.t_ns for chunk in chunks), final.t_ns]
        assert stamps == sorted(stamps)
        tokens = [chunk.tokens for chunk in chunks if isinstance(chunk, Chunk) and chunk.tokens is not None]
        assert len(tokens) == len(chunks)
        assert tokens == sorted(tokens)
        assert tokens[-1] == 128

    async def test_the_server_counts_what_was_asked_for(self, backend: BuiltinBackend) -> None:
        final = last_word(await ask_demo(backend))
        counters = final.counters
        assert counters is not None
        assert final.ended_by == "length"
        assert (counters.output_tokens, counters.output_steps, counters.cached_tokens) == (128, 127, 0)
        assert counters.prompt_tokens is not None
        assert counters.prompt_tokens > 10
        assert counters.prompt_duration_ns
        assert counters.output_duration_ns

    async def test_the_demos_answers_are_as_long_as_asked_for_also_beyond_their_own_end(
        self, backend: BuiltinBackend
    ) -> None:
        counters = last_word(await ask_demo(backend, num_predict=300)).counters
        assert counters is not None
        assert counters.output_tokens == 300

    async def test_the_same_question_gives_the_same_answer(self, backend: BuiltinBackend) -> None:
        assert text_of(await ask_demo(backend)) == text_of(await ask_demo(backend))

    async def test_the_first_request_loads_and_the_second_does_not(self, backend: BuiltinBackend) -> None:
        first, second = await ask_demo(backend), await ask_demo(backend)
        cold, warm = last_word(first), last_word(second)
        assert cold.counters is not None
        assert warm.counters is not None
        assert cold.counters.load_duration_ns is not None
        assert cold.counters.load_duration_ns > 1e6
        assert warm.counters.load_duration_ns == 0

    async def test_the_wait_for_the_first_word_begins_when_loading_begins(self, backend: BuiltinBackend) -> None:
        sent, chunk, *rest = await ask_demo(backend)
        counters = last_word(list(rest)).counters
        assert counters is not None
        assert counters.load_duration_ns is not None
        assert isinstance(sent, RequestSent)
        assert chunk.t_ns - sent.t_ns > counters.load_duration_ns

    async def test_the_prefix_is_reused_only_where_it_is_wanted(self, backend: BuiltinBackend) -> None:
        demo = await demo_of(backend)
        cached = []
        for reuse in (False, False, True):
            counters = last_word(await ask(backend, request(demo, num_predict=16, reuse_prefix=reuse))).counters
            assert counters is not None
            cached.append(counters.cached_tokens)
        assert cached[:2] == [0, 0]
        assert cached[2]

    async def test_a_prompt_that_is_too_long_is_refused_and_the_server_lives_on(self, backend: BuiltinBackend) -> None:
        long = request(await demo_of(backend), text="hello " * 3000)
        assert (await problem_of(backend, long)).code == "prompt_over_context"
        (resident,) = await backend.resident()
        assert resident.pid is not None
        assert not is_gone(resident.pid)


@needs_xllamacpp
class TestLoading:
    async def test_a_loaded_model_is_a_process_with_a_context_within_its_limits(self, backend: BuiltinBackend) -> None:
        assert await backend.resident() == ()
        await ask_demo(backend)
        (resident,) = await backend.resident()
        listed = (await backend.models())[0]
        assert listed.resident == resident
        assert (resident.name, resident.digest, resident.context_length) == ("demo", listed.model.digest, 1024)
        assert resident.pid is not None
        assert psutil.Process(resident.pid).ppid() == os.getpid()

    async def test_the_process_is_known_while_it_loads(self, backend: BuiltinBackend) -> None:
        demo = await demo_of(backend)
        assert await backend.runner_clue(demo) is None
        async with aclosing(backend.stream(request(demo))) as items:
            assert isinstance(await anext(items), RequestSent)
            clue = await backend.runner_clue(demo)
            assert clue is not None
            assert clue.pid is not None
            assert psutil.pid_exists(clue.pid)
            assert await backend.resident() == ()

    async def test_unloading_ends_the_process(self, backend: BuiltinBackend) -> None:
        await ask_demo(backend)
        (resident,) = await backend.resident()
        await backend.unload(resident)
        assert resident.pid is not None
        assert is_gone(resident.pid)
        assert await backend.resident() == ()
        await backend.unload(resident)  # twice does no harm

    async def test_what_was_loaded_comes_back_as_it_was(self, backend: BuiltinBackend) -> None:
        await ask_demo(backend)
        (before,) = await backend.resident()
        await backend.unload(before)
        await backend.load(before)
        (after,) = await backend.resident()
        assert (after.name, after.digest, after.context_length) == (before.name, before.digest, before.context_length)
        assert after.pid != before.pid

    async def test_another_context_length_is_another_process(self, backend: BuiltinBackend) -> None:
        demo = await demo_of(backend)
        await ask(backend, request(demo, num_predict=4))
        (before,) = await backend.resident()
        await ask(backend, msgspec.structs.replace(request(demo, num_predict=4), num_ctx=512))
        (after,) = await backend.resident()
        assert (before.context_length, after.context_length) == (1024, 512)
        assert before.pid is not None
        assert is_gone(before.pid)

    async def test_leaving_while_it_loads_ends_the_process(self, backend: BuiltinBackend) -> None:
        demo = await demo_of(backend)
        async with aclosing(backend.stream(request(demo))) as items:
            await anext(items)
            clue = await backend.runner_clue(demo)
        assert clue is not None
        assert clue.pid is not None
        assert is_gone(clue.pid)
        assert last_word(await ask_demo(backend)).ended_by == "length"

    async def test_closing_the_backend_ends_the_process(self, tmp_path: Path) -> None:
        backend = BuiltinBackend(cache_folder=tmp_path)
        await ask_demo(backend)
        (resident,) = await backend.resident()
        await backend.aclose()
        assert resident.pid is not None
        assert is_gone(resident.pid)

    async def test_a_file_that_somebody_names_is_loaded_by_its_path(
        self, backend: BuiltinBackend, tmp_path: Path
    ) -> None:
        path = tmp_path / "no suffix, with spaces"
        path.write_bytes(DEMO_FILE.read_bytes())
        items = await ask(backend, request(file_model(path)))
        assert last_word(items).ended_by == "stop"  # only the demo continues beyond its own end
        assert [resident.name for resident in await backend.resident()] == [str(path)]

    @pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="needs the extra")
    async def test_a_speed_only_model_is_made_and_asked(self, backend: BuiltinBackend) -> None:
        synthetic = (await backend.models())[1].model
        counters = last_word(await ask(backend, request(synthetic, num_predict=32))).counters
        assert counters is not None
        assert counters.output_tokens == 32
        assert (await backend.models())[1].model.size_bytes


@needs_xllamacpp
class TestSafety:
    async def test_only_who_has_the_key_is_answered_and_no_web_page_is_let_in(self, backend: BuiltinBackend) -> None:
        await ask_demo(backend, num_predict=4)
        (resident,) = await backend.resident()
        listening = [c for c in psutil.Process(resident.pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert {c.laddr.ip for c in listening} == {"127.0.0.1"}
        async with httpx.AsyncClient(trust_env=False, headers={"origin": "https://evil.example"}) as client:
            for connection in listening:
                answer = await client.get(f"http://127.0.0.1:{connection.laddr.port}/v1/models")
                assert answer.status_code == httpx.codes.UNAUTHORIZED
                assert answer.headers.get("access-control-allow-origin", "") not in ("*", "https://evil.example")

    async def test_llamacpp_is_never_imported_here(self, backend: BuiltinBackend) -> None:
        await backend.info()
        await ask_demo(backend, num_predict=4)
        assert "xllamacpp" not in sys.modules


def test_a_core_is_left_for_the_rest_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    cores: dict[int | None, int] = {}
    for physical in (1, 2, 6, 12):
        monkeypatch.setattr(psutil, "cpu_count", lambda *, logical, found=physical: found)
        cores[physical] = spare_cores()
    assert cores == {1: 1, 2: 1, 6: 5, 12: 7 if sys.platform == "linux" else 11}


async def test_it_does_not_download(backend: BuiltinBackend) -> None:
    with pytest.raises(BackendFailed) as caught:
        backend.pull("llama3")
    assert caught.value.problem.code == "builtin_pulls_not"
