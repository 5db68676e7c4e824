"""The events of a saved session, read from its journal; if a process is still writing it, also what it adds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.core.records import Problem
from llmtui.link import LinkLost, ReadOnly
from llmtui.link.line_reader import event_batches
from llmtui.store.journal import TrialIndex
from llmtui.store.lock import writer_pid
from llmtui.store.session_folder import JOURNAL, LOCK

BLOCK_BYTES = 1 << 18
PERIOD_S = 0.2
"""Time in seconds between two looks for new events."""


class EventFile:
    """Reads the events of a session from its file on disk, with the interface of a link to an engine.

    A session that is being written, by this process or another, is followed.
    """

    accepts_commands = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._index = TrialIndex(path)
        self._closed = Flag()
        self.is_live = self._is_written()

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield batches of the file's events.

        Raises:
            LinkLost: the file cannot be read.
        """
        return event_batches(self._blocks(), where=self.name)

    def _blocks(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                while not self._closed.is_set():
                    was_live = self.is_live
                    if data := file.read(BLOCK_BYTES):
                        yield data
                    elif not was_live:  # read to the end after its writer had ended
                        return
                    else:
                        self._closed.wait(PERIOD_S)
                        self.is_live = self._is_written()
        except OSError as error:
            problem = Problem(code="file_unreadable", args={"file": str(self._path)}, detail=error.strerror)
            raise LinkLost(problem) from error

    def _is_written(self) -> bool:
        return self._path.name == JOURNAL and writer_pid(self._path.parent / LOCK) is not None

    def send(self, command: Command) -> None:
        """Refuse the command: a finished session accepts none.

        Raises:
            ReadOnly: always.
        """
        raise ReadOnly(Problem(code="read_only_session"))

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial with its text and timeline; None if there is none."""
        return self._index.read(trial_id)

    def close(self) -> None:
        """Stop reading the file; ``batches`` then ends."""
        self._closed.set()
