"""The program's screens on a pseudo-terminal: started as by a user, and followed through the session's journal."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import site
import struct
import subprocess
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from llmtui.core.events import SessionEvent, SessionFinished
from llmtui.store.journal import JournalReader
from llmtui.store.session_folder import JOURNAL

COLUMNS: Final = 140
ROWS: Final = 40
READ_BYTES: Final = 1 << 16
BLOCKS_KEPT: Final = 16
POLL_S: Final = 0.01
START_LIMIT_S: Final = 20.0
END_LIMIT_S: Final = 5.0
STOP_LIMIT_S: Final = 1.0
ENTER_PERIOD_S: Final = 0.3
FOLDERS: Final = {
    "HOME": "",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_CACHE_HOME": "cache",
    "XDG_STATE_HOME": "state",
}

OutputListener = Callable[[int, bytes], None]
"""Called for each block of output with its time of arrival (``perf_counter_ns``) and its bytes."""


class ScreenFailed(Exception):
    """The program did not behave as expected; the message is a sentence."""


def own_environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the program neither reads nor changes the user's files.

    Args:
        folder: used instead of the home folder.
        settings: setting name → value, passed as environment variables.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LLMTUI_")}
    homes = {name: str(folder / below) for name, below in FOLDERS.items()}
    chosen = {f"LLMTUI_{name.upper()}": value for name, value in settings.items()}
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    # Packages installed for this user must be found although the home folder is another one.
    return kept | homes | terminal | {"PYTHONUSERBASE": site.getuserbase()} | chosen


class Screen:
    """The program on a pseudo-terminal. Its output is read at once and dropped, as by a fast terminal."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        settings: Mapping[str, str],
        size: tuple[int, int] = (COLUMNS, ROWS),
        seen: OutputListener | None = None,
    ) -> None:
        """Start the program.

        Args:
            command: program and arguments.
            folder: its home folder and current folder.
            settings: setting name → value.
            size: columns and rows of the terminal.
            seen: called from a thread with each block of output.

        Raises:
            OSError: there is no pseudo-terminal, or the program cannot be started.
        """
        self._seen = seen
        self._last: deque[bytes] = deque(maxlen=BLOCKS_KEPT)
        self.output_bytes = 0
        """Bytes that the program has written to the terminal so far."""
        self._terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.started_ns = time.perf_counter_ns()
        try:
            self._process = subprocess.Popen(
                command,
                stdin=inner,
                stdout=inner,
                stderr=inner,
                cwd=folder,
                env=own_environment(folder, settings),
                start_new_session=True,
            )
        finally:
            os.close(inner)
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code of the program; None while it runs."""
        return self._process.poll()

    def press(self, keys: str) -> None:
        """Send keys to the program as if typed; nothing happens if it has ended."""
        with suppress(OSError):  # the program is gone: the caller sees that by the exit code
            os.write(self._terminal, keys.encode())

    def freeze(self) -> None:
        """Stop the program as by Ctrl+Z, and return when it has stopped.

        Raises:
            ScreenFailed: the program does not stop.
        """
        os.kill(self.pid, signal.SIGTSTP)
        process = psutil.Process(self.pid)
        deadline = time.monotonic() + STOP_LIMIT_S
        while process.status() != psutil.STATUS_STOPPED:
            if time.monotonic() > deadline:
                raise ScreenFailed("The screen cannot be stopped and continued on this system.")
            time.sleep(POLL_S / 10)

    def thaw(self) -> None:
        """Let the program continue after ``freeze``."""
        os.kill(self.pid, signal.SIGCONT)

    def quit(self) -> None:
        """Quit the program with its key, ``q``; kill it if it does not end in time."""
        self.press("q")
        try:
            self._process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the program if it still runs, and return when its child processes have ended too."""
        if self.exit_code is None:
            children = psutil.Process(self.pid).children(recursive=True)
            self._process.kill()
            self._process.wait()
            psutil.wait_procs(children, END_LIMIT_S)

    def close(self) -> None:
        """Kill the program if it still runs, and close the terminal."""
        self.kill()
        self._reader.join(END_LIMIT_S)
        os.close(self._terminal)

    def last_words(self) -> str:
        """Return the last line that the program wrote, without control sequences; empty if there is none."""
        text = b"".join(self._last).rsplit(b"\x1b", 1)[-1].decode("utf-8", "replace")
        lines = ["".join(filter(str.isprintable, line)).strip() for line in text.splitlines()]
        return next((line for line in reversed(lines) if line), "")

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._terminal, READ_BYTES)
            except OSError:  # the other side is closed: its last process has ended
                return
            if not data:
                return
            self.output_bytes += len(data)
            self._last.append(data)
            if self._seen is not None:
                self._seen(time.perf_counter_ns(), data)


def program(*words: str) -> tuple[str, ...]:
    """Return the command line that runs llmtui itself with the given arguments."""
    return (sys.executable, "-P", "-m", "llmtui", *words)


class ScreenRun:
    """One session on the screen: started by pressing Enter until it begins, then followed through its journal."""

    def __init__(self, screen: Screen, results: Path) -> None:
        """Use a screen whose program saves its sessions in ``results``."""
        self.screen = screen
        self._results = results
        self._reader: JournalReader | None = None

    def begin(self) -> None:
        """Start the run as a user does: press Enter until a session exists.

        Raises:
            ScreenFailed: no session was started in time.
        """
        deadline = time.monotonic() + START_LIMIT_S
        while (journal := self._journal()) is None:
            self._check(deadline, "no test began")
            self.screen.press("\r")
            self._wait_for_journal(ENTER_PERIOD_S)
        self._reader = JournalReader(journal)

    def events(self, *, limit_s: float) -> Iterator[SessionEvent]:
        """Yield the session's events as they are written, until it ends.

        Raises:
            ScreenFailed: the program ended before the session, or the session takes longer than ``limit_s`` seconds.
        """
        assert self._reader is not None, "begun before"
        deadline = time.monotonic() + limit_s
        while True:
            for event in self._reader.poll():
                assert isinstance(event, SessionEvent)
                yield event
                if isinstance(event, SessionFinished):
                    return
            self._check(deadline, "the test did not end in time")
            time.sleep(POLL_S)

    def _journal(self) -> Path | None:
        return next(self._results.glob(f"*/{JOURNAL}"), None)

    def _wait_for_journal(self, period_s: float) -> None:
        deadline = time.monotonic() + period_s
        while time.monotonic() < deadline and self._journal() is None:
            time.sleep(POLL_S)

    def _check(self, deadline: float, what: str) -> None:
        code = self.screen.exit_code
        if code is not None:
            raise ScreenFailed(f"The screen ended with code {code}: {self.screen.last_words() or 'it said nothing'}.")
        if time.monotonic() > deadline:
            raise ScreenFailed(f"The screen runs, but {what}.")
