"""A session to report, read from its file; the file may still be growing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from llmtui.core.across import Earlier
from llmtui.core.events import Sampled, TrialFinished
from llmtui.core.records import Problem
from llmtui.core.session import Session, SessionBuilder
from llmtui.core.trial_row import TrialRow
from llmtui.store.journal import JournalReader, read_events
from llmtui.store.lock import writer_pid
from llmtui.store.session_folder import LOCK

State = Literal["running", "interrupted", "complete", "cancelled", "failed"]


class NoSession(Exception):
    """A file has no session; the message contains the file's name."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """One session with its file, as every report format uses it."""

    session: Session
    journal: Path
    state: State
    problems: tuple[Problem, ...] = ()
    """Parts of the file that could not be read."""
    earlier: Earlier | None = None
    """The previous session of the same plan, for the conclusion "Since last time"."""
    anonymous: bool = False
    """Whether host name, user name, paths, prompts and answers are left out; ``session`` already lacks them."""

    def finished(self) -> Iterator[tuple[TrialRow, TrialFinished]]:
        """Yield each finished trial with its text and the arrival times of its chunks, in the order in which they ran.

        Raises:
            OSError: the file cannot be read.
        """
        rows = {(row.trial.id, row.t_ns): row for row in self.session.rows}
        for event in read_events(self.journal, without=(Sampled,)):
            if isinstance(event, TrialFinished):
                row = rows.pop((event.trial.id, event.t_ns), None)
                if row is not None:
                    yield row, event


def read_saved(journal: Path) -> Saved:
    """Return the session in a file of events.

    Raises:
        NoSession: the file has no session.
        OSError: the file cannot be read.
    """
    reader, builder = JournalReader(journal), SessionBuilder()
    at_bytes = -1
    while reader.at_bytes > at_bytes:
        at_bytes = reader.at_bytes
        for event in reader.poll():
            builder.apply(event)
    session = builder.snapshot()
    if session is None:
        raise NoSession(f"{journal} is no session: it does not begin like one.")
    running = session.finished is None and writer_pid(journal.parent / LOCK) is not None
    problems = reader.problems()
    if running:
        problems = tuple(one for one in problems if one.code != "torn_line")  # the rest of it has not arrived yet
    state = session.finished or ("running" if running else "interrupted")
    return Saved(session=session, journal=journal, state=msgspec.convert(state, State), problems=problems)
