"""Events from a pipe: ``ssh box llmtui run --events - | llmtui watch -``.

Everything received is spooled to a temporary file, so that texts and timelines can be read when displayed without being
kept in memory.
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
    """A session that runs elsewhere, read-only."""

    accepts_commands = False
    is_live = True

    def __init__(self, descriptor: int) -> None:
        """Take over the pipe; it is closed at its end or with this object.

        Args:
            descriptor: the read end; not 0 where the keyboard is needed too.
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
        """Yield the events as they come, until the other side ends or ``close`` is called. To be called once.

        Raises:
            LinkLost: the pipe cannot be read, or its spool cannot be written.
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
        """Return the next bytes; empty at the end and after ``close``."""
        try:
            ready, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            return b"" if self._wake_read in ready else os.read(self._descriptor, BLOCK_BYTES)
        except OSError as error:
            raise LinkLost(Problem(code="pipe_unreadable", detail=error.strerror)) from error

    def _keep(self, data: bytes) -> bool:
        """Append the data to the spool; return False after ``close``."""
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
        """Raise ReadOnly: a pipe has one direction."""
        raise ReadOnly(Problem(code="read_only_pipe"))

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial from the data so far; None if there is none."""
        return self._index.read(trial_id)

    def close(self) -> None:
        """Stop reading and remove the spool; the writer notices with its next line."""
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
