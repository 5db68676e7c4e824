"""One session from its first event to its last: folder, files, sampler, experiment."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, cast, get_args

from llmtui.backends.base import Backend, BackendFailed, ServerInfo
from llmtui.core.commands import StartPlan
from llmtui.core.events import SCHEMA, Paused, Resumed, SessionFinished, SessionOpened, SessionResumed, SessionStarted
from llmtui.core.plan import BUILTIN, Plan
from llmtui.core.records import Fingerprint, Problem, ProblemError, ServerKind
from llmtui.core.session import Session
from llmtui.engine.context import RunContext
from llmtui.engine.experiment import Experiment, How
from llmtui.engine.fingerprint import MachineFacts, fingerprint
from llmtui.engine.recorder import Recorder, SessionFiles
from llmtui.engine.resuming import Interrupted, changes_since, clock_shift_ns, told_changes
from llmtui.engine.sampler import DEMO_HZ, STEADY_HZ, Sampler
from llmtui.engine.sensors.machine import Machine
from llmtui.engine.servers import Servers
from llmtui.store.lock import JournalBusy
from llmtui.store.session_folder import create_session_folder


class CannotStart(ProblemError):
    """A plan cannot be run; ``problem`` has the reason."""


class Completed(NamedTuple):
    """A completed run, kept so that rounds can be added to it."""

    files: SessionFiles
    session: Session
    left_out: frozenset[int]
    """Indices of the contenders that the user skipped for the rest of the session."""


class SessionRun:
    """A run that starts a session, or continues one."""

    def __init__(
        self,
        command: StartPlan,
        servers: Servers,
        recorder: Recorder,
        *,
        before: Completed | None = None,
        more_rounds: int = 0,
        interrupted: Interrupted | None = None,
        accept_changes: bool = False,
    ) -> None:
        """Check the plan; no request is sent yet.

        Args:
            command: the plan and where to save it.
            servers: the open backends.
            recorder: receives all events.
            before: a complete session to continue, instead of starting a new one.
            more_rounds: number of rounds to add to ``before``.
            interrupted: an interrupted session to complete, instead of starting a new one.
            accept_changes: whether to run ``interrupted`` even if its conditions have changed.

        Raises:
            CannotStart: the plan has nothing that can be run.
        """
        self._command = command
        self._servers = servers
        self._recorder = recorder
        self._before = before
        self._more_rounds = more_rounds
        self._interrupted = interrupted
        self._accept_changes = accept_changes
        self._files: SessionFiles | None = None
        self.completed: Completed | None = None
        """Set at the end of a run that was completed."""
        self.is_over = False
        """Whether no more requests will be sent. The last event has been reported or is about to be."""
        plan = command.plan
        _check(plan)
        backends = _backends(plan, servers)
        hz = DEMO_HZ if all(contender.model.is_demo for contender in plan.contenders) else STEADY_HZ
        own_pids = [os.getpid()] if command.ui_pid is None else [os.getpid(), command.ui_pid]
        self._sampler = Sampler(Machine(own_pids), recorder.emit, steady_hz=hz)
        self._context = RunContext(plan, backends, emit=recorder.emit, watch=self._sampler)
        self.experiment = Experiment(
            self._context,
            settled=self._settled,
            session=self._session,
            so_far=None if before is None else before.session,
            interrupted=interrupted,
        )
        if before is not None:
            self.experiment.control.left_out |= before.left_out

    def more(self, rounds: int) -> SessionRun:
        """Return a run that adds rounds to this run's session. This run must already be complete.

        Raises:
            CannotStart: the server's address is malformed.
        """
        assert self.completed is not None, "only runs that came to their end are gone on with"
        return SessionRun(self._command, self._servers, self._recorder, before=self.completed, more_rounds=rounds)

    def pause(self) -> None:
        """Pause after the current trial."""
        self._steer(paused=True)

    def resume(self) -> None:
        """End the pause, or withdraw the request for one."""
        self._steer(paused=False)

    def _steer(self, *, paused: bool) -> None:
        control = self.experiment.control
        if control.paused == paused:
            return
        control.pause() if paused else control.resume()
        if self.began and not self.is_over:
            self._tell_pause()

    def _tell_pause(self) -> None:
        """Report whether a pause is requested."""
        told = Paused if self.experiment.control.paused else Resumed
        self._recorder.emit(told(t_ns=time.perf_counter_ns()))

    @property
    def began(self) -> bool:
        """Whether the session's first event has been reported."""
        return self._files is not None

    async def run(self, facts: asyncio.Task[MachineFacts]) -> None:
        """Open the session, run its plan, and close it.

        If the task is cancelled, the session ends properly and CancelledError is not raised.

        Raises:
            CannotStart: the folder cannot be written, or the run was cancelled before it began. If a session is
                continued, also: the server does not respond, or its version has changed.
        """
        how: How = "failed"
        try:
            known = await asyncio.shield(facts)
            if self._interrupted is not None:
                await self._resume(known, self._interrupted)
            else:
                await (self._open(known) if self._before is None else self._reopen(known, self._before))
        except asyncio.CancelledError:
            raise CannotStart(Problem(code="cancelled")) from None
        if self.experiment.control.paused:  # it was requested before the session began
            self._tell_pause()
        gc.collect()
        gc.freeze()
        self._sampler.start()
        try:
            how = await self.experiment.run()
        finally:
            self._sampler.stop()
            self.is_over = True
            self._recorder.emit(SessionFinished(t_ns=time.perf_counter_ns(), wall_ns=time.time_ns(), how=how))
            await self._settled()
        if how == "complete" and self._files is not None:
            left_out = frozenset(self.experiment.control.left_out)
            self.completed = Completed(self._files, self._files.session(), left_out)

    async def _open(self, facts: MachineFacts) -> None:
        plan = self._command.plan
        print_of_it = self._fingerprint(facts, await self._ask_all())
        wall_ns = time.time_ns()
        try:
            folder = create_session_folder(Path(self._command.results_dir), wall_ns)
            started = SessionStarted(
                schema=SCHEMA,
                session_id=folder.name,
                t_ns=time.perf_counter_ns(),
                wall_ns=wall_ns,
                fingerprint=print_of_it,
                plan=plan,
            )
            self._files = self._recorder.open_session(folder, started)
        except (OSError, JournalBusy) as error:
            raise CannotStart(_unwritable(self._command.results_dir, error)) from error
        self._recorder.emit(SessionOpened(session_id=folder.name, folder=str(folder.resolve())))

    async def _reopen(self, facts: MachineFacts, before: Completed) -> None:
        """Continue a completed session; refuse if the conditions are not those of its start."""
        infos = await self._ask_all()
        if self._context.absent:
            raise CannotStart(next(iter(self._context.absent.values())))
        then, now = before.session.fingerprint.server_version, self._fingerprint(facts, infos).server_version
        if then != now:
            raise CannotStart(Problem(code="server_changed", args={"then": then or "?", "now": now or "?"}))
        try:
            self._recorder.reopen_session(before.files)
        except (OSError, JournalBusy) as error:
            raise CannotStart(_unwritable(self._command.results_dir, error)) from error
        self._files = before.files
        self.experiment.extend(self._more_rounds)

    async def _resume(self, facts: MachineFacts, of: Interrupted) -> None:
        """Continue an interrupted session; refuse if its conditions have changed and the user has not accepted that."""
        infos = await self._ask_all()
        if self._context.absent:
            raise CannotStart(next(iter(self._context.absent.values())))
        try:
            version = self._fingerprint(facts, infos).server_version
            changes = await changes_since(of, self._context.backends, version)
        except BackendFailed as failed:
            raise CannotStart(failed.problem) from failed
        if changes and not self._accept_changes:
            raise CannotStart(told_changes(changes))
        shift_ns = clock_shift_ns(of, time.perf_counter_ns(), time.time_ns())
        try:
            self._files = self._recorder.resume_session(of.folder, of.started, of.events, shift_ns=shift_ns)
        except (OSError, JournalBusy) as error:
            raise CannotStart(_unwritable(str(of.folder), error)) from error
        self._recorder.emit(SessionOpened(session_id=of.folder.name, folder=str(of.folder.resolve())))
        self._recorder.emit(SessionResumed(t_ns=time.perf_counter_ns(), wall_ns=time.time_ns()))
        for change in changes:
            self._context.note("warning", change)

    def _fingerprint(self, facts: MachineFacts, infos: Mapping[str, ServerInfo]) -> Fingerprint:
        kinds = sorted(self._context.backends, key=lambda kind: kind == BUILTIN)
        main = self._context.backends[kinds[0]]  # its address is in the plan
        return fingerprint(
            facts,
            kind=main.kind,
            address=self._command.plan.server,
            info=infos.get(main.kind),
            beside=[infos[kind] for kind in kinds[1:] if kind in infos],
            sampling_hz=self._sampler.hz,
        )

    async def _ask_all(self) -> dict[str, ServerInfo]:
        """Ask every server of the plan for its version. If a server does not respond, its trials will fail."""
        infos: dict[str, ServerInfo] = {}
        for kind, backend in self._context.backends.items():
            with suppress(BackendFailed):
                infos[kind] = await self._context.ask_info(backend)
        return infos

    async def _settled(self) -> None:
        await asyncio.wrap_future(self._recorder.mark())

    async def _session(self) -> Session | None:
        return await asyncio.wrap_future(self._recorder.session())


def _check(plan: Plan) -> None:
    if not plan.contenders:
        raise CannotStart(Problem(code="no_model_picked"))
    if not plan.kinds or ("warm" in plan.kinds and not plan.prompts and "cold" not in plan.kinds):
        raise CannotStart(Problem(code="no_prompt_picked"))


def _backends(plan: Plan, servers: Servers) -> Mapping[str, Backend]:
    backends: dict[str, Backend] = {}
    for contender in plan.contenders:
        kind = contender.model.backend
        if kind not in get_args(ServerKind):
            raise CannotStart(Problem(code="unknown_backend", args={"name": contender.model.name, "kind": kind}))
        try:
            backends[kind] = servers.backend(cast("ServerKind", kind), plan.server)
        except BackendFailed as failed:
            raise CannotStart(failed.problem) from failed
    return backends


def _unwritable(results_dir: str, error: OSError | JournalBusy) -> Problem:
    if isinstance(error, JournalBusy):
        return Problem(code="results_in_use", args={"folder": str(error.path.parent), "pid": error.pid or "?"})
    why = error.strerror or str(error)
    return Problem(code="results_unwritable", args={"folder": results_dir}, detail=why)
