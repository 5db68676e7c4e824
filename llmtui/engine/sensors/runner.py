"""The runner: the process in which a model runs, found from the server's listening socket or by its pid.

A server such as Ollama runs each model in a child process with ``--model FILE`` among its arguments. If FILE contains a
hash, only the hash is compared, since a container sees other paths. Only that server's own children are considered.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

import msgspec

from llmtui.backends.base import RunnerClue, ServerEndpoint
from llmtui.engine.sensors.listening import ancestors, descendants, server_process
from llmtui.engine.sensors.processes import ProcessMemory, ProcessTable, ProcessTimes

_BLOB = re.compile(r"sha256[-:]([0-9a-fA-F]{12,64})")


class RunnerTarget(msgspec.Struct, frozen=True, kw_only=True):
    """How to recognise the process of a model: by its pid, or by the endpoint at which its server listens."""

    pid: int | None = None
    """Process id, if llmtui started the process itself. The other fields are then ignored."""
    place: ServerEndpoint | None = None
    """Endpoint of the model's server."""
    blob_hex: str | None = None
    """SHA-256 of the model file in hexadecimal, or its beginning, for servers that run each model in a child
    process.
    """
    argument: str | None = None
    """The value of ``--model``, or the file name at its end. Set if the server runs each model in a child process and
    the value has no hash.
    """

    @classmethod
    def of_clue(cls, clue: RunnerClue | None) -> RunnerTarget | None:
        """Return the target for a backend's clue; None if the server is not on this machine."""
        if clue is None or (clue.pid is None and clue.place is None):
            return None
        if clue.pid is not None:
            return cls(pid=clue.pid)
        blob = _BLOB.search(clue.model_argument or "")
        if blob is not None:
            return cls(place=clue.place, blob_hex=blob[1].lower())
        return cls(place=clue.place, argument=clue.model_argument)

    @property
    def is_child(self) -> bool:
        """Whether the server runs this model in a separate process, recognised by the file's hash or name."""
        return self.blob_hex is not None or self.argument is not None

    def is_named_in(self, arguments: Sequence[str]) -> bool:
        """Return whether a process with these arguments runs this model."""
        return any(self._is(value) for option in ("--model", "-m") for value in _values_of(arguments, option))

    def _is(self, value: str) -> bool:
        if self.blob_hex is not None:
            blob = _BLOB.search(value)
            return blob is not None and blob[1].lower().startswith(self.blob_hex)
        return value == self.argument or re.split(r"[/\\]", value)[-1] == self.argument


class ProcessId(msgspec.Struct, frozen=True):
    """A process: pid and start together, since pids alone are reused."""

    pid: int
    started_s: float


class RunnerProcess(msgspec.Struct, frozen=True, kw_only=True):
    """The process of a model. The data are valid as long as a process with this pid has this start time."""

    pid: int
    started_s: float
    weights_in_anon: bool
    """Whether memory-mapping of the model file is turned off, so that the weights are in anonymous memory."""
    beside: tuple[ProcessId, ...] = ()
    """Child processes of this one, such as vLLM's engine cores. Their memory and CPU time count as the model's."""


class RunnerSearch(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a search for the process of a model."""

    runner: RunnerProcess | None = None
    server: ProcessId | None = None
    """The server, if it runs each model in a child process. Set even if no such child exists at present."""

    @property
    def is_seen(self) -> bool:
        """Whether the server's processes, if it has any now, are distinguishable from all others."""
        return self.runner is not None or self.server is not None


class RunnerReading(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of the processes of a model."""

    runner: RunnerProcess
    times: ProcessTimes
    beside: tuple[ProcessTimes, ...] = ()
    memory: ProcessMemory | None = None
    """Memory of all processes of the model."""
    disk_read_bytes: int | None = None
    """Bytes read from disk since the processes started; None if only their owner may read that."""

    @property
    def resident_bytes(self) -> int | None:
        """All memory of the processes in RAM: mapped files and anonymous memory."""
        return None if self.memory is None else self.memory.anon_bytes + (self.memory.file_bytes or 0)


def find_runner(target: RunnerTarget, processes: ProcessTable, own: Collection[int] = ()) -> RunnerSearch:
    """Find the processes that run a model.

    Unless the pid is known, all processes are searched, which takes from a few to tens of milliseconds. If a server has
    several child processes for one model, the youngest is taken, since after a reload the old one may still be ending.

    Args:
        target: how to recognise the process.
        processes: the processes of this machine.
        own: llmtui's processes. These, their parents and their children are never taken for the model's.
    """
    if target.pid is not None:
        times = processes.times(target.pid)
        return RunnerSearch() if times is None else RunnerSearch(runner=_runner(times, processes, ()))
    if target.place is None:
        return RunnerSearch()
    parents = processes.parents()
    never = {*own, *(pid for one in own for pid in (*ancestors(one, parents), *descendants(one, parents)))}
    server = server_process(target.place, processes, parents, never)
    times = None if server is None else processes.times(server)
    if times is None:
        return RunnerSearch()
    below = descendants(times.pid, parents, without=never)
    if not target.is_child:
        return RunnerSearch(runner=_runner(times, processes, below))
    identity = ProcessId(times.pid, times.started_s)
    named = [
        one
        for pid in below
        if target.is_named_in(processes.command_line(pid) or ()) and (one := processes.times(pid)) is not None
    ]
    if not named:
        return RunnerSearch(server=identity)
    youngest = max(named, key=lambda one: one.started_s)
    beside = descendants(youngest.pid, parents, without=never)
    return RunnerSearch(runner=_runner(youngest, processes, beside), server=identity)


class RunnerSensor:
    """Reads CPU time and memory of the model's processes that were last passed to ``follow``."""

    def __init__(self, processes: ProcessTable) -> None:
        self._processes = processes
        self._expects = False
        self._found = RunnerSearch()

    def expect(self, *, here: bool) -> None:
        """Follow no process until ``follow`` is called.

        Args:
            here: whether the server is on this machine.
        """
        self._expects = here
        self._found = RunnerSearch()

    def follow(self, found: RunnerSearch) -> None:
        """Follow the processes found by a search from now on."""
        self._found = found

    @property
    def is_hidden(self) -> bool:
        """Whether the server works on this machine with processes that cannot be distinguished from other programs."""
        return self._expects and not self._found.is_seen

    def read(self) -> RunnerReading | None:
        """Return the present CPU time and memory of the model's processes; None if the main one has ended."""
        runner = self._found.runner
        times = None if runner is None else self._alive(ProcessId(runner.pid, runner.started_s))
        if runner is None or times is None:
            return None
        beside = tuple(one for other in runner.beside if (one := self._alive(other)) is not None)
        pids = [times.pid, *(one.pid for one in beside)]
        return RunnerReading(
            runner=runner,
            times=times,
            beside=beside,
            memory=_together(self._processes.memory(pid) for pid in pids),
            disk_read_bytes=_sum([self._processes.disk_read_bytes(pid) for pid in pids]),
        )

    def read_server(self) -> ProcessTimes | None:
        """Return the CPU time of the server that started the model's process; None if there is no such server."""
        return None if self._found.server is None else self._alive(self._found.server)

    def _alive(self, process: ProcessId) -> ProcessTimes | None:
        times = self._processes.times(process.pid)
        return times if times is not None and times.started_s == process.started_s else None


def _runner(times: ProcessTimes, processes: ProcessTable, below: Iterable[int]) -> RunnerProcess:
    beside = (processes.times(pid) for pid in sorted(below))
    return RunnerProcess(
        pid=times.pid,
        started_s=times.started_s,
        weights_in_anon=_keeps_weights_in_anon(processes.command_line(times.pid) or ()),
        beside=tuple(ProcessId(one.pid, one.started_s) for one in beside if one is not None),
    )


def _together(memories: Iterable[ProcessMemory | None]) -> ProcessMemory | None:
    """Return the memory of several processes. The sum has no peak, since their peaks were not simultaneous."""
    known = [memory for memory in memories if memory is not None]
    if not known:
        return None
    files = [memory.file_bytes for memory in known if memory.file_bytes is not None]
    return ProcessMemory(
        anon_bytes=sum(memory.anon_bytes for memory in known),
        file_bytes=sum(files) if files else None,
        peak_bytes=known[0].peak_bytes if len(known) == 1 else None,
    )


def _sum(values: Sequence[int | None]) -> int | None:
    return None if None in values else sum(value for value in values if value is not None)


def _values_of(arguments: Sequence[str], option: str) -> list[str]:
    apart = [value for name, value in pairwise(arguments) if name == option]
    return apart + [word.removeprefix(f"{option}=") for word in arguments if word.startswith(f"{option}=")]


def _keeps_weights_in_anon(arguments: Sequence[str]) -> bool:
    return "--no-mmap" in arguments or "none" in _values_of(arguments, "--load-mode")
