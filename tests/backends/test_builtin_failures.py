"""Failures of the built-in server: each is a sentence with a remedy, and the program continues."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from llmtui.backends.base import BackendFailed, Chunk, Final, RequestSent
from llmtui.backends.builtin import BuiltinBackend, make_in_child, missing
from llmtui.backends.builtin_models import DEMO_FILE
from llmtui.words.problems import problem_remedy, problem_what
from tests.backends.builtin_children import (
    PARAMS,
    ask_demo,
    demo_of,
    file_model,
    is_gone,
    last_word,
    needs_xllamacpp,
    problem_of,
    request,
    stand_in,
)
from tests.backends.ollama_served import wait_until
from tests.backends.test_gguf_file import gguf, number, string, tensor


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[BuiltinBackend]:
    backend = BuiltinBackend(cache_folder=tmp_path)
    yield backend
    await backend.aclose()


@needs_xllamacpp
class TestFailures:
    @pytest.mark.skipif(sys.platform == "win32", reason="signals")
    async def test_killed_in_mid_answer_is_said_and_the_next_request_starts_it_again(
        self, backend: BuiltinBackend
    ) -> None:
        demo = await demo_of(backend)
        items: list[RequestSent | Chunk | Final] = []

        async def read() -> None:
            async with aclosing(backend.stream(request(demo, num_predict=900))) as stream:
                async for item in stream:
                    items.append(item)
                    if len(items) == 3:
                        (resident,) = await backend.resident()
                        os.kill(resident.pid or 0, signal.SIGKILL)

        with pytest.raises(BackendFailed) as caught:
            await read()
        problem = caught.value.problem
        assert problem.code == "server_killed"
        assert "in the middle of an answer (signal 9)" in problem_what(problem)
        assert not any(isinstance(item, Final) for item in items)
        assert await backend.resident() == ()
        assert last_word(await ask_demo(backend)).ended_by == "length"

    @pytest.mark.skipif(sys.platform == "win32", reason="signals")
    async def test_killed_between_answers_is_loaded_again(self, backend: BuiltinBackend) -> None:
        await ask_demo(backend, num_predict=4)
        (resident,) = await backend.resident()
        os.kill(resident.pid or 0, signal.SIGKILL)

        await wait_until(lambda: not backend._loaded["demo"].child.alive)
        counters = last_word(await ask_demo(backend, num_predict=4)).counters
        assert counters is not None
        assert counters.load_duration_ns

    async def test_a_truncated_file_is_refused_before_anything_starts(
        self, backend: BuiltinBackend, tmp_path: Path
    ) -> None:
        path = tmp_path / "cut.gguf"
        path.write_bytes(DEMO_FILE.read_bytes()[:1_000_000])
        problem = await problem_of(backend, request(file_model(path)))
        assert problem.code == "truncated"
        assert "it has 1,000,000 bytes and needs at least 2,160,128." in problem_what(problem)

    @pytest.mark.parametrize(("content", "code"), [(b"hello", "not_gguf"), (None, "no_file")])
    async def test_no_model_is_refused(
        self, backend: BuiltinBackend, tmp_path: Path, content: bytes | None, code: str
    ) -> None:
        path = tmp_path / "x.gguf"
        if content is not None:
            path.write_bytes(content)
        assert (await problem_of(backend, request(file_model(path)))).code == code

    async def test_a_model_that_llamacpp_does_not_know_is_said_in_its_words(
        self, backend: BuiltinBackend, tmp_path: Path
    ) -> None:
        path = tmp_path / "new.gguf"
        facts = (string("general.architecture", "zebra9"), number("zebra9.context_length", 512))
        path.write_bytes(gguf(facts, (tensor("a", (32,)),), data=128))
        problem = await problem_of(backend, request(file_model(path)))
        assert problem.code == "unknown_architecture"
        assert "unknown model architecture: 'zebra9'" in problem_what(problem)
        assert await backend.resident() == ()

    async def test_a_server_that_cannot_be_reached_is_told_from_one_that_died(
        self, backend: BuiltinBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("llmtui.backends.builtin_child.END_LIMIT_S", 0.05)
        closed = "class Server:\n    def __init__(self, params):\n        self.listening_address = 'http://127.0.0.1:1'"
        stand_in(monkeypatch, tmp_path, PARAMS + closed)
        problem = await problem_of(backend, request(file_model(DEMO_FILE)))
        assert problem.code == "builtin_unreachable"
        assert problem_what(problem).endswith("The built-in server is running, but llmtui cannot connect to it.")
        assert "firewall" in problem_remedy(problem)

    async def test_libgomp_missing_is_said_with_the_remedy(
        self, backend: BuiltinBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stand_in(monkeypatch, tmp_path, "raise ImportError('libgomp.so.1: cannot open shared object file')")
        problem = await problem_of(backend, request(file_model(DEMO_FILE)))
        assert problem.code == "libgomp_missing"
        assert problem_remedy(problem).startswith("apt install libgomp1")

    async def test_a_broken_one_is_said_when_the_server_is_chosen(
        self, backend: BuiltinBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stand_in(monkeypatch, tmp_path, "raise ImportError('libgomp.so.1: cannot open shared object file')")
        with pytest.raises(BackendFailed) as caught:
            await backend.info()
        assert caught.value.problem.code == "libgomp_missing"
        stand_in(monkeypatch, tmp_path, "")
        assert (await backend.info()).local, "asked again after it was mended"

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("raise RuntimeError('built for another Python')", "built for another Python"),
            ("raise SystemExit(7)", "The built-in server cannot start."),
            ("import os, signal\nos.kill(os.getpid(), signal.SIGILL)", "AVX2"),
        ],
        ids=["error", "exit", "instruction"],
    )
    async def test_however_it_breaks_there_is_a_sentence(
        self, backend: BuiltinBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, said: str
    ) -> None:
        stand_in(monkeypatch, tmp_path, source)
        with pytest.raises(BackendFailed) as caught:
            await backend.info()
        assert said in problem_what(caught.value.problem)
        assert problem_remedy(caught.value.problem)

    async def test_an_unloading_that_is_cancelled_ends_the_process_all_the_same(
        self, backend: BuiltinBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The way out has 2 s: whoever waits for it may be cancelled at any point of it."""
        await ask_demo(backend, num_predict=2)
        (resident,) = await backend.resident()

        async def cancelled(_client: httpx.AsyncClient) -> None:
            raise asyncio.CancelledError

        monkeypatch.setattr(httpx.AsyncClient, "aclose", cancelled)
        with pytest.raises(asyncio.CancelledError):
            await backend.unload(resident)
        assert is_gone(resident.pid or 0)


class TestWithoutTheExtra:
    @pytest.fixture(autouse=True)
    def not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "xllamacpp", None)  # what import takes for absent

    async def test_everything_says_how_to_get_it(self, backend: BuiltinBackend) -> None:
        problem = missing()
        assert problem is not None
        assert problem.code == "builtin_missing"
        assert problem.code == "builtin_missing"
        for call in (backend.info(), backend.models()):
            with pytest.raises(BackendFailed) as caught:
                await call
            assert caught.value.problem == problem
        assert await problem_of(backend, request(file_model(DEMO_FILE))) == problem


class TestMaking:
    async def test_a_failure_to_make_a_model_is_put_into_words(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "gguf.py").write_text("raise ImportError('no gguf here')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(BackendFailed) as caught:
            await make_in_child("24M", tmp_path / "cache")
        assert caught.value.problem.code == "synthetic_tools_missing"
        assert "[synthetic]" in problem_remedy(caught.value.problem)

    async def test_an_unexpected_end_shows_the_last_words(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "gguf.py").write_text("raise SystemExit('the sky fell')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        with pytest.raises(BackendFailed) as caught:
            await make_in_child("24M", tmp_path / "cache")
        assert "the sky fell" in problem_what(caught.value.problem)

    async def test_leaving_ends_the_process(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pid_file = tmp_path / "pid"
        source = f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
        (tmp_path / "gguf.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        making = asyncio.create_task(make_in_child("24M", tmp_path / "cache"))
        await wait_until(lambda: pid_file.exists() and pid_file.read_text())
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert is_gone(int(pid_file.read_text()))
