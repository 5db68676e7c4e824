"""The process in which a model runs: finding it by the model file in its arguments, and what it uses.

A server's runner changed its name three times; what stayed is ``--model FILE`` among its arguments, with the SHA-256 of
the model file in it. Only the hash is compared where there is one, since a container sees other paths.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

import msgspec

from llmtui.backends.base import RunnerClue
from llmtui.engine.sensors.processes import ProcessMemory, ProcessTable, ProcessTimes

_BLOB = re.compile(r"sha256[-:]([0-9a-fA-F]{12,64})")


class RunnerTarget(msgspec.Struct, frozen=True, kw_only=True):
    """How a runner is told from other processes: by its pid, or by the ``--model`` argument."""

    pid: int | None = None
    """Known where llmtui started the runner itself; nothing else is looked at then."""
    blob_hex: str | None = None
    """SHA-256 of the model file in hexadecimal, or its beginning."""
    argument: str | None = None
    """The whole argument or the file's name at its end, for servers that are given a plain file or a name."""

    @classmethod
    def of(cls, source: str) -> RunnerTarget:
        """Gives the target for a model's source as a server tells it, such as ``…/blobs/sha256-…`` or a file's path."""
        blob = _BLOB.search(source)
        return cls(blob_hex=blob[1].lower()) if blob else cls(argument=source)

    @classmethod
    def of_clue(cls, clue: RunnerClue | None) -> RunnerTarget | None:
        """Gives the target for what a backend knows; None where it knows nothing."""
        if clue is None:
            return None
        if clue.pid is not None:
            return cls(pid=clue.pid)
        return None if clue.model_argument is None else cls.of(clue.model_argument)

    def is_named_in(self, arguments: Sequence[str]) -> bool:
        """Whether a process with these arguments runs this model."""
        return any(self._is(value) for option in ("--model", "-m") for value in _values_of(arguments, option))

    def _is(self, value: str) -> bool:
        if self.blob_hex is not None:
            blob = _BLOB.search(value)
            return blob is not None and blob[1].lower().startswith(self.blob_hex)
        return value == self.argument or re.split(r"[/\\]", value)[-1] == self.argument


class Runner(msgspec.Struct, frozen=True, kw_only=True):
    """A runner that was found. Stays valid as long as a process of this pid has this start."""

    pid: int
    started_s: float
    weights_in_anon: bool
    """It was told not to map its model file, so that the weights are in anonymous memory."""
    server_pid: int | None = None
    """The server that started it, where it is one: works for the runner, but is not it."""


class RunnerReading(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a live runner."""

    runner: Runner
    times: ProcessTimes
    memory: ProcessMemory | None = None
    disk_read_bytes: int | None = None
    """Fetched from storage since it started; None where that is private to its owner."""
    server: ProcessTimes | None = None

    @property
    def resident_bytes(self) -> int | None:
        """All that it holds in RAM: mapped files and anonymous memory."""
        return None if self.memory is None else self.memory.anon_bytes + (self.memory.file_bytes or 0)


def find_runner(target: RunnerTarget, processes: ProcessTable, not_pids: Collection[int] = ()) -> Runner | None:
    """Looks for the process that runs a model: through all of them (a few ms to some tens) where its pid is not known.

    Gives the youngest where there are several: after a reload the old one may still be on its way out. None where none
    can be seen from here.
    """
    found: list[tuple[ProcessTimes, list[str]]] = []
    for pid, arguments in _candidates(target, processes):
        if pid not in not_pids and (times := processes.times(pid)):
            found.append((times, arguments))
    if not found:
        return None
    times, arguments = max(found, key=lambda candidate: candidate[0].started_s)
    return Runner(
        pid=times.pid,
        started_s=times.started_s,
        weights_in_anon=_keeps_weights_in_anon(arguments),
        server_pid=_server_of(times, processes),
    )


class RunnerSensor:
    """Reads the runner that it was last told to follow."""

    name = "runner"

    def __init__(self, processes: ProcessTable) -> None:
        self._processes = processes
        self._runner: Runner | None = None
        self.source = "no runner looked for yet"

    def follow(self, runner: Runner | None) -> None:
        """From now on read this one."""
        self._runner = runner
        self.source = f"process {runner.pid}" if runner else "the runner is not visible from here"

    def read(self) -> RunnerReading | None:
        """Gives what the runner uses; None once it has ended."""
        runner = self._runner
        times = self._processes.times(runner.pid) if runner else None
        if runner is None or times is None or times.started_s != runner.started_s:
            return None
        return RunnerReading(
            runner=runner,
            times=times,
            memory=self._processes.memory(runner.pid),
            disk_read_bytes=self._processes.disk_read_bytes(runner.pid),
            server=self._processes.times(runner.server_pid) if runner.server_pid else None,
        )


def _candidates(target: RunnerTarget, processes: ProcessTable) -> Iterator[tuple[int, list[str]]]:
    if target.pid is None:
        yield from ((pid, arguments) for pid, arguments in processes.command_lines() if target.is_named_in(arguments))
    elif (arguments := processes.command_line(target.pid)) is not None:
        yield target.pid, arguments


def _values_of(arguments: Sequence[str], option: str) -> list[str]:
    apart = [value for name, value in pairwise(arguments) if name == option]
    return apart + [word.removeprefix(f"{option}=") for word in arguments if word.startswith(f"{option}=")]


def _keeps_weights_in_anon(arguments: Sequence[str]) -> bool:
    return "--no-mmap" in arguments or "none" in _values_of(arguments, "--load-mode")


def _server_of(runner: ProcessTimes, processes: ProcessTable) -> int | None:
    """The parent, if it is a model server: a runner started by hand has a shell there."""
    arguments = processes.command_line(runner.parent_pid)
    if arguments is None:
        return None
    program = re.split(r"[/\\]", arguments[0])[-1].lower()
    return runner.parent_pid if program.removesuffix(".exe") == "ollama" else None
