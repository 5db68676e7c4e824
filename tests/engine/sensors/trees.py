"""Trees of files that look like ``/proc`` and ``/sys``, and a real process that looks like a model's runner."""

from __future__ import annotations

import contextlib
import ipaddress
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

TICKS_PER_S = 100
BLOB = "0123456789abcdef" * 4

Value = TypeVar("Value")

_RUNNER = """
import sys, time
held = bytearray(b"x") * int(sys.argv[1])
print("ready", flush=True)
busy_until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < busy_until:
    pass
time.sleep(120)
"""
_SERVER = """
import socket, subprocess, sys
listening = socket.create_server(("127.0.0.1", 0))
held = bytearray(b"x") * int(sys.argv[1])
runners = []
print(listening.getsockname()[1], flush=True)
for line in sys.stdin:
    for runner in runners:
        runner.kill()
        runner.wait()
    words = line.split()
    runners = [subprocess.Popen([sys.executable, "-c", *sys.argv[2:], *words], stdout=subprocess.PIPE)] if words else []
    said = [runner.stdout.readline() for runner in runners]
    print(*(runner.pid for runner in runners), flush=True)
for runner in runners:
    runner.kill()
"""


def lay(root: Path, files: Mapping[str, str]) -> Path:
    """Write files in a folder; return the folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def stat_line(pid: int, *, cpu_s: float = 0.0, started_s: float = 5.0, parent: int = 1, state: str = "S") -> str:
    """Return ``/proc/PID/stat`` of a program whose name is hard to parse."""
    ticks = round(cpu_s * TICKS_PER_S)
    before = f"{pid} (a) b) c) {state} {parent} 1 1 0 -1 4194560 100 0 0 0 {ticks} 0 0 0 20 0 1 0"
    return f"{before} {round(started_s * TICKS_PER_S)} 1000000 500 18446744073709551615"


def process(
    pid: int,
    *arguments: str,
    anon_kb: int = 1000,
    file_kb: int = 200,
    cpu_s: float = 0.0,
    started_s: float = 5.0,
    parent: int = 1,
) -> dict[str, str]:
    """The files of one process."""
    memory = f"VmHWM:\t{anon_kb + file_kb + 50} kB\nRssAnon:\t{anon_kb} kB\nRssFile:\t{file_kb} kB\n"
    return {
        f"{pid}/stat": stat_line(pid, cpu_s=cpu_s, started_s=started_s, parent=parent),
        f"{pid}/cmdline": "".join(f"{argument}\0" for argument in arguments),
        f"{pid}/status": f"Name:\tx\n{memory}",
    }


def listen(
    root: Path, port: int, *pids: int, address: str = "127.0.0.1", uid: int = 1000, inode: int | None = None
) -> None:
    """Let processes hold a listening socket; without any, one of a user whose descriptors are not readable."""
    inode = port if inode is None else inode
    packed = ipaddress.ip_address(address).packed
    words = "".join(
        f"{int.from_bytes(packed[at : at + 4], sys.byteorder):08X}" for at in range(0, len(packed), 4)
    )  # each in the machine's own byte order
    table = root / "net" / ("tcp6" if ":" in address else "tcp")
    table.parent.mkdir(parents=True, exist_ok=True)
    before = table.read_text() if table.exists() else "  sl  local_address rem_address   st …\n"
    table.write_text(
        f"{before}   0: {words}:{port:04X} {'0' * len(words)}:0000 0A 00000000:00000000 00:00000000 00000000"
        f"  {uid}        0 {inode} 1 0000000000000000 100 0 0 10 0\n"
    )
    for pid in pids:
        (root / str(pid) / "fd").mkdir(parents=True, exist_ok=True)
        link = root / str(pid) / "fd" / str(inode)
        link.unlink(missing_ok=True)
        link.symlink_to(f"socket:[{inode}]")


class StandInServer:
    """A real process that listens and starts runners below it, as Ollama does."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.pid = process.pid
        self.port = port
        self._process = process

    def run(self, *arguments: str, hold_bytes: int = 0, busy_s: float = 0.0) -> int:
        """End the previous runner and start one with these arguments; return its pid once it holds its memory."""
        return int(self._tell(" ".join((str(hold_bytes), str(busy_s), *arguments))))

    def unload(self) -> None:
        """End the runner."""
        self._tell("")

    def _tell(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextlib.contextmanager
def stand_in_server(*before: str, hold_bytes: int = 0) -> Iterator[StandInServer]:
    """A server that listens on a port of its own; ``before`` starts it, such as ``setpriv --reuid 65534``."""
    command = [*before, sys.executable, "-c", _SERVER, str(hold_bytes), _RUNNER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield StandInServer(server, int(server.stdout.readline()))
        finally:
            assert server.stdin is not None
            server.stdin.close()
            server.wait(20)


@contextlib.contextmanager
def stand_in_runner(*arguments: str, hold_bytes: int = 0, busy_s: float = 0.0) -> Iterator[subprocess.Popen[str]]:
    """A real process with a runner's arguments that holds memory and keeps one core busy; ready when this enters."""
    command = [sys.executable, "-c", _RUNNER, str(hold_bytes), str(busy_s), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        try:
            assert runner.stdout.readline() == "ready\n"
            yield runner
        finally:
            runner.kill()


def wait_for(look: Callable[[], Value | None], within_s: float = 60.0) -> Value:
    """Ask until the answer is something."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if value := look():
            return value
        time.sleep(0.01)
    raise AssertionError(f"nothing within {within_s} s")
