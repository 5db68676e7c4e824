"""Execution of commands. Each becomes a task; at most one task of each kind runs at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Final

from llmtui.backends.base import Backend, BackendFailed, PullStep
from llmtui.core.commands import (
    Cancel,
    CancelPull,
    Command,
    ExtendPlan,
    FindServers,
    ListModels,
    Pause,
    PullModel,
    Resume,
    ResumeSession,
    SetServer,
    ShowModel,
    Shutdown,
    Skip,
    StartPlan,
    StopWaiting,
)
from llmtui.core.events import CommandFailed, ModelsListed, PullProgressed, ServerChanged, ServersFound
from llmtui.core.plan import BUILTIN
from llmtui.core.records import Problem
from llmtui.engine.fingerprint import MachineFacts, machine_facts
from llmtui.engine.first_contact import find_servers, first_contact
from llmtui.engine.recorder import Recorder
from llmtui.engine.resuming import CannotResume, read_interrupted
from llmtui.engine.sensors.room import RoomSensor
from llmtui.engine.servers import Servers
from llmtui.engine.session_run import CannotStart, SessionRun

_CLOSE_LIMIT_S: Final = 0.3
_BUSY: Final = Problem(code="run_under_way")
_NO_SERVER: Final = Problem(code="no_server")
_NO_RUN: Final = Problem(code="no_run")
_NOTHING_TO_EXTEND: Final = Problem(code="nothing_to_extend")


class CommandRunner:
    """Executes commands in the event loop's thread. Results are events, sent through the recorder."""

    def __init__(self, recorder: Recorder, servers: Servers) -> None:
        self._recorder = recorder
        self._servers = servers
        self._chosen: SetServer | None = None
        self._run: SessionRun | None = None
        self._last: SessionRun | None = None
        """The last completed run, to which more rounds may be added."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._facts: asyncio.Task[MachineFacts] | None = None
        self._room = RoomSensor()
        self._closing = False
        self.closed = asyncio.Event()
        """Set when all tasks and servers that the runner started have ended."""
        self._carry_out: dict[type, Callable[[Any], None]] = {
            SetServer: self._set_server,
            FindServers: self._find_servers,
            ListModels: self._list_models,
            ShowModel: self._show_model,
            PullModel: self._pull_model,
            CancelPull: self._cancel_pull,
            StartPlan: self._start_plan,
            ResumeSession: self._resume_session,
            ExtendPlan: self._extend_plan,
            Pause: lambda command: self._steer(command, SessionRun.pause),
            Resume: lambda command: self._steer(command, SessionRun.resume),
            Skip: lambda command: self._steer(command, lambda run: run.experiment.control.skip(command.what)),
            StopWaiting: lambda command: self._steer(command, lambda run: run.experiment.control.stop_waiting()),
            Cancel: self._cancel,
            Shutdown: lambda _: self.shut_down(),
        }

    def prepare(self) -> None:
        """Start to collect data about this machine, so that a run does not have to wait for it."""
        self._facts = asyncio.create_task(asyncio.to_thread(machine_facts))

    def take(self, command: Command) -> None:
        """Execute a command. After a Shutdown, commands are ignored."""
        if self._closing:
            return
        if self._run is not None and self._run.is_over and "run" in self._tasks:
            # The run's last event was sent, and the reader may already have reacted to it.
            self._tasks["run"].add_done_callback(lambda _: self.take(command))
        else:
            self._carry_out[type(command)](command)

    def refuse(self, why: str) -> None:
        """Report that a line is not a command.

        Args:
            why: the reason.
        """
        self._fail("?", Problem(code="bad_command", detail=why))

    def shut_down(self) -> None:
        """End all tasks and servers, then set ``closed``; a second call does nothing."""
        if not self._closing:
            self._closing = True
            self._tasks["closing"] = asyncio.create_task(self._close())

    # --- tasks ----------------------------------------------------------------------------------------------------

    def _start(self, name: str, command: Command, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._ended(name, command, done))

    def _ended(self, name: str, command: Command, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if name == "run":
            self._run_ended()
        error = None if task.cancelled() else task.exception()
        if isinstance(error, BackendFailed | CannotStart):
            self._fail(type(command).__name__, error.problem)
        elif error is not None:
            self._fail(type(command).__name__, Problem(code="internal", detail=repr(error)))
            task.get_loop().call_exception_handler({"message": f"{name} failed", "exception": error, "task": task})

    def _fail(self, command: str, problem: Problem) -> None:
        self._recorder.emit(CommandFailed(command=command, problem=problem))

    async def _close(self) -> None:
        self._tasks.pop("closing")
        if self._run is not None:
            self._run.experiment.hurry()
        for task in list(self._tasks.values()):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))
        try:
            async with asyncio.timeout(_CLOSE_LIMIT_S):
                await self._servers.close_all_but()
        except TimeoutError:
            pass  # backends that are not closed now end with the process
        self.closed.set()

    # --- servers and models ---------------------------------------------------------------------------------------

    def _is_busy(self, command: Command) -> bool:
        if self._run is not None:
            self._fail(type(command).__name__, _BUSY)
            return True
        return False

    def _set_server(self, command: SetServer) -> None:
        if not self._is_busy(command):
            self._chosen = command
            self._servers.name(command)
            self._replace("server", command, self._tell_server())

    def _list_models(self, command: ListModels) -> None:
        if not self._is_busy(command):
            self._replace("server", command, self._tell_server())

    def _find_servers(self, command: FindServers) -> None:
        if not self._is_busy(command):
            self._replace("find", command, self._tell_found())

    async def _tell_found(self) -> None:
        self._recorder.emit(ServersFound(servers=await find_servers()))

    def _show_model(self, command: ShowModel) -> None:
        if not self._is_busy(command):
            self._replace("show", command, self._tell_model(command))

    def _replace(self, name: str, command: Command, work: Coroutine[Any, Any, None]) -> None:
        """Start a task. A running task with the same name is cancelled, since its result is no longer wanted."""
        if name in self._tasks:
            self._tasks[name].cancel()
        self._start(name, command, work)

    def _backend(self) -> Backend:
        if self._chosen is None:
            raise BackendFailed(_NO_SERVER)
        return self._servers.backend(self._chosen.kind, self._chosen.address)

    async def _tell_server(self) -> None:
        if self._chosen is None:
            self._tell_absent(_NO_SERVER)
            return
        try:
            backend, info, self._chosen = await first_contact(self._servers, self._chosen)
        except BackendFailed as failed:
            self._tell_absent(failed.problem)
            return
        builtin = self._builtin_beside(backend)
        await self._servers.close_all_but(backend, *builtin)
        self._recorder.emit(ServerChanged(address=info.address, kind=info.kind, version=info.version, local=info.local))
        try:
            models, resident = await backend.models(), await backend.resident() or ()
        except BackendFailed as failed:  # it answers, but cannot run anything
            self._tell_absent(failed.problem)
            return
        for beside in builtin:
            with suppress(BackendFailed):  # not installed: it has no models
                models += await beside.models()
        memory = await asyncio.to_thread(self._room.read) if info.local else None
        self._recorder.emit(ModelsListed(address=info.address, models=models, resident=resident, memory=memory))

    def _builtin_beside(self, chosen: Backend) -> tuple[Backend, ...]:
        """Return the built-in server if its models are listed together with those of another server, else ()."""
        if self._chosen is None or not self._chosen.with_builtin or chosen.kind == BUILTIN:
            return ()
        return (self._servers.backend(BUILTIN, ""),)

    def _tell_absent(self, problem: Problem) -> None:
        chosen = self._chosen or SetServer(address="")
        self._recorder.emit(ServerChanged(address=chosen.address, kind=chosen.kind, problem=problem))

    async def _tell_model(self, command: ShowModel) -> None:
        backend = self._backend()
        if command.backend == BUILTIN and backend.kind != BUILTIN:
            backend = self._servers.backend(BUILTIN, "")
        self._recorder.emit(await backend.show(command.name))

    def _pull_model(self, command: PullModel) -> None:
        if self._is_busy(command):
            return
        if "pull" in self._tasks:
            self._fail("PullModel", Problem(code="pull_under_way"))
            return
        self._start("pull", command, self._pull(command.name))

    def _cancel_pull(self, _: CancelPull) -> None:
        if "pull" in self._tasks:
            self._tasks["pull"].cancel()

    async def _pull(self, name: str) -> None:
        problem: Problem | None = None
        step = PullStep(status="")
        try:
            async with aclosing(self._backend().pull(name)) as steps:
                async for step in steps:
                    self._recorder.emit(_progress(name, step))
        except BackendFailed as failed:
            problem = failed.problem
        except asyncio.CancelledError:
            problem = Problem(code="pull_cancelled", args={"name": name})
        self._recorder.emit(_progress(name, step, done=True, problem=problem))

    # --- runs -----------------------------------------------------------------------------------------------------

    def _start_plan(self, command: StartPlan) -> None:
        if not self._is_busy(command):
            self._last = None
            self._begin(command, lambda: SessionRun(command, self._servers, self._recorder))

    def _resume_session(self, command: ResumeSession) -> None:
        if self._is_busy(command):
            return
        self._last = None
        try:
            interrupted = read_interrupted(Path(command.folder))
        except CannotResume as error:
            self._fail("ResumeSession", error.problem)
            return
        plan = StartPlan(
            plan=interrupted.session.plan, results_dir=str(interrupted.folder.parent), ui_pid=command.ui_pid
        )
        self._begin(
            command,
            lambda: SessionRun(
                plan,
                self._servers,
                self._recorder,
                interrupted=interrupted,
                accept_changes=command.accept_changes,
            ),
        )

    def _begin(self, command: Command, made: Callable[[], SessionRun]) -> None:
        """Start a run, unless a download in progress would disturb it."""
        name = type(command).__name__
        if "pull" in self._tasks:
            self._fail(name, Problem(code="pull_disturbs"))
            return
        try:
            self._run = made()
        except CannotStart as error:
            self._fail(name, error.problem)
            return
        for other in ("server", "show", "find"):
            if other in self._tasks:
                self._tasks[other].cancel()
        self._start("run", command, self._carry_out_plan(self._run))

    async def _carry_out_plan(self, run: SessionRun) -> None:
        if self._facts is None:
            self.prepare()
        assert self._facts is not None
        await run.run(self._facts)

    def _run_ended(self) -> None:
        """Keep a completed run, so that rounds can be added to it. If the run never began, keep the one before."""
        if self._run is not None and self._run.began:
            self._last = self._run if self._run.completed is not None else None
        self._run = None

    def _steer(self, command: Command, how: Callable[[SessionRun], object]) -> None:
        if self._run is None:
            self._fail(type(command).__name__, _NO_RUN)
        else:
            how(self._run)

    def _extend_plan(self, command: ExtendPlan) -> None:
        if command.rounds < 1:
            self._fail("ExtendPlan", Problem(code="bad_rounds", args={"n": command.rounds}))
        elif self._run is not None:
            if not self._run.experiment.extend(command.rounds):
                self._fail("ExtendPlan", _NO_RUN)
        elif self._last is None:
            self._fail("ExtendPlan", _NOTHING_TO_EXTEND)
        else:
            last = self._last
            self._begin(command, lambda: last.more(command.rounds))

    def _cancel(self, command: Cancel) -> None:
        self._steer(command, lambda _: self._tasks["run"].cancel())


def _progress(name: str, step: PullStep, *, done: bool = False, problem: Problem | None = None) -> PullProgressed:
    return PullProgressed(
        name=name,
        status=step.status,
        completed_bytes=step.completed_bytes,
        total_bytes=step.total_bytes,
        done=done,
        problem=problem,
    )
