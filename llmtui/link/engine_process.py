"""The engine as a separate process on this machine, with commands sent to its stdin and events read from its stdout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from llmtui.config.access import API_KEY
from llmtui.core.commands import Command
from llmtui.core.events import Event, SessionOpened, TrialFinished, encode
from llmtui.core.records import Problem
from llmtui.link import LinkLost
from llmtui.link.line_reader import event_batches
from llmtui.store.journal import TrialIndex

BLOCK_BYTES = 1 << 16
EXIT_GRACE_S = 2.5
"""How many seconds ``close`` waits before it kills the engine; the engine should exit within 2 s."""
LOG_LINES_SHOWN = 3


class EngineProcess:
    """A running engine process. It ends when this object is closed or when this process dies."""

    accepts_commands = True
    is_live = True

    def __init__(self, *, log_folder: Path | None = None, api_key: str | None = None) -> None:
        """Start the engine and return at once; its first event is ``EngineReady``.

        ``-P`` keeps the current folder off the module path; otherwise a ``json.py`` in that folder would be executed.
        The engine leads its own process session, so that Ctrl+C in the terminal reaches only this process.

        Args:
            log_folder: folder for the engine's log; None for a temporary file.
            api_key: API key for the server, instead of the one in the environment.
        """
        self.name = "this machine"
        self._log_path = _new_log(log_folder)
        self._index: TrialIndex | None = None
        self._closed = False
        self._write_lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "llmtui.engine", "--log", str(self._log_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=None if api_key is None else os.environ | {API_KEY: api_key},
            start_new_session=sys.platform != "win32",
            creationflags=_creation_flags(),
        )

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._process.pid

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield batches of the engine's events until it ends.

        Raises:
            LinkLost: the engine ended without ``close``.
        """
        for batch in event_batches(self._blocks(), where="engine"):
            for event in batch:
                if isinstance(event, SessionOpened):
                    self._index = TrialIndex(Path(event.folder) / "events.jsonl")
            yield batch
        if not self._closed:
            code = self._process.wait()
            raise LinkLost(self._obituary(code))

    def _blocks(self) -> Iterator[bytes]:
        out = _binary(self._process.stdout)
        while data := os.read(out.fileno(), BLOCK_BYTES):
            yield data

    def send(self, command: Command) -> None:
        """Send a command to the engine.

        Raises:
            LinkLost: the engine has ended.
        """
        line = encode(command)
        into = _binary(self._process.stdin)
        with self._write_lock:
            try:
                into.write(line)
            except (BrokenPipeError, ValueError) as error:
                raise LinkLost(self._obituary(self._process.poll())) from error

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial from the session's journal; None if there is none."""
        return None if self._index is None else self._index.read(trial_id)

    def close(self) -> None:
        """End the engine: close its stdin, so that it cancels its run, cleans up and exits; kill it if it does not."""
        if self._closed:
            return
        self._closed = True
        with self._write_lock:
            _binary(self._process.stdin).close()
        try:
            self._process.wait(EXIT_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(FileNotFoundError):  # the engine removes an empty log itself where it can
            if not self._log_path.stat().st_size:
                self._log_path.unlink()

    def _obituary(self, code: int | None) -> Problem:
        """Return why the engine ended, with the last lines of its log and the log's path."""
        try:
            lines = self._log_path.read_text("utf-8", "replace").strip().splitlines()[-LOG_LINES_SHOWN:]
        except OSError:
            lines = []
        said = f"{' / '.join(lines)} ({self._log_path})" if lines else None
        if code is None:
            return Problem(code="engine_gone", detail=said)
        if code < 0:
            return Problem(code="engine_killed", args={"signal": signal.Signals(-code).name}, detail=said)
        return Problem(code="engine_ended", args={"status": code}, detail=said)


def _new_log(folder: Path | None) -> Path:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    descriptor, path = tempfile.mkstemp(prefix="llmtui-engine-", suffix=".log", dir=folder)
    os.close(descriptor)
    return Path(path)


def _binary(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "the engine is started with pipes"
    return stream


def _creation_flags() -> int:
    """Return the flags for a process group without a window on Windows; elsewhere 0, as no flags are needed there."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
