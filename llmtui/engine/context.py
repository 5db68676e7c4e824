"""What an experiment stands on: the plan, the servers, the way to report, the eye on the machine."""

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
    """The part of the sampler that an experiment uses."""

    def expect_runner(self, target: RunnerTarget | None) -> None:
        """Says which model's process to look for."""
        ...

    def find_runner(self) -> RunnerProcess | None:
        """Looks for it now."""
        ...

    def count_others_from_now(self) -> None:
        """Leaves out of what others do whatever they did until now."""
        ...

    def others_cores(self) -> float | None:
        """Gives the cores that others kept busy in the last second; None where that is not known."""
        ...

    def begin_trial(self, *, loading: bool) -> None:
        """Opens a trial's account; the model's process is searched for meanwhile if it is being loaded."""
        ...

    def first_token(self) -> None:
        """Back to the steady rate, and no further search."""
        ...

    def end_trial(self) -> TrialMachine:
        """Closes the account."""
        ...


class RunContext:
    """Shared by the parts of one experiment."""

    def __init__(
        self,
        plan: Plan,
        backends: Mapping[str, Backend],
        *,
        emit: Callable[[Event], None],
        watch: MachineWatch,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        """Lays it out.

        Args:
            plan: what to run.
            backends: by the kind that the plan's models name.
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
        """Servers that were last found gone, by kind, and why."""

    def contender(self, index: int) -> Contender:
        """Gives a contender by its index."""
        return self.plan.contenders[index]

    def backend(self, contender: int) -> Backend:
        """Gives the server that has a contender's model."""
        return self.backends[self.contender(contender).model.backend]

    async def ask_info(self, backend: Backend) -> ServerInfo:
        """Asks who answers, and remembers it.

        Raises:
            BackendFailed: nobody does.
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
        """Whether the server runs on this machine; None as long as it has not answered."""
        info = self._infos.get(backend.kind)
        return None if info is None else info.local

    async def runner_target(self, contender: int) -> RunnerTarget | None:
        """Gives how a contender's process can be found; None where it cannot be seen from here, or not yet."""
        try:
            clue = await self.backend(contender).runner_clue(self.contender(contender).model)
        except BackendFailed:
            return None
        return RunnerTarget.of_clue(clue)

    def phase(
        self, phase: Phase, trial_id: str | None = None, step: Step | None = None, names: Sequence[str] = ()
    ) -> None:
        """Reports what is being done from now on."""
        detail = None if step is None else PhaseDetail(step=step, names=tuple(names))
        self.emit(PhaseChanged(t_ns=self.clock_ns(), phase=phase, trial_id=trial_id, detail=detail))

    def note(self, level: Level, problem: Problem) -> None:
        """Reports something worth keeping with the session."""
        self.emit(Noted(t_ns=self.clock_ns(), level=level, problem=problem))
