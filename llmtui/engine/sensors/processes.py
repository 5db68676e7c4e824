"""What single processes use: CPU time, memory, bytes read from disk, command line.

Linux is read from ``/proc`` directly, because it tells file-backed and anonymous memory apart there, also for another
user's process; other systems through psutil.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from llmtui.engine.sensors.base import PROC, has_proc, read_fields, read_text


class ProcessTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Who a process is, and the CPU time that it has used since it started."""

    pid: int
    started_s: float
    """On the scale of ``ProcessTable.now_s``. With the pid the identity of a process: pids are used again."""
    parent_pid: int
    cpu_s: float


class ProcessMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What a process holds in RAM, in bytes."""

    anon_bytes: int
    """Anonymous memory; where the system does not tell the two apart, everything."""
    file_bytes: int | None = None
    """Mapped files; None where the system does not tell."""
    peak_bytes: int | None = None
    """The most it ever held."""


class ProcessTable(Protocol):
    """The processes of this machine. Every answer is None for one that is gone or may not be read."""

    def now_s(self) -> float:
        """The time on the system's own scale, such as seconds since it started."""
        ...

    def times(self, pid: int) -> ProcessTimes | None:
        """Identity and CPU time."""
        ...

    def memory(self, pid: int) -> ProcessMemory | None:
        """Resident memory."""
        ...

    def disk_read_bytes(self, pid: int) -> int | None:
        """Bytes that it made the system fetch from storage since it started; page cache hits are not in it."""
        ...

    def command_line(self, pid: int) -> list[str] | None:
        """Arguments of one process, its program's name first."""
        ...

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Pid and arguments of every process that can be seen: a few ms to some tens."""
        ...


class ProcProcesses:
    """``/proc``, or a tree like it."""

    def __init__(self, proc_root: Path = PROC) -> None:
        self._proc_root = proc_root
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")

    def now_s(self) -> float:
        """Seconds since the machine started; 0 where there is no ``uptime``."""
        return float((read_text(self._proc_root / "uptime") or "0").split()[0])

    def times(self, pid: int) -> ProcessTimes | None:
        """Identity and CPU time; None also for a zombie."""
        stat = read_text(self._proc_root / str(pid) / "stat")
        if not stat:
            return None
        fields = stat[stat.rindex(")") + 2 :].split()  # the program's name before it may hold spaces and brackets
        if fields[0] in "ZX":
            return None
        return ProcessTimes(
            pid=pid,
            started_s=int(fields[19]) / self._ticks_per_s,
            parent_pid=int(fields[1]),
            cpu_s=(int(fields[11]) + int(fields[12])) / self._ticks_per_s,
        )

    def memory(self, pid: int) -> ProcessMemory | None:
        """RssAnon, RssFile and VmHWM of ``status``, which is readable for other users' processes too."""
        status = read_fields(self._proc_root / str(pid) / "status", "VmHWM", "RssAnon", "RssFile")
        if "RssAnon" not in status:
            return None
        return ProcessMemory(
            anon_bytes=status["RssAnon"], file_bytes=status.get("RssFile"), peak_bytes=status.get("VmHWM")
        )

    def disk_read_bytes(self, pid: int) -> int | None:
        """``read_bytes`` of ``io``; only the owner and root may read it."""
        return read_fields(self._proc_root / str(pid) / "io", "read_bytes").get("read_bytes")

    def command_line(self, pid: int) -> list[str] | None:
        """What ``cmdline`` holds; the system's own threads have none."""
        line = read_text(self._proc_root / str(pid) / "cmdline")
        return line.rstrip("\0").split("\0") if line else None

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Pid and arguments of every process that can be seen."""
        for folder in self._proc_root.iterdir():
            if folder.name.isdecimal() and (arguments := self.command_line(int(folder.name))):
                yield int(folder.name), arguments


class PsutilProcesses:
    """psutil, for systems without ``/proc``."""

    def __init__(self) -> None:
        import psutil

        self._psutil = psutil

    def now_s(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def times(self, pid: int) -> ProcessTimes | None:
        """Identity and CPU time."""
        try:
            process = self._psutil.Process(pid)
            used = process.cpu_times()
            return ProcessTimes(
                pid=pid,
                started_s=process.create_time(),
                parent_pid=process.ppid(),
                cpu_s=used.user + used.system,
            )
        except self._psutil.Error:
            return None

    def memory(self, pid: int) -> ProcessMemory | None:
        """Resident memory; mapped files are told apart only where psutil knows ``shared``."""
        try:
            info = self._psutil.Process(pid).memory_info()
        except self._psutil.Error:
            return None
        shared = getattr(info, "shared", None)
        return ProcessMemory(
            anon_bytes=info.rss - (shared or 0), file_bytes=shared, peak_bytes=getattr(info, "peak_wset", None)
        )

    def disk_read_bytes(self, pid: int) -> int | None:
        """None: what other systems count holds reads from the page cache too."""
        return None

    def command_line(self, pid: int) -> list[str] | None:
        """Arguments of one process."""
        try:
            arguments: list[str] = self._psutil.Process(pid).cmdline()
        except self._psutil.Error:
            return None
        return arguments or None

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Pid and arguments of every process that can be seen."""
        for process in self._psutil.process_iter(["cmdline"]):
            if arguments := process.info["cmdline"]:
                yield process.pid, arguments


def process_table(proc_root: Path = PROC) -> ProcessTable:
    """Gives the way to look at processes on this system."""
    return ProcProcesses(proc_root) if has_proc(proc_root) else PsutilProcesses()


def cpu_used_s(before: ProcessTimes | None, after: ProcessTimes | None, since_s: float) -> float | None:
    """Gives the CPU seconds that a process used between two looks, the first of them at ``since_s``.

    A process that was born in between counts from its start. None where it cannot be told: gone, or seen for the first
    time although it is older than that.
    """
    if after is None:
        return None
    if before is not None and (before.pid, before.started_s) == (after.pid, after.started_s):
        return max(0.0, after.cpu_s - before.cpu_s)
    return after.cpu_s if was_born_after(process=after, since_s=since_s) else None


def was_born_after(process: ProcessTimes, since_s: float) -> bool:
    """Whether a process started after a moment, with the 10 ms grain of both clocks allowed for."""
    return process.started_s >= since_s - 0.02
