"""A real terminal to drive: a program in tmux, its keys and its screen."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest

POLL_S = 0.05
OUTSIDE = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
"""The environment without a size: pytest-xdist sets one, and it would win over the terminal's own."""

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed: apt install tmux")


def wait_until(holds: Callable[[], object], *, timeout_s: float, what: str) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it did not within ``timeout_s``.
    """
    deadline = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what}")
        time.sleep(POLL_S)


class Terminal:
    """One tmux server with one window; its program's screen can be read and its keys pressed."""

    def __init__(self, socket: str) -> None:
        self._socket = socket

    def tmux(self, *words: str) -> str:
        """Run one tmux command and return its output."""
        done = subprocess.run(
            ["tmux", "-L", self._socket, *words], capture_output=True, text=True, check=False, timeout=20
        )
        return done.stdout

    def screen(self) -> str:
        """Return the visible text."""
        shown = self.tmux("capture-pane", "-p", "-t", "0")
        if "\nPane is dead (" in shown:  # tmux scrolled the first line away to make room for this one
            return self.tmux("capture-pane", "-p", "-S", "-1", "-t", "0")
        return shown

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: ``Enter``, ``C-c``, ``q``."""
        self.tmux("send-keys", "-t", "0", *keys)

    def type(self, text: str) -> None:
        """Type text literally."""
        self.tmux("send-keys", "-t", "0", "-l", text)

    def wait_for(self, text: str, *, without: str | None = None, timeout_s: float = 60) -> str:
        """Wait until a text is on the screen, and another one is not; return the screen.

        Raises:
            AssertionError: with the last screen.
        """
        deadline = time.monotonic() + timeout_s
        while text not in (shown := self.screen()) or (without is not None and without in shown):
            if time.monotonic() > deadline:
                but = "" if without is None else f" without {without!r}"
                raise AssertionError(f"{text!r} is not on the screen{but} after {timeout_s} s:\n{shown}")
            time.sleep(POLL_S)
        return shown

    @property
    def pid(self) -> int:
        """The program's process id: it replaced the shell."""
        return int(self.tmux("display-message", "-p", "-t", "0", "#{pane_pid}").strip() or 0)

    @property
    def exit_code(self) -> int | None:
        """How the program ended; None while it runs."""
        # Not tmux's own "if": it takes status 0 for none.
        dead, status, number, server = self.tmux(
            "display-message", "-p", "-t", "0", "#{pane_dead} .#{pane_dead_status} .#{pane_dead_signal} #{pid}"
        ).split()
        if dead != "1":
            return None
        if status == number == ".":
            os.kill(int(server), signal.SIGCHLD)  # tmux 3.3 misses some of them and leaves a zombie
            return None
        return int(status[1:]) if status != "." else -int(number[1:])

    def wait_for_exit(self, *, timeout_s: float = 60) -> int:
        """Wait for the program's end; return its exit code.

        Raises:
            AssertionError: with the last screen.
        """
        deadline = time.monotonic() + timeout_s
        while (code := self.exit_code) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"the program has not ended after {timeout_s} s:\n{self.screen()}")
            time.sleep(POLL_S)
        return code


@contextmanager
def terminal(
    command: Sequence[str], *, columns: int = 120, rows: int = 36, env: Mapping[str, str] | None = None,
    cwd: str | None = None,
) -> Iterator[Terminal]:  # fmt: skip
    """Run a command in a separate terminal; the screen stays readable after its end."""
    socket = f"llmtui-{uuid.uuid4().hex[:8]}"
    running = Terminal(socket)
    settings = [f"{name}={value}" for name, value in (env or {}).items()]
    line = shlex.join(["env", *settings, *command])
    subprocess.run(
        ["tmux", "-L", socket, "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
         *(["-c", cwd] if cwd else []), "exec sh -c 'sleep 0.3; exec " + line.replace("'", "'\\''") + "'"],
        check=True, timeout=20, env=OUTSIDE | {"TERM": "xterm-256color"},
    )  # fmt: skip
    # The short sleep above leaves time for this: a program that ends at once would take its screen with it.
    running.tmux("set-option", "-g", "remain-on-exit", "on")
    running.tmux("set-option", "-g", "default-terminal", "tmux-256color")
    try:
        yield running
    finally:
        running.tmux("kill-server")
