"""The Ollama backend, the figures and the sampler on real servers."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import msgspec
import pytest

from llmtui.backends.base import BackendFailed, Chunk, Final, RequestSent, RunnerClue
from llmtui.backends.ollama import OllamaBackend
from llmtui.core.events import ListedModel, Sampled
from llmtui.core.plan import Model
from llmtui.core.records import ServerCounters
from llmtui.engine.sampler import Sampler
from llmtui.engine.sensors.machine import Machine
from llmtui.engine.sensors.runner import RunnerTarget
from llmtui.words.problems import problem_what
from tests.real_ollama.asking import NUM_CTX, wait_until
from tests.real_ollama.contract import NEW, a_prompt
from tests.real_ollama.servers import RunningOllama
from tests.real_ollama.streaming import answer, question

pytestmark = [pytest.mark.real_ollama, pytest.mark.slow]


async def listed(backend: OllamaBackend, name: str) -> ListedModel:
    return next(entry for entry in await backend.models() if entry.model.name == f"{name}:latest")


def counters_of(said: list[RequestSent | Chunk | Final]) -> ServerCounters:
    final = said[-1]
    assert isinstance(final, Final)
    assert final.counters is not None
    return final.counters


# --- listing ------------------------------------------------------------------------------------------------------


async def test_the_server_is_told_by_kind_version_and_place(
    backend: OllamaBackend, ollama_server: RunningOllama
) -> None:
    info = await backend.info()
    assert (info.kind, info.version, info.local) == ("ollama", ollama_server.version, True)


async def test_models_are_listed_alike_by_both_ages(backend: OllamaBackend) -> None:
    tiny, thinker, embedder = [await listed(backend, name) for name in ("tiny", "thinker", "embedder")]
    assert (tiny.model.parameters, tiny.model.quantisation, tiny.model.thinking) == ("1.97M", "Q8_0", False)
    assert tiny.model.context_limit == 1024
    assert thinker.model.thinking is True
    assert tiny.why_not is None
    assert embedder.why_not is not None


async def test_details_of_a_model(backend: OllamaBackend) -> None:
    shown = await backend.show("thinker")
    assert shown.model.name == "thinker:latest"
    assert shown.template is not None
    assert ".Thinking" in shown.template


# --- an answer ----------------------------------------------------------------------------------------------------


async def test_an_answer_is_sent_then_pieces_then_final(backend: OllamaBackend, ollama_server: RunningOllama) -> None:
    model = (await listed(backend, "steady")).model
    prompt = a_prompt(80)
    await answer(backend, question(model, prompt))
    said = await answer(backend, question(model, prompt))
    assert isinstance(said[0], RequestSent)
    chunks = [item for item in said if isinstance(item, Chunk)]
    assert len(said) == 1 + len(chunks) + 1
    moments = [item.t_ns for item in said]
    assert moments == sorted(moments)
    stamps = [chunk.server_ns for chunk in chunks]
    assert None not in stamps
    counters = counters_of(said)
    assert (counters.output_tokens, counters.output_steps) == (16, 15)
    assert counters.prompt_tokens is not None
    expected_cached = counters.prompt_tokens - 1 if ollama_server.version == NEW else None
    assert counters.cached_tokens == expected_cached


async def test_the_two_clocks_agree_on_the_rate(backend: OllamaBackend) -> None:
    """(n−1)/(t_done − t_first) on this side and (n−1)/eval_duration on the server's are one figure."""
    model = (await listed(backend, "steady")).model
    await answer(backend, question(model))
    apart = []
    for _ in range(3):  # the quietest of three: other programs use these cores
        said = await answer(backend, question(model, num_predict=96))
        server_ns = counters_of(said).output_duration_ns
        assert server_ns is not None
        apart.append(abs(server_ns / (said[-1].t_ns - said[1].t_ns) - 1))
    assert min(apart) < 0.02


async def test_a_stream_that_the_server_gives_up_has_no_final(
    backend: OllamaBackend, ollama_server: RunningOllama
) -> None:
    model = (await listed(backend, "repeater")).model
    said = await answer(backend, question(model, num_predict=100))
    assert isinstance(said[-1], Final) is (ollama_server.version == NEW)
    assert len([item for item in said if isinstance(item, Chunk)]) >= 25


async def test_thinking_can_be_turned_on(backend: OllamaBackend, ollama_server: RunningOllama) -> None:
    model = (await listed(backend, "thinker")).model
    request = question(model, "Write a poem about the moon.")
    said = await answer(backend, msgspec.structs.replace(request, think=True))
    channels = {item.channel for item in said if isinstance(item, Chunk)}
    # The old server looks for the opening tag in the text only, and here the template has it.
    assert channels == ({"t"} if ollama_server.version == NEW else {"a"})


@pytest.mark.parametrize(
    ("name", "think", "code"),
    [("absent", False, "no_such_model"), ("embedder", False, "embedding_only")],
)
async def test_a_refusal_has_a_code_and_a_sentence(backend: OllamaBackend, name: str, think: bool, code: str) -> None:
    request = msgspec.structs.replace(question(Model(name=name, digest="")), think=think)
    with pytest.raises(BackendFailed) as failed:
        await answer(backend, request)
    assert failed.value.problem.code == code
    assert name in problem_what(failed.value.problem)


async def test_thinking_that_a_model_does_not_know_is_taken_back(backend: OllamaBackend) -> None:
    request = msgspec.structs.replace(question(Model(name="tiny", digest="")), think=True)
    assert any(isinstance(item, Chunk) for item in await answer(backend, request))


async def test_cancelling_frees_the_model(backend: OllamaBackend) -> None:
    model = (await listed(backend, "steady")).model
    await answer(backend, question(model))

    async def long_answer() -> None:
        await answer(backend, question(model, num_predict=900))

    task = asyncio.create_task(long_answer())
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    left_s = time.monotonic()
    await answer(backend, question(model, num_predict=1))
    assert time.monotonic() - left_s < 2.0  # the rest of it takes several seconds


# --- memory -------------------------------------------------------------------------------------------------------


async def test_loading_and_unloading_are_seen_in_the_list_and_in_the_process(backend: OllamaBackend) -> None:
    model = (await listed(backend, "steady")).model
    await answer(backend, question(model))
    before = next(entry for entry in await backend.resident() or () if entry.digest == model.digest)
    assert before.context_length == NUM_CTX
    await backend.unload(before)
    await _wait_until_gone(backend, model)
    await backend.load(before)
    after = next(entry for entry in await backend.resident() or () if entry.digest == model.digest)
    assert after.context_length == NUM_CTX


async def test_a_cold_trial_is_sampled_with_its_runners_memory_and_time(backend: OllamaBackend) -> None:
    """What the machine did during a cold start, by the process that the blob's name leads to."""
    entry = await listed(backend, "steady")
    clue = await backend.runner_clue(entry.model)
    assert clue is not None
    await answer(backend, question(entry.model))  # its file is in the page cache from now on
    await _unload(backend, entry.model, clue)
    samples: list[Sampled] = []
    sampler = Sampler(Machine([]), samples.append)
    sampler.start()
    try:
        sampler.expect_runner(RunnerTarget.of_clue(clue))
        sampler.begin_trial(loading=True)
        async with aclosing(backend.stream(question(entry.model, num_predict=400))) as said:
            async for item in said:
                if isinstance(item, Chunk):
                    sampler.first_token()
        machine = sampler.end_trial()
    finally:
        sampler.stop()
    figures = machine.figures
    assert figures.runner_pid is not None
    assert figures.weights_in_anon is True
    assert entry.model.size_bytes is not None
    assert figures.runner_anon_bytes is not None
    assert figures.runner_anon_bytes > entry.model.size_bytes  # weights and working memory
    assert figures.runner_peak_bytes is not None
    assert figures.runner_peak_bytes >= figures.runner_anon_bytes
    assert figures.runner_cpu_s is not None
    assert figures.runner_cpu_s > 0.3
    assert machine.cold_source(entry.model.size_bytes) == "memory"
    assert any(sample.runner_cores and sample.runner_cores > 0.3 for sample in samples)


async def _wait_until_gone(backend: OllamaBackend, model: Model) -> None:
    async with asyncio.timeout(20):
        while any(entry.digest == model.digest for entry in await backend.resident() or ()):  # noqa: ASYNC110 - a server's state
            await asyncio.sleep(0.05)


async def _unload(backend: OllamaBackend, model: Model, clue: RunnerClue) -> None:
    target = RunnerTarget.of_clue(clue)
    assert target is not None
    for entry in await backend.resident() or ():
        if entry.digest == model.digest:
            await backend.unload(entry)
    await _wait_until_gone(backend, model)
    await asyncio.to_thread(wait_until, lambda: Machine([]).find_runner(target).runner is None)
