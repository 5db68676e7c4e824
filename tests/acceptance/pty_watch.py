"""Time of a program's first paint: a pseudo-terminal read as bytes, so that no polling adds to the figure."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

COLUMNS, ROWS = 140, 40
LIMIT_S = 30.0


class Painted(NamedTuple):
    """The first paint of a program that still runs."""

    after_s: float
    """From its start to the first bytes with the text that was looked for."""
    cpu_s: float
    """Its CPU time by then, without its children: independent of other users of the cores."""
    pid: int


@contextmanager
def painted(command: Sequence[str], text: str, *, env: Mapping[str, str], cwd: str) -> Iterator[Painted]:
    """Run a program until it has painted a text, then for the ``with`` block, then end it.

    Raises:
        AssertionError: it has not within 30 s; with the end of its output.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    began_s = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, cwd=cwd, start_new_session=True,
        env=dict(os.environ) | {"TERM": "xterm-256color"} | dict(env),
    )  # fmt: skip
    os.close(slave)
    try:
        after_s = _until(master, text.encode(), began_s)
        yield Painted(after_s, _cpu_s(process.pid), process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(master)


def _until(descriptor: int, text: bytes, began_s: float) -> float:
    written = b""
    while text not in written:
        left_s = began_s + LIMIT_S - time.perf_counter()
        ready = left_s > 0 and select.select([descriptor], [], [], left_s)[0]
        assert ready, f"{text!r} was not painted: {written[-2000:]!r}"
        written += os.read(descriptor, 65536)
    return time.perf_counter() - began_s


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
