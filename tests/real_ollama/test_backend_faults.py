"""What the Ollama backend makes of real servers' refusals and breakdowns, and of models that are only passed by."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest

from llmtui.backends.base import BackendFailed, Chunk, Final, RequestSent
from llmtui.backends.ollama import OllamaBackend
from llmtui.core.plan import Model
from llmtui.core.records import Problem, ResidentModel
from llmtui.words.problems import problem_remedy
from tests.real_ollama.asking import Asking
from tests.real_ollama.models import import_model, numbered
from tests.real_ollama.servers import RunningOllama
from tests.real_ollama.streaming import answer, question

pytestmark = [pytest.mark.real_ollama, pytest.mark.slow]

ABSENT = Model(name="absent:1b", digest="")
NOT_A_NAME = Model(name="x y", digest="")


async def pulled(backend: OllamaBackend, name: str) -> None:
    async with aclosing(backend.pull(name)) as steps:
        async for _ in steps:
            pass


async def problem_of(awaitable: Awaitable[object]) -> Problem:
    with pytest.raises(BackendFailed) as failed:
        await awaitable
    return failed.value.problem


async def forget(backend: OllamaBackend, server: RunningOllama, name: str) -> None:
    """Remove a model from the server, so that other tests do not meet it."""
    await backend.unload(ResidentModel(name=name, digest=""))
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        await client.request("DELETE", "/api/delete", json={"model": name})


def cut_file_of(server: RunningOllama, name: str, kept_bytes: int) -> None:
    """Cut the model's file, which this test has made."""
    asking = Asking(server.url)
    blob = Path(asking.blob_of(name))
    asking.close()
    os.truncate(blob, kept_bytes)


async def resident(backend: OllamaBackend, name: str) -> list[ResidentModel]:
    return [entry for entry in await backend.resident() or () if entry.name == f"{name}:latest"]


async def test_names_that_lead_nowhere(backend: OllamaBackend) -> None:
    gone = ResidentModel(name=ABSENT.name, digest="")
    for call in (
        answer(backend, question(ABSENT)),
        backend.show(ABSENT.name),
        backend.unload(gone),
        backend.load(gone),
    ):
        problem = await problem_of(call)
        assert (problem.code, problem_remedy(problem)) == ("no_such_model", "Get it with `ollama pull absent:1b`.")
    for call in (answer(backend, question(NOT_A_NAME)), backend.show(NOT_A_NAME.name)):
        assert (await problem_of(call)).code == "bad_name"


async def test_a_place_for_models_that_cannot_be_reached(backend: OllamaBackend) -> None:
    """A registry that cannot be reached: a port that is not for listening on this machine."""
    problem = await problem_of(pulled(backend, "127.0.0.1:1/nobody/nothing:1b"))
    assert problem.code == "registry_unreachable"
    assert (await problem_of(pulled(backend, "x y"))).code == "not_in_library"


async def test_an_embedding_model_is_loaded_and_dropped_like_any_other(backend: OllamaBackend) -> None:
    """It may belong to others, and must be reloaded after a run."""
    as_it_was = ResidentModel(name="embedder:latest", digest="", context_length=256)
    await backend.load(as_it_was)
    (loaded,) = await resident(backend, "embedder")
    assert loaded.context_length == 256
    await backend.unload(loaded)
    async with asyncio.timeout(20):
        while await resident(backend, "embedder"):  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.05)


async def test_a_name_made_anew_is_in_memory_twice_and_joined_by_digest(
    backend: OllamaBackend, ollama_server: RunningOllama, tmp_path: Path
) -> None:
    listed = {}
    for number in (1_000_001, 1_000_002):
        import_model(ollama_server.url, "anew", numbered(tmp_path, number))
        listed[number] = next(entry for entry in await backend.models() if entry.model.name == "anew:latest")
        # Not for long: a model in memory whose name has a new meaning cannot be unloaded by request.
        await answer(backend, msgspec.structs.replace(question(listed[number].model), keep_alive_s=20))
    first, second = (entry.model for entry in listed.values())
    now = next(entry for entry in await backend.models() if entry.model.name == "anew:latest")
    assert listed[1_000_002].resident is None  # of the name, but another build
    assert now.model.digest == second.digest != first.digest
    assert now.resident is not None
    assert now.resident.digest == second.digest
    await forget(backend, ollama_server, "anew")


@pytest.mark.parametrize("kept_bytes", [100_000, 0])
async def test_a_broken_file_is_said_to_be_broken(
    backend: OllamaBackend, ollama_server: RunningOllama, tmp_path: Path, kept_bytes: int
) -> None:
    name = f"broken-{kept_bytes}"
    import_model(ollama_server.url, name, numbered(tmp_path, 2_000_000 + kept_bytes))
    cut_file_of(ollama_server, name, kept_bytes)
    problem = await problem_of(answer(backend, question(Model(name=name, digest=""))))
    await forget(backend, ollama_server, name)
    assert problem.code in ("load_failed", "server_error", "embedding_only")
    assert problem_remedy(problem)


async def test_a_runner_that_is_killed_in_mid_answer(backend: OllamaBackend, ollama_server: RunningOllama) -> None:
    model = next(entry.model for entry in await backend.models() if entry.model.name == "steady:latest")
    clue = await backend.runner_clue(model)
    assert clue is not None
    assert clue.model_argument is not None
    async with aclosing(backend.stream(question(model, num_predict=900))) as said:
        for _ in range(10):
            await anext(said)
        os.kill(_runner_pid(ollama_server, clue.model_argument), signal.SIGKILL)
        problem = await problem_of(_rest(said))
    assert problem.code == "server_error"
    assert problem_remedy(problem)
    assert isinstance((await answer(backend, question(model)))[-1], Final)  # the server starts another


async def _rest(said: AsyncIterator[RequestSent | Chunk | Final]) -> None:
    async for _ in said:
        pass


def _runner_pid(server: RunningOllama, model_argument: str) -> int:
    runners: list[psutil.Process] = server.process.children(recursive=True)
    return next(process.pid for process in runners if any(model_argument in word for word in process.cmdline()))
