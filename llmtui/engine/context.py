"""The context of an experiment: plan, servers, event output and sampler of machine readings."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from llmtui.backends.base import Backend, BackendFailed, ServerInfo
from llmtui.core.events import Event, Noted, PhaseChanged
from llmtui.core.plan import Contender, Plan
from llmtui.core.records import Level, Phase, PhaseDetail, Problem, Step
from llmtui.engine.sensors.account import TrialMachine
from llmtui.engine.sensors.runner import RunnerProcess, RunnerTarget


class MachineWatch(Protocol):
    """The methods of the sampler that an experiment uses. The runner is the process in which a model runs."""

    def expect_runner(self, target: RunnerTarget | None) -> None:
        """Set the model whose process is searched for."""
        ...

    def find_runner(self) -> RunnerProcess | None:
        """Search for the process of the expected model now."""
        ...

    def count_others_from_now(self) -> None:
        """Ignore the CPU time that other programs have used until now."""
        ...

    def others_cores(self) -> float | None:
        """Return how many cores other programs kept busy in the last second; None if that is not known."""
        ...

    def begin_trial(self, *, loading: bool) -> None:
        """Start to collect machine readings for a trial. While the model loads, its process is searched for."""
        ...

    def first_token(self) -> None:
        """Return to the usual rate of readings, and stop searching for the model's process."""
        ...

    def end_trial(self) -> TrialMachine:
        """Return the machine figures collected since ``begin_trial``."""
        ...


class RunContext:
    """Plan, servers, event output and sampler, shared by the parts of one experiment."""

    def __init__(
        self,
        plan: Plan,
        backends: Mapping[str, Backend],
        *,
        emit: Callable[[Event], None],
        watch: MachineWatch,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """Store the parts.

        Args:
            plan: the plan to run.
            backends: the backends by server kind.
            emit: reports an event; never waits.
            watch: the sampler.
            clock_ns: the engine's clock.
        """
        self.plan = plan
        self.backends = backends
        self.emit = emit
        self.watch = watch
        self.clock_ns = clock_ns
        self._infos: dict[str, ServerInfo] = {}
        self.absent: dict[str, Problem] = {}
        """The problem of each server that did not respond to the last request to it, by server kind."""

    def contender(self, index: int) -> Contender:
        """Return the contender with the given index."""
        return self.plan.contenders[index]

    def backend(self, contender: int) -> Backend:
        """Return the backend of a contender's server."""
        return self.backends[self.contender(contender).model.backend]

    async def ask_info(self, backend: Backend) -> ServerInfo:
        """Ask a server for its version and product, and store the result.

        Raises:
            BackendFailed: the server does not respond.
        """
        try:
            info = await backend.info()
        except BackendFailed as failed:
            self.absent[backend.kind] = failed.problem
            raise
        self.absent.pop(backend.kind, None)
        self._infos[backend.kind] = info
        return info

    def is_local(self, backend: Backend) -> bool | None:
        """Return whether the server runs on this machine; None if it has not responded yet."""
        info = self._infos.get(backend.kind)
        return None if info is None else info.local

    async def runner_target(self, contender: int) -> RunnerTarget | None:
        """Return how to find the process of a contender's model; None if the process is not visible, or not yet."""
        try:
            clue = await self.backend(contender).runner_clue(self.contender(contender).model)
        except BackendFailed:
            return None
        return RunnerTarget.of_clue(clue)

    def phase(
        self, phase: Phase, trial_id: str | None = None, step: Step | None = None, names: Sequence[str] = ()
    ) -> None:
        """Report that a phase of the run begins.

        Args:
            phase: the phase.
            trial_id: the trial to which it belongs, if any.
            step: the step within the phase, if any.
            names: names of the models that the step concerns.
        """
        detail = None if step is None else PhaseDetail(step=step, names=tuple(names))
        self.emit(PhaseChanged(t_ns=self.clock_ns(), phase=phase, trial_id=trial_id, detail=detail))

    def note(self, level: Level, problem: Problem) -> None:
        """Report a message that is saved with the session."""
        self.emit(Noted(t_ns=self.clock_ns(), level=level, problem=problem))
