"""The state of one simulated server: its models, memory and speed, and its planned changes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from functools import singledispatchmethod

import msgspec

from llmtui.simulator.changes import (
    ForgetPrompts,
    OtherClientAsks,
    OtherClientLoads,
    Planned,
    PutModel,
    RemoveModel,
    ScriptedChange,
    SetAnswers,
    SetSpeed,
    Unload,
)
from llmtui.simulator.clock import Waiter, now_ns
from llmtui.simulator.identity import tagged_name
from llmtui.simulator.model import ScriptedAnswer, SimulatedModel
from llmtui.simulator.options import ApiError, LoadOptions, RequestOptions, parse_options
from llmtui.simulator.scheduler import Scheduler, SimulatedRunner
from llmtui.simulator.script import RouteFault, Script
from llmtui.simulator.sendlog import SendLog


class Simulation:
    """The state that all routes of one server share; used in one event loop.

    Args:
        script: the server's script.
        log: log of the requests.
        waiter: waits for deadlines.
    """

    def __init__(self, script: Script, log: SendLog, waiter: Waiter) -> None:
        self.script = script
        self.log = log
        self.waiter = waiter
        self.scheduler = Scheduler(script, waiter)
        self.models = {tagged_name(model.name): model for model in script.models}
        self.pulled_bytes: dict[str, int] = {}
        self.pull_attempts: dict[str, int] = {}
        self.trials = 0
        self._began_ns = now_ns()
        self._speeds: dict[str | None, float] = {}
        self._answers_given: dict[str, int] = {}
        self._remote_slots: dict[str, asyncio.Lock] = {}
        self._fault_hits: dict[int, int] = {}
        self._planned: list[Planned] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Load the preloaded models and start the clock for the planned changes.

        Raises:
            ApiError: the script names a model that it does not have.
        """
        for name in self.script.preloaded:
            model = self.model(name)
            runner, _ = await self.scheduler.acquire(
                msgspec.structs.replace(model, load_s=0.0), self.options(model, {}).load, math.inf
            )
            runner.keep_alive_s = self.script.default_keep_alive_s
            self.scheduler.release(runner)
        self._began_ns = now_ns()
        for planned in self.script.plan:
            await self.plan(planned)

    async def close(self) -> None:
        """End the requests of simulated other clients, and unload all models."""
        for task in list(self._tasks):
            task.cancel()
        await self.scheduler.close()

    def model(self, name: str) -> SimulatedModel:
        """Return a model by the name that a client sent.

        Raises:
            ApiError: 404 if there is none.
        """
        model = self.models.get(tagged_name(name))
        if model is None:
            raise ApiError(404, f"model '{name}' not found")
        return model

    def options(self, model: SimulatedModel, values: dict[str, object]) -> RequestOptions:
        """Return a request's options, with this server's defaults for missing ones.

        Raises:
            ApiError: 500 for a value of the wrong type.
        """
        return parse_options(
            values,
            dialect=self.script.dialect,
            default_num_ctx=self.script.default_num_ctx,
            context_length=model.context_length,
        )

    def speed(self, model: SimulatedModel) -> float:
        """Return the current factor of a model's decode speed, from its `speed_points` and from `SetSpeed`."""
        elapsed_s = (now_ns() - self._began_ns) * self.script.time_scale / 1e9
        drift = 1.0
        for point in model.speed_points:
            due_by_time = point.after_s is None or elapsed_s >= point.after_s
            due_by_trial = point.after_trials is None or self.trials > point.after_trials
            if due_by_time and due_by_trial:
                drift = point.speed
        return drift * self._speeds.get(None, 1.0) * self._speeds.get(tagged_name(model.name), 1.0)

    def next_answer(self, model: SimulatedModel, prompt: str) -> ScriptedAnswer:
        """Return the first answer whose `match` is in the prompt, else the next of the model's answers in turn."""
        matching = [answer for answer in model.answers if answer.match is not None and answer.match in prompt]
        if matching:
            return matching[0]
        name = tagged_name(model.name)
        given = self._answers_given.get(name, 0)
        in_turn = [answer for answer in model.answers if answer.match is None] or list(model.answers)
        self._answers_given[name] = given + 1
        return in_turn[given % len(in_turn)]

    def remote_slot(self, model: SimulatedModel) -> asyncio.Lock:
        """Return the lock that lets requests to a remote model run one at a time."""
        return self._remote_slots.setdefault(tagged_name(model.name), asyncio.Lock())

    def fault(self, path: str) -> RouteFault | None:
        """Count a request to a route and return its fault; None if it has none."""
        for index, fault in enumerate(self.script.faults):
            if fault.path not in {path, "*"}:
                continue
            hit = self._fault_hits.get(index, 0)
            self._fault_hits[index] = hit + 1
            if hit >= fault.skip and (fault.times is None or hit < fault.skip + fault.times):
                return fault
        return None

    async def begin_trial(self) -> int:
        """Count a request for an answer, apply the changes planned before it, and return its number."""
        self.trials += 1
        trial = self.trials
        await self._happen(lambda planned: planned.before_trial == trial)
        return trial

    def end_trial(self, trial: int) -> None:
        """Apply the changes planned after an answer, without delaying it."""
        if any(planned.after_trial == trial for planned in self._planned):
            self._spawn(self._happen(lambda planned: planned.after_trial == trial))

    async def plan(self, planned: Planned) -> None:
        """Apply a change at once, or at its planned time."""
        if planned.after_s is not None:
            self._spawn(self._later(planned.change, self.script.duration_ns(planned.after_s) / 1e9))
        elif planned.before_trial is None and planned.after_trial is None:
            await self.apply(planned.change)
        else:
            self._planned.append(planned)

    @singledispatchmethod
    async def apply(self, change: ScriptedChange) -> None:
        """Apply a change now; return when it has taken effect.

        A load or unload has taken effect when it is done; another client's request, when the model begins to serve it.

        Raises:
            ApiError: the change names a model that does not exist.
        """
        raise TypeError(f"not a change: {change!r}")

    @apply.register
    async def _(self, change: SetSpeed) -> None:
        self._speeds[tagged_name(change.model) if change.model else None] = change.factor

    @apply.register
    async def _(self, change: OtherClientAsks) -> None:
        model = self.model(change.model)
        loaded = self.scheduler.runner(model)
        options = loaded.options if loaded is not None else self.options(model, {}).load
        keep_alive_s = loaded.keep_alive_s if loaded is not None else self.script.default_keep_alive_s
        runner, _ = await self.scheduler.acquire(model, options, keep_alive_s)
        has_slot = asyncio.Event()
        self._spawn(self._occupy(runner, change, has_slot))
        await has_slot.wait()

    @apply.register
    async def _(self, change: OtherClientLoads) -> None:
        model = self.model(change.model)
        options: LoadOptions = self.options(model, change.options).load
        runner, _ = await self.scheduler.acquire(model, options, self.script.default_keep_alive_s)
        self.scheduler.release(runner)

    @apply.register
    async def _(self, change: Unload) -> None:
        model = self.model(change.model)
        runner = self.scheduler.runner(model)
        self.scheduler.expire(model)
        if runner is not None:
            await runner.gone.wait()

    @apply.register
    async def _(self, change: PutModel) -> None:
        self.models[tagged_name(change.model.name)] = change.model

    @apply.register
    async def _(self, change: RemoveModel) -> None:
        self.model(change.model)
        del self.models[tagged_name(change.model)]

    @apply.register
    async def _(self, change: SetAnswers) -> None:
        model = self.model(change.model)
        self.models[tagged_name(model.name)] = msgspec.structs.replace(model, answers=change.answers)
        self._answers_given.pop(tagged_name(model.name), None)

    @apply.register
    async def _(self, change: ForgetPrompts) -> None:
        self.scheduler.forget_prompts()

    async def _occupy(self, runner: SimulatedRunner, change: OtherClientAsks, has_slot: asyncio.Event) -> None:
        try:
            async with runner.slot:
                has_slot.set()
                runner.remember(change.prompt)
                await asyncio.sleep(self.script.duration_ns(change.seconds) / 1e9)
        finally:
            self.scheduler.release(runner)

    async def _happen(self, due: Callable[[Planned], bool]) -> None:
        now, self._planned = _partition(self._planned, due)
        for planned in now:
            await self.apply(planned.change)

    async def _later(self, change: ScriptedChange, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self.apply(change)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _partition(items: Iterable[Planned], due: Callable[[Planned], bool]) -> tuple[list[Planned], list[Planned]]:
    now: list[Planned] = []
    later: list[Planned] = []
    for item in items:
        (now if due(item) else later).append(item)
    return now, later
