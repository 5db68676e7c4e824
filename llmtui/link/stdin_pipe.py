"""Events from a pipe, as in ``ssh box llmtui run --events - | llmtui watch -``.

All received data is copied to a temporary file (the spool), from which texts and timelines are read when they are
shown. They need not be kept in memory.
"""

from __future__ import annotations

import os
import select
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.core.records import Problem
from llmtui.link import LinkLost, ReadOnly
from llmtui.link.line_reader import event_batches
from llmtui.store.journal import TrialIndex

BLOCK_BYTES = 1 << 16


class StdinPipe:
    """A link to a session that runs in another process; it cannot be controlled from here."""

    accepts_commands = False
    is_live = True

    def __init__(self, descriptor: int) -> None:
        """Take over the pipe, which is closed at its end or by ``close``.

        Args:
            descriptor: file descriptor of the read end; must not be 0 if the keyboard is needed as well.
        """
        self.name = "stdin"
        self._descriptor = descriptor
        spool, path = tempfile.mkstemp(prefix="llmtui-", suffix=".jsonl")
        self._spool = os.fdopen(spool, "wb")
        self._path = Path(path)
        self._index = TrialIndex(self._path)
        self._wake_read, self._wake_write = os.pipe()
        self._began = False
        self._closed = False
        self._lock = threading.Lock()

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield batches of events as they arrive, until the writer ends or ``close`` is called. Call it only once.

        Raises:
            LinkLost: the pipe cannot be read, or the spool cannot be written.
        """
        return event_batches(self._blocks(), where="stdin")

    def _blocks(self) -> Iterator[bytes]:
        with self._lock:
            if self._closed:
                return
            self._began = True
        try:
            while data := self._read():
                if not self._keep(data):
                    return
                yield data
        finally:
            self._let_go()

    def _read(self) -> bytes:
        """Return the next bytes; empty at the end of the pipe and after ``close``."""
        try:
            ready, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            return b"" if self._wake_read in ready else os.read(self._descriptor, BLOCK_BYTES)
        except OSError as error:
            raise LinkLost(Problem(code="pipe_unreadable", detail=error.strerror)) from error

    def _keep(self, data: bytes) -> bool:
        """Append the data to the spool and return True; after ``close``, return False."""
        with self._lock:
            if self._closed:
                return False
            try:
                self._spool.write(data)
                self._spool.flush()
            except OSError as error:
                problem = Problem(code="spool_unwritable", args={"file": str(self._path)}, detail=error.strerror)
                raise LinkLost(problem) from error
        return True

    def _let_go(self) -> None:
        os.close(self._descriptor)
        os.close(self._wake_read)

    def send(self, command: Command) -> None:
        """Refuse the command: a pipe has only one direction.

        Raises:
            ReadOnly: always.
        """
        raise ReadOnly(Problem(code="read_only_pipe"))

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial from the data received so far; None if there is none."""
        return self._index.read(trial_id)

    def close(self) -> None:
        """Stop reading and remove the spool; the process at the other end notices when it writes its next line."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if not self._began:
                self._let_go()
            os.close(self._wake_write)  # wakes a waiting reader
            with suppress(OSError):  # a full disk, which the reader has reported
                self._spool.close()
        self._path.unlink(missing_ok=True)
