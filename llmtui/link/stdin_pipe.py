"""Events from a pipe: ``ssh box llmtui run --events - | llmtui watch -``.

Everything that comes is spooled to a temporary file, so that texts and timelines can be read when they are looked at
without being kept in memory.
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
    """A running session somewhere else, read-only."""

    accepts_commands = False
    is_live = True

    def __init__(self, descriptor: int) -> None:
        """Takes the pipe, and closes it at its end or with this object.

        Args:
            descriptor: the read end; moved away from 0 before where the keyboard is needed too.
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
        """Gives the events as they come, until the other side ends or ``close`` is called. To be called once.

        Raises:
            LinkLost: the pipe cannot be read, or what comes cannot be kept.
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
        """What comes next; nothing at the end and after ``close``."""
        try:
            ready, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            return b"" if self._wake_read in ready else os.read(self._descriptor, BLOCK_BYTES)
        except OSError as error:
            raise LinkLost(Problem(code="pipe_unreadable", detail=error.strerror)) from error

    def _keep(self, data: bytes) -> bool:
        """Spools the data; False after ``close``."""
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
        """Always raises ReadOnly: a pipe has one direction."""
        raise ReadOnly(Problem(code="read_only_pipe"))

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Reads one finished trial from what has come so far; None if there is none."""
        return self._index.read(trial_id)

    def close(self) -> None:
        """Stops reading and removes the spool; the writer notices with its next line."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if not self._began:
                self._let_go()
            os.close(self._wake_write)  # which wakes the reader, if one waits
            with suppress(OSError):  # a full disk, of which the reader has told
                self._spool.close()
        self._path.unlink(missing_ok=True)
