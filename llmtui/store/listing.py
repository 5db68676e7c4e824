"""The sessions in a results folder.

To be fast, only the first line of each journal and the ends of each session's files are read.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec

from llmtui.core.events import BadLine, SessionFinished, SessionStarted, TrialFinished, decode_event
from llmtui.core.pairing import is_imported
from llmtui.core.records import Fingerprint, Problem
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL, TRIALS
from llmtui.store.trials_csv import trials_columns

_TAIL_BYTES: Final = 4096
"""Number of bytes read from a file's end: far more than a SessionFinished event or a row of trials.csv takes."""
_ORDER: Final = trials_columns().index("order")
"""Position of the column ``order`` in trials.csv. In older files the first columns have the same order."""


class SessionFolder(msgspec.Struct, frozen=True, kw_only=True):
    """One session on disk, as listed in History."""

    path: Path
    session_id: str
    wall_ns: int | None = None
    """Start, in ns since 1970 UTC; None if the journal cannot be read."""
    preset: str | None = None
    models: tuple[str, ...] = ()
    """Labels of the contenders, in the plan's order."""
    trials: int = 0
    """Number of finished trials, whatever their outcome."""
    rounds: int = 0
    """Number of rounds with at least one finished trial."""
    finished: Literal["complete", "cancelled", "failed"] | None = None
    """How the session ended; None while it runs, and if it was interrupted."""
    duration_s: float | None = None
    """Time in seconds from the first event to the last; None if the session did not end properly."""
    fingerprint: Fingerprint | None = None
    """Server, machine and program; None for an imported session, since they are unknown."""
    problem: Problem | None = None
    """Why the session cannot be opened; None if it can."""

    @property
    def journal(self) -> Path:
        """The file of events."""
        return self.path / JOURNAL


def list_sessions(results_dir: Path) -> tuple[SessionFolder, ...]:
    """Return the sessions in a folder, newest first; empty if the folder is missing.

    Raises:
        OSError: the folder exists but cannot be read.
    """
    try:
        folders = [entry for entry in results_dir.iterdir() if (entry / JOURNAL).is_file()]
    except FileNotFoundError:
        return ()
    sessions = [session_entry(folder) for folder in folders]
    return tuple(sorted(sessions, key=lambda session: (session.wall_ns or 0, session.session_id), reverse=True))


def find_session(sessions: Sequence[SessionFolder], name: str) -> SessionFolder | None:
    """Return the session with this folder name, or else the one with this id; None if there is neither."""
    for one in sessions:
        if one.path.name == name:
            return one
    return next((one for one in sessions if one.session_id == name), None)


def session_entry(folder: Path) -> SessionFolder:
    """Return the data of one session for a listing. If its journal cannot be read, ``problem`` has the reason."""
    try:
        with (folder / JOURNAL).open("rb") as file:
            first = file.readline()
            tail = _tail(file)
        started = decode_event(first)
    except (OSError, BadLine) as error:
        return _unreadable(folder, Problem(code="bad_journal", args={"folder": str(folder)}, detail=str(error)))
    if not isinstance(started, SessionStarted):
        return _unreadable(folder, Problem(code="not_a_session", args={"folder": str(folder)}))
    trials, rounds = _count(folder)
    last = _last_of(tail)
    return SessionFolder(
        path=folder,
        session_id=started.session_id,
        wall_ns=started.wall_ns,
        preset=started.plan.preset,
        models=tuple(contender.label for contender in started.plan.contenders),
        trials=trials,
        rounds=rounds,
        finished=None if last is None else last.how,
        duration_s=None if last is None else (last.t_ns - started.t_ns) / 1e9,
        fingerprint=None if is_imported(started.plan) else started.fingerprint,
    )


def _unreadable(folder: Path, problem: Problem) -> SessionFolder:
    return SessionFolder(path=folder, session_id=folder.name, problem=problem)


def _tail(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(-min(_TAIL_BYTES, size), os.SEEK_END)
    return file.read()


def _last_of(tail: bytes) -> SessionFinished | None:
    lines = tail.splitlines()
    if not lines or not tail.endswith(b"\n"):
        return None
    try:
        last = decode_event(lines[-1])
    except BadLine:
        return None
    return last if isinstance(last, SessionFinished) else None


def _count(folder: Path) -> tuple[int, int]:
    """Return the number of finished trials, and the number of rounds with at least one of them.

    The last row of trials.csv has both numbers: rows are in the order in which the trials ran, and no cell has a line
    break. If that file is missing, the journal is read, which can be megabytes long.
    """
    try:
        with (folder / TRIALS).open("rb") as file:
            lines = _tail(file).decode("utf-8", "replace").split("\n")[:-1]
    except OSError:
        events = read_events(folder / JOURNAL)
        rounds = [event.trial.round for event in events if isinstance(event, TrialFinished)]
        return len(rounds), len(set(rounds))
    try:
        row = next(csv.reader(lines[-1:]), [])
        return int(row[_ORDER]), int(row[0])
    except (ValueError, IndexError, csv.Error):  # only the header, a damaged file, or another program's
        return 0, 0
