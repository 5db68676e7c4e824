"""A model server within the test: its behaviour is a script, and it records the requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

import msgspec

from llmtui.backends.base import (
    BackendFailed,
    ChatRequest,
    Chunk,
    Final,
    PullStep,
    RequestSent,
    RunnerClue,
    ServerEndpoint,
    ServerInfo,
)
from llmtui.core.events import Event, ListedModel, ModelShown
from llmtui.core.plan import Model
from llmtui.core.records import EndedBy, MachineFigures, Problem, ResidentModel, ServerCounters, ServerKind
from llmtui.engine.sensors.account import TrialMachine
from llmtui.engine.sensors.runner import RunnerProcess, RunnerTarget

REFUSED = Problem(code="refused", what="Nothing listens there.", remedy="Start it.")


def resident(name: str, *, num_ctx: int | None = 4096, **fields: Any) -> ResidentModel:
    return ResidentModel(name=name, digest=f"digest-of-{name}", context_length=num_ctx, size_bytes=4 * 10**9, **fields)


class Words:
    """One answer: its chunks, then a last line."""

    def __init__(
        self,
        answer: str = "yes it is ",
        *,
        thinking: str = "",
        ended_by: EndedBy | None = "stop",
        hang_after: int | None = None,
        fail_after: int | None = None,
        pause_s: float = 0.0,
        load_ns: int = 5_000_000,
        problem: Problem = REFUSED,
    ) -> None:
        chunks = [("t", word + " ") for word in thinking.split(" ") if word]
        chunks += [("a", word + " ") for word in answer.split(" ") if word]
        self.chunks = chunks
        self.ended_by = ended_by
        self.hang_after = hang_after
        self.fail_after = fail_after
        self.pause_s = pause_s
        self.load_ns = load_ns
        self.problem = problem


class FakeServer:
    """A Backend. Loading is instant and costs 500 ms by its counters."""

    def __init__(self, *, memory: Sequence[ResidentModel] = (), kind: ServerKind = "ollama") -> None:
        self.kind: ServerKind = kind
        self.can_unload = True
        self.memory = list(memory)
        self.asked: list[ChatRequest] = []
        self.log: list[str] = []
        self.cancelled = 0
        self.down: Problem | None = None
        self.answers: Callable[[ChatRequest, int], Words] = lambda _request, _number: Words()
        self.before_answer: Callable[[ChatRequest, int], Awaitable[None] | None] = lambda _request, _number: None
        self.polls_until_gone = 1
        self.refuses_unload: Problem | None = None
        self.local = True
        self.tells_memory = True
        self.version = "0.34.4"
        self._going: dict[str, int] = {}

    async def info(self) -> ServerInfo:
        self.log.append("info")
        self._answer()
        return ServerInfo(kind=self.kind, address="http://127.0.0.1:11434", version=self.version, local=self.local)

    async def models(self) -> tuple[ListedModel, ...]:
        self._answer()
        return tuple(
            ListedModel(model=Model(name=name, digest=f"digest-of-{name}"), resident=None)
            for name in ("llama3", "mistral")
        )

    async def resident(self) -> tuple[ResidentModel, ...] | None:
        self._answer()
        if not self.tells_memory:
            return None
        for name in list(self._going):
            self._going[name] -= 1
            if self._going[name] < 0:
                del self._going[name]
                self.memory = [model for model in self.memory if model.name != name]
        return tuple(self.memory)

    async def show(self, name: str) -> ModelShown:
        self._answer()
        return ModelShown(model=Model(name=name, digest=f"digest-of-{name}"), template="{{ .Prompt }}")

    async def runner_clue(self, model: Model) -> RunnerClue | None:
        return None

    async def stream(self, request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        self._answer()
        number = len(self.asked)
        self.asked.append(request)
        self.log.append(f"chat {request.model.name}")
        waiting = self.before_answer(request, number)
        if waiting is not None:
            await waiting
        words = self.answers(request, number)
        loaded = self._load(request)
        sent_ns = time.perf_counter_ns()
        yield RequestSent(sent_ns)
        try:
            for index, (channel, text) in enumerate(words.chunks):
                if words.fail_after == index:
                    raise BackendFailed(words.problem)
                if words.hang_after == index:
                    await asyncio.sleep(3600)
                await asyncio.sleep(words.pause_s)
                yield Chunk(t_ns=time.perf_counter_ns(), channel=channel, text=text)  # type: ignore[arg-type]
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled += 1
            raise
        if words.ended_by is not None:
            counters = ServerCounters(
                total_duration_ns=time.perf_counter_ns() - sent_ns,
                load_duration_ns=500_000_000 if loaded else words.load_ns,
                output_tokens=len(words.chunks) + 1,
                output_duration_ns=max(1, len(words.chunks)) * 1_000_000,
                output_steps=len(words.chunks),
            )
            yield Final(t_ns=time.perf_counter_ns(), ended_by=words.ended_by, counters=counters)

    async def unload(self, resident: ResidentModel) -> None:
        self._answer()
        self.log.append(f"unload {resident.name}")
        if self.refuses_unload is not None:
            raise BackendFailed(self.refuses_unload)
        self._going[resident.name] = self.polls_until_gone

    async def load(self, resident: ResidentModel) -> None:
        self._answer()
        self.log.append(f"load {resident.name} {resident.context_length}")
        self.memory = [model for model in self.memory if model.name != resident.name] + [resident]

    async def pull(self, name: str) -> AsyncGenerator[PullStep, None]:
        self._answer()
        self.log.append(f"pull {name}")
        for done in (10, 50, 100):
            await asyncio.sleep(0.01)
            yield PullStep(status="downloading", completed_bytes=done, total_bytes=100)

    async def aclose(self) -> None:
        self.log.append("close")

    def _answer(self) -> None:
        if self.down is not None:
            raise BackendFailed(self.down)

    def _load(self, request: ChatRequest) -> bool:
        self._going.pop(request.model.name, None)
        there = next((model for model in self.memory if model.digest == request.model.digest), None)
        if there is not None and there.context_length == request.num_ctx:
            return False
        self.memory = [model for model in self.memory if model.digest != request.model.digest]
        self.memory.append(resident(request.model.name, num_ctx=request.num_ctx))
        return True


class FakeWatch:
    """An eye that sees a runner of a given pid, and nothing else."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.calls: list[str] = []
        self.others: list[float] = []
        """Load by other programs at each reading, the last one from then on; empty where it is not watched."""
        self.meanwhile: list[float | None] = []
        """Load by other programs during each trial; afterwards it is not known."""

    def expect_runner(self, target: RunnerTarget | None) -> None:
        self.calls.append("expect")

    def find_runner(self) -> RunnerProcess | None:
        return None if self.pid is None else RunnerProcess(pid=self.pid, started_s=0.0, weights_in_anon=False)

    def count_others_from_now(self) -> None:
        self.calls.append("others from now")

    def others_cores(self) -> float | None:
        return None if not self.others else self.others.pop(0) if len(self.others) > 1 else self.others[0]

    def begin_trial(self, *, loading: bool) -> None:
        self.calls.append("begin loading" if loading else "begin")

    def first_token(self) -> None:
        self.calls.append("first")

    def end_trial(self) -> TrialMachine:
        self.calls.append("end")
        before = self.others_cores()
        figures = MachineFigures(
            runner_pid=self.pid,
            disk_read_bytes=3 * 10**9,
            llmtui_cpu_s=0.1,
            others_cores_before=before,
            others_cores=self.meanwhile.pop(0) if self.meanwhile else None,
        )
        return TrialMachine(figures=figures)


NOWHERE = ServerEndpoint(addresses=("127.0.0.1",), port=1)
"""Where nothing listens."""


class Reported(list[Event]):
    """Events as they were emitted."""

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]


def with_options(plan: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(plan, options=msgspec.structs.replace(plan.options, **changes))
