"""What a benchmark may rely on in a server of OpenAI's protocol, said as tests of the program's own backend.

The same class runs against servers that other projects make; each is a process of its own, as a person starts it.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from llmtui.backends.base import BackendFailed, ChatRequest, Chunk, Final, Message, RequestSent
from llmtui.backends.openai import OpenAiBackend
from llmtui.core.plan import Model
from llmtui.engine.sensors.machine import Machine
from llmtui.engine.sensors.runner import RunnerTarget
from tests.acceptance.program import Home
from tests.real_openai.llamacpp import Served

CAP = 32


class OpenAiContract:
    """Subclasses have the fixture ``server``."""

    product: str | None
    """The server's name in its list of models."""
    thinks_by: str

    async def test_it_says_who_it_is_and_what_it_has(self, server: Served) -> None:
        async with opened(server) as backend:
            info = await backend.info()
            [listed] = await backend.models()
        assert (info.kind, info.product, info.local) == ("openai", self.product, True)
        assert (listed.why_not, listed.model.thinking_control) == (None, self.thinks_by)

    async def test_an_answer_has_text_a_count_and_an_end(self, server: Served) -> None:
        async with opened(server) as backend:
            sent, *chunks, last = await answered(backend)
        assert isinstance(sent, RequestSent)
        assert isinstance(last, Final)
        assert len(chunks) >= 4
        stamps = [sent.t_ns, *(chunk.t_ns for chunk in chunks if isinstance(chunk, Chunk)), last.t_ns]
        assert stamps == sorted(stamps)
        assert last.counters is not None
        assert last.counters.output_tokens is not None
        assert 4 <= last.counters.output_tokens <= CAP
        assert last.counters.prompt_tokens

    async def test_a_cancelled_answer_leaves_it_ready_for_the_next(self, server: Served) -> None:
        async with opened(server) as backend:
            model = (await backend.models())[0].model
            async with aclosing(backend.stream(question(model, cap=512))) as items:
                async for item in items:
                    if isinstance(item, Chunk):
                        break
            assert isinstance((await answered(backend))[-1], Final)

    async def test_fields_of_ones_own_do_no_harm(self, server: Served) -> None:
        async with opened(server) as backend:
            assert isinstance((await answered(backend, extra_fields={"top_p": 0.9}))[-1], Final)

    async def test_it_cannot_unload_and_says_so(self, server: Served) -> None:
        async with opened(server) as backend:
            assert not backend.can_unload
            for resident in await backend.resident() or ():
                with pytest.raises(BackendFailed):
                    await backend.unload(resident)

    async def test_its_process_is_the_one_that_listens(self, server: Served) -> None:
        async with opened(server) as backend:
            model = (await backend.models())[0].model
            target = RunnerTarget.of_clue(await backend.runner_clue(model))
        assert target is not None
        machine = Machine([2**22 + 1])  # this process started the server, and what llmtui starts is never the model
        runner = (await asyncio.to_thread(machine.find_runner, target)).runner
        assert runner is not None
        assert server.pid in (runner.pid, *(one.pid for one in runner.beside))
        look = machine.reading(0)
        assert look.runner is not None
        assert (look.runner.resident_bytes or 0) > 10_000_000

    def test_it_is_measured(self, server: Served, home: Home) -> None:
        done = home.run("run", "--host", f"{server.url}/v1", "--rounds", "1", "-c", "coding", "--num-predict", "80")
        assert done.returncode == 0, done.stderr
        rows = trials_in(home.results)
        found = {(row["kind"], row["outcome"]) for row in rows if row["kind"] != "follow_up"}
        assert found == {("warm", "ok"), ("cold", "skipped")}, "a trial is asked again where others are busy"
        warm = next(row for row in rows if row["kind"] == "warm")
        assert warm["server"] == (self.product or "")
        assert warm["server_address"] == f"{server.url}/v1"
        assert float(warm["ttft_ms"]) > 0
        assert float(warm["decode_tps"]) > 0
        assert int(warm["runner_peak_bytes"]) > 10_000_000
        assert float(warm["runner_cpu_s"]) >= 0
        assert "num_ctx=4096" not in warm["variant"], "the context is the server's own"
        assert warm["server_size_bytes"] == "", "a file's size is not memory"


def opened(server: Served) -> aclosing[OpenAiBackend]:
    return aclosing(OpenAiBackend(f"{server.url}/v1"))


def question(model: Model, cap: int = CAP) -> ChatRequest:
    return ChatRequest(
        model=model, messages=(Message("user", "Tell me a story about a lantern on a river."),), num_ctx=None,
        num_predict=cap, temperature=0.0, seed=42, think=None, num_thread=None, keep_alive_s=600,
    )  # fmt: skip


async def answered(backend: OpenAiBackend, **changes: object) -> list[RequestSent | Chunk | Final]:
    model = (await backend.models())[0].model
    asked = msgspec.structs.replace(question(model), **changes)
    async with aclosing(backend.stream(asked)) as items:
        return [item async for item in items]


def trials_in(results: Path) -> Sequence[dict[str, str]]:
    [session] = [folder for folder in results.iterdir() if folder.is_dir()]
    with (session / "trials.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
