"""Use of single processes: CPU time, memory, bytes read from disk, command line.

Linux is read from ``/proc`` directly, because it separates file-backed and anonymous memory there, also for another
user's process; other systems through psutil.
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
    """On the scale of ``ProcessTable.now_s``. Together with the pid it identifies a process: pids are reused."""
    parent_pid: int
    cpu_s: float


class ProcessMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of a process in RAM, in bytes."""

    anon_bytes: int
    """Anonymous memory; all memory where the system does not separate the two."""
    file_bytes: int | None = None
    """Mapped files; None where the system does not report them."""
    peak_bytes: int | None = None
    """The process's high-water mark."""


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A listening TCP socket."""

    address: str
    """IP address; ``0.0.0.0`` and ``::`` are every address."""
    owner_uid: int | None
    """The user whose process opened it; None where the system does not report it."""
    pids: frozenset[int]
    """The visible processes that hold it: usually none of another user's."""


class ProcessTable(Protocol):
    """The processes of this machine. Methods return None for a process that is gone or not readable."""

    def now_s(self) -> float:
        """Return the time on the system's own scale, such as seconds since it started."""
        ...

    def times(self, pid: int) -> ProcessTimes | None:
        """Return identity and CPU time."""
        ...

    def memory(self, pid: int) -> ProcessMemory | None:
        """Return resident memory."""
        ...

    def disk_read_bytes(self, pid: int) -> int | None:
        """Return the bytes that it fetched from storage since it started, without page cache hits."""
        ...

    def command_line(self, pid: int) -> list[str] | None:
        """Return the arguments of one process, the program's name first."""
        ...

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield pid and arguments of every visible process; takes a few ms to some tens."""
        ...

    def listeners(self, port: int) -> list[Listener]:
        """Return the sockets that listen on a port, with their processes; takes a few ms to some tens."""
        ...

    def parents(self) -> dict[int, int]:
        """Return the parent of every visible process; takes a few ms to some tens."""
        ...

    def owner(self, pid: int) -> int | None:
        """Return the user that a process runs as."""
        ...


class ProcProcesses:
    """``/proc``, or a tree like it."""

    def __init__(self, proc_root: Path = PROC) -> None:
        self._proc_root = proc_root
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")

    def now_s(self) -> float:
        """Return the seconds since the machine started; 0 without ``uptime``."""
        return float((text_of_file(self._proc_root / "uptime") or "0").split()[0])

    def times(self, pid: int) -> ProcessTimes | None:
        """Return identity and CPU time; None also for a zombie."""
        stat = text_of_file(self._proc_root / str(pid) / "stat")
        if not stat:
            return None
        fields = stat[stat.rindex(")") + 2 :].split()  # the program's name before it may have spaces and brackets
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
        """Return ``read_bytes`` of ``io``, readable only by the owner and root."""
        return read_fields(self._proc_root / str(pid) / "io", "read_bytes").get("read_bytes")

    def command_line(self, pid: int) -> list[str] | None:
        """Return the fields of ``cmdline``; the system's own threads have none."""
        line = text_of_file(self._proc_root / str(pid) / "cmdline")
        return line.rstrip("\0").split("\0") if line else None

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield pid and arguments of every visible process."""
        for pid in self._pids():
            if arguments := self.command_line(pid):
                yield pid, arguments

    def listeners(self, port: int) -> list[Listener]:
        """Return the sockets in ``net/tcp`` and ``net/tcp6``, with the holders that the ``fd`` folders show."""
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
        """Return the target of a descriptor, such as ``socket:[4711]``; empty once it is closed."""
        try:
            return os.readlink(f"{self._proc_root}/{pid}/fd/{descriptor}")  # noqa: PTH115  # thousands of them
        except OSError:
            return ""

    def parents(self) -> dict[int, int]:
        """Return the parent of every process."""
        return {pid: times.parent_pid for pid in self._pids() if (times := self.times(pid)) is not None}

    def owner(self, pid: int) -> int | None:
        """Return the owner of the process's folder."""
        try:
            return (self._proc_root / str(pid)).stat().st_uid
        except OSError:
            return None

    def _pids(self) -> Iterator[int]:
        for folder in self._proc_root.iterdir():
            if folder.name.isdecimal():
                yield int(folder.name)


class PsutilProcesses:
    """psutil, for systems without ``/proc``."""

    def __init__(self) -> None:
        import psutil

        self._psutil = psutil

    def now_s(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def times(self, pid: int) -> ProcessTimes | None:
        """Return identity and CPU time."""
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
        """Return resident memory; mapped files are separate only where psutil knows ``shared``."""
        try:
            info = self._psutil.Process(pid).memory_info()
        except self._psutil.Error:
            return None
        shared = getattr(info, "shared", None)
        return ProcessMemory(
            anon_bytes=info.rss - (shared or 0), file_bytes=shared, peak_bytes=getattr(info, "peak_wset", None)
        )

    def disk_read_bytes(self, pid: int) -> int | None:
        """Return None: the counts of other systems include reads from the page cache."""
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
        """Return all sockets, or only this user's where the system hides the rest (macOS)."""
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
        """Return None: the owners of other users' sockets are looked up on Linux only."""
        return None


def _listening(fields: Sequence[str], port: int) -> tuple[str, int, str] | None:
    """Return address, user and inode in a line of ``/proc/net/tcp``, if it is a socket that listens on the port."""
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
    """Return this system's process table."""
    return ProcProcesses(proc_root) if has_proc(proc_root) else PsutilProcesses()


def cpu_used_s(before: ProcessTimes | None, after: ProcessTimes | None, since_s: float) -> float | None:
    """Return the CPU seconds that a process used between two readings, the first of them at ``since_s``.

    A process that was started in between counts from its start. None where unknown: it is gone, or was first seen later
    although it is older than ``since_s``.
    """
    if after is None:
        return None
    if before is not None and (before.pid, before.started_s) == (after.pid, after.started_s):
        return max(0.0, after.cpu_s - before.cpu_s)
    return after.cpu_s if was_born_after(process=after, since_s=since_s) else None


def was_born_after(process: ProcessTimes, since_s: float) -> bool:
    """Return whether a process started after a moment, allowing for the 10 ms resolution of both clocks."""
    return process.started_s >= since_s - 0.02
