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
from pathlib import Path

from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.link import ReadOnly
from llmtui.link.line_reader import event_batches
from llmtui.store.journal import TrialIndex

BLOCK_BYTES = 1 << 16


class StdinPipe:
    """A running session somewhere else, read-only."""

    accepts_commands = False
    is_live = True

    def __init__(self, descriptor: int) -> None:
        """Takes the pipe.

        Args:
            descriptor: the read end; moved away from 0 before where the keyboard is needed too.
        """
        self.name = "stdin"
        self._descriptor = descriptor
        spool, path = tempfile.mkstemp(prefix="llmtui-", suffix=".jsonl")
        self._spool = spool
        self._path = Path(path)
        self._index = TrialIndex(self._path)
        self._wake_read, self._wake_write = os.pipe()
        self._closed = False
        self._lock = threading.Lock()

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Gives the events as they come, until the other side ends or ``close`` is called."""
        return event_batches(self._blocks(), where="the pipe")

    def _blocks(self) -> Iterator[bytes]:
        while True:
            ready, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            data = os.read(self._descriptor, BLOCK_BYTES)
            if not data:
                return
            with self._lock:
                if self._closed:
                    return
                os.write(self._spool, data)
            yield data

    def send(self, command: Command) -> None:
        """Always raises ReadOnly: a pipe has one direction."""
        raise ReadOnly("This run happens elsewhere: it can be watched here, not steered.")

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Reads one finished trial from what has come so far; None if there is none."""
        return self._index.read(trial_id)

    def close(self) -> None:
        """Stops reading and removes the spool; the writer notices with its next line."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.write(self._wake_write, b".")
            os.close(self._spool)
        self._path.unlink(missing_ok=True)
