"""Resource use of single processes: CPU time, memory, bytes read from disk; also their command lines.

On Linux, ``/proc`` is read directly, because it separates file-backed and anonymous memory, even for other users'
processes. On other systems psutil is used.
"""

from __future__ import annotations

import ipaddress
import os
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from llmtui.engine.sensors.base import PROC, has_proc, read_fields, text_of_file

_TCP_LISTEN: Final = "0A"


class ProcessTimes(msgspec.Struct, frozen=True, kw_only=True):
    """A process, with the CPU time that it has used since it started."""

    pid: int
    started_s: float
    """Start in seconds, on the scale of ``ProcessTable.now_s``. Pid and start identify a process, since pids are
    reused.
    """
    parent_pid: int
    cpu_s: float


class ProcessMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of a process in RAM, in bytes."""

    anon_bytes: int
    """Anonymous memory; all memory if the system does not separate the two."""
    file_bytes: int | None = None
    """Mapped files; None if the system does not report them."""
    peak_bytes: int | None = None
    """Highest memory since the process started, as counted by the system; None if it does not count it."""


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A listening TCP socket."""

    address: str
    """IP address; ``0.0.0.0`` and ``::`` mean every address."""
    owner_uid: int | None
    """Id of the user whose process opened the socket; None if the system does not report it."""
    pids: frozenset[int]
    """The visible processes that hold the socket. Other users' processes are usually not visible."""


class ProcessTable(Protocol):
    """The processes of this machine. Methods return None for a process that is gone or not readable."""

    def now_s(self) -> float:
        """Return the time in seconds on the system's own scale, such as seconds since it started."""
        ...

    def times(self, pid: int) -> ProcessTimes | None:
        """Return start, parent and CPU time of a process."""
        ...

    def memory(self, pid: int) -> ProcessMemory | None:
        """Return the memory of a process in RAM."""
        ...

    def disk_read_bytes(self, pid: int) -> int | None:
        """Return the bytes that a process has read from disk since it started, without reads from the page cache."""
        ...

    def command_line(self, pid: int) -> list[str] | None:
        """Return the arguments of one process, the program's name first."""
        ...

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield pid and arguments of every visible process. Takes from a few to tens of milliseconds."""
        ...

    def listeners(self, port: int) -> list[Listener]:
        """Return the sockets that listen on a port, with their processes. Takes from a few to tens of milliseconds."""
        ...

    def parents(self) -> dict[int, int]:
        """Return the parent of every visible process. Takes from a few to tens of milliseconds."""
        ...

    def owner(self, pid: int) -> int | None:
        """Return the id of the user that a process runs as."""
        ...


class ProcProcesses:
    """The processes in ``/proc``, or in a test's copy of it."""

    def __init__(self, proc_root: Path = PROC) -> None:
        self._proc_root = proc_root
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")

    def now_s(self) -> float:
        """Return the seconds since the machine started; 0 if the file ``uptime`` is missing."""
        return float((text_of_file(self._proc_root / "uptime") or "0").split()[0])

    def times(self, pid: int) -> ProcessTimes | None:
        """Return start, parent and CPU time of a process; None also for a zombie."""
        stat = text_of_file(self._proc_root / str(pid) / "stat")
        if not stat:
            return None
        fields = stat[stat.rindex(")") + 2 :].split()  # the program's name may have spaces and brackets
        if fields[0] in "ZX":
            return None
        return ProcessTimes(
            pid=pid,
            started_s=int(fields[19]) / self._ticks_per_s,
            parent_pid=int(fields[1]),
            cpu_s=(int(fields[11]) + int(fields[12])) / self._ticks_per_s,
        )

    def memory(self, pid: int) -> ProcessMemory | None:
        """Return RssAnon, RssFile and VmHWM of ``status``, which is readable for other users' processes too."""
        status = read_fields(self._proc_root / str(pid) / "status", "VmHWM", "RssAnon", "RssFile")
        if "RssAnon" not in status:
            return None
        return ProcessMemory(
            anon_bytes=status["RssAnon"], file_bytes=status.get("RssFile"), peak_bytes=status.get("VmHWM")
        )

    def disk_read_bytes(self, pid: int) -> int | None:
        """Return ``read_bytes`` from ``/proc/PID/io``. Only the process's owner and root can read that file."""
        return read_fields(self._proc_root / str(pid) / "io", "read_bytes").get("read_bytes")

    def command_line(self, pid: int) -> list[str] | None:
        """Return the arguments in ``cmdline``; None for the kernel's own threads, which have none."""
        line = text_of_file(self._proc_root / str(pid) / "cmdline")
        return line.rstrip("\0").split("\0") if line else None

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield pid and arguments of every visible process."""
        for pid in self._pids():
            if arguments := self.command_line(pid):
                yield pid, arguments

    def listeners(self, port: int) -> list[Listener]:
        """Return the sockets in ``net/tcp`` and ``net/tcp6``, with the processes whose ``fd`` folders show them."""
        sockets = [
            found
            for name in ("tcp", "tcp6")
            for line in (text_of_file(self._proc_root / "net" / name) or "").splitlines()[1:]
            if (found := _listening(line.split(), port)) is not None
        ]
        pids = self._holders({inode for _, _, inode in sockets}) if sockets else {}
        return [
            Listener(address=address, owner_uid=uid, pids=frozenset(pids.get(inode, ())))
            for address, uid, inode in sockets
        ]

    def _holders(self, inodes: Collection[str]) -> dict[str, set[int]]:
        links = {f"socket:[{inode}]": inode for inode in inodes}
        found: dict[str, set[int]] = {}
        for pid in self._pids():
            with suppress(OSError):
                for descriptor in os.listdir(f"{self._proc_root}/{pid}/fd"):  # noqa: PTH208  # thousands of them
                    inode = links.get(self._link(pid, descriptor))
                    if inode is not None:
                        found.setdefault(inode, set()).add(pid)
        return found

    def _link(self, pid: int, descriptor: str) -> str:
        """Return the target of a descriptor, such as ``socket:[4711]``; empty if the descriptor is closed."""
        try:
            return os.readlink(f"{self._proc_root}/{pid}/fd/{descriptor}")  # noqa: PTH115  # thousands of them
        except OSError:
            return ""

    def parents(self) -> dict[int, int]:
        """Return the parent of every process."""
        return {pid: times.parent_pid for pid in self._pids() if (times := self.times(pid)) is not None}

    def owner(self, pid: int) -> int | None:
        """Return the id of the user who owns the process's folder in ``/proc``."""
        try:
            return (self._proc_root / str(pid)).stat().st_uid
        except OSError:
            return None

    def _pids(self) -> Iterator[int]:
        for folder in self._proc_root.iterdir():
            if folder.name.isdecimal():
                yield int(folder.name)


class PsutilProcesses:
    """The processes as reported by psutil, for systems without ``/proc``."""

    def __init__(self) -> None:
        import psutil

        self._psutil = psutil

    def now_s(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def times(self, pid: int) -> ProcessTimes | None:
        """Return start, parent and CPU time of a process."""
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
        """Return the memory of a process in RAM. Mapped files are separate only if psutil reports ``shared``."""
        try:
            info = self._psutil.Process(pid).memory_info()
        except self._psutil.Error:
            return None
        shared = getattr(info, "shared", None)
        return ProcessMemory(
            anon_bytes=info.rss - (shared or 0), file_bytes=shared, peak_bytes=getattr(info, "peak_wset", None)
        )

    def disk_read_bytes(self, pid: int) -> int | None:
        """Return None, since the counts of other systems include reads from the page cache."""
        return None

    def command_line(self, pid: int) -> list[str] | None:
        """Return the arguments of one process."""
        try:
            arguments: list[str] = self._psutil.Process(pid).cmdline()
        except self._psutil.Error:
            return None
        return arguments or None

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield pid and arguments of every visible process."""
        for process in self._psutil.process_iter(["cmdline"]):
            if arguments := process.info["cmdline"]:
                yield process.pid, arguments

    def listeners(self, port: int) -> list[Listener]:
        """Return all listening sockets; only this user's if the system hides the others (macOS)."""
        pids: dict[str, set[int]] = {}
        for address, pid in self._listening(port):
            pids.setdefault(address, set()).update(() if pid is None else (pid,))
        return [Listener(address=address, owner_uid=None, pids=frozenset(holders)) for address, holders in pids.items()]

    def _listening(self, port: int) -> Iterator[tuple[str, int | None]]:
        for socket, pid in self._connections():
            if socket.status == self._psutil.CONN_LISTEN and socket.laddr and socket.laddr.port == port:
                yield socket.laddr.ip, pid

    def _connections(self) -> Iterator[tuple[Any, int | None]]:
        try:
            yield from ((socket, socket.pid) for socket in self._psutil.net_connections(kind="tcp"))
        except self._psutil.AccessDenied:
            for process in self._psutil.process_iter():
                with suppress(self._psutil.Error):
                    yield from ((socket, process.pid) for socket in process.net_connections(kind="tcp"))

    def parents(self) -> dict[int, int]:
        """Return the parent of every process."""
        return {process.pid: process.info["ppid"] or 0 for process in self._psutil.process_iter(["ppid"])}

    def owner(self, pid: int) -> int | None:
        """Return None: owners of processes are needed on Linux only."""
        return None


def _listening(fields: Sequence[str], port: int) -> tuple[str, int, str] | None:
    """Return address, user id and inode from a line of ``/proc/net/tcp``.

    Args:
        fields: the fields of the line.
        port: the port.

    Returns:
        The values; None if the socket does not listen on the port.
    """
    if len(fields) < 10 or fields[3] != _TCP_LISTEN:
        return None
    words, _, port_hex = fields[1].partition(":")
    if int(port_hex, 16) != port:
        return None
    # each 32 bits of the address are in the machine's byte order
    packed = b"".join(int(words[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(words), 8))
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(fields[7]), fields[9]


def process_table(proc_root: Path = PROC) -> ProcessTable:
    """Return the process table for this system.

    Args:
        proc_root: ``/proc``, or a test's copy of it.
    """
    return ProcProcesses(proc_root) if has_proc(proc_root) else PsutilProcesses()


def cpu_used_s(before: ProcessTimes | None, after: ProcessTimes | None, since_s: float) -> float | None:
    """Return the CPU seconds that a process used between two readings; None if they are not known.

    A process that started in between counts from its start. The time is not known if the process is gone, or if only
    the second reading has the process although it started before the first.

    Args:
        before: the process in the first reading, if it was there.
        after: the process in the second reading, if it was there.
        since_s: the time of the first reading.
    """
    if after is None:
        return None
    if before is not None and (before.pid, before.started_s) == (after.pid, after.started_s):
        return max(0.0, after.cpu_s - before.cpu_s)
    return after.cpu_s if was_born_after(process=after, since_s=since_s) else None


def was_born_after(process: ProcessTimes, since_s: float) -> bool:
    """Return whether a process started after a moment, allowing for the 10 ms resolution of both clocks."""
    return process.started_s >= since_s - 0.02
