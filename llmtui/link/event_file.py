"""The events of a saved session, read from its journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.core.records import Problem
from llmtui.link import LinkLost, ReadOnly
from llmtui.link.line_reader import event_batches
from llmtui.store.journal import TrialIndex

BLOCK_BYTES = 1 << 18


class EventFile:
    """A link to a finished or interrupted session on disk."""

    accepts_commands = False
    is_live = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._index = TrialIndex(path)
        self._closed = False

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield batches of the file's events.

        Raises:
            LinkLost: the file cannot be read.
        """
        return event_batches(self._blocks(), where=self.name)

    def _blocks(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb") as file:
                while not self._closed and (data := file.read(BLOCK_BYTES)):
                    yield data
        except OSError as error:
            problem = Problem(code="file_unreadable", args={"file": str(self._path)}, detail=error.strerror)
            raise LinkLost(problem) from error

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
        self._closed = True
