"""Trees of files that look like ``/proc`` and ``/sys``, and a real process that looks like a model's runner."""

from __future__ import annotations

import contextlib
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


def lay(root: Path, files: Mapping[str, str]) -> Path:
    """Write files under a folder; gives the folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def stat_line(pid: int, *, cpu_s: float = 0.0, started_s: float = 5.0, parent: int = 1, state: str = "S") -> str:
    """``/proc/PID/stat`` of a program whose name tries to confuse the reader."""
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


def wait_for(look: Callable[[], Value | None], within_s: float = 20.0) -> Value:
    """Ask until the answer is something."""
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if value := look():
            return value
        time.sleep(0.01)
    raise AssertionError(f"nothing within {within_s} s")
