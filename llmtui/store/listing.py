"""The sessions in a results folder. Only the first line of each journal and the ends of its files are read."""

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
"""Far more than a SessionFinished line or a row of trials.csv takes."""
_ORDER: Final = trials_columns().index("order")
"""Older files have their first columns in the same order."""


class SessionFolder(msgspec.Struct, frozen=True, kw_only=True):
    """One session on disk, as listed in History."""

    path: Path
    session_id: str
    wall_ns: int | None = None
    """Start, ns since 1970 UTC; None where the journal cannot be read."""
    preset: str | None = None
    models: tuple[str, ...] = ()
    """Labels of the contenders, in the plan's order."""
    trials: int = 0
    """Number of finished trials, whatever their outcome."""
    rounds: int = 0
    """Number of rounds with at least one finished trial."""
    finished: Literal["complete", "cancelled", "failed"] | None = None
    """How it ended; None while it runs and where it was interrupted."""
    duration_s: float | None = None
    """From its first line to its last; None where it did not end in order."""
    fingerprint: Fingerprint | None = None
    """Server, machine and program; None for an imported session, where they are unknown."""
    problem: Problem | None = None
    """Why it cannot be opened."""

    @property
    def journal(self) -> Path:
        """The file of events."""
        return self.path / JOURNAL


def list_sessions(results_dir: Path) -> tuple[SessionFolder, ...]:
    """Return the sessions in a folder, newest first; nothing where the folder is missing.

    Raises:
        OSError: the folder is there but cannot be read.
    """
    try:
        folders = [entry for entry in results_dir.iterdir() if (entry / JOURNAL).is_file()]
    except FileNotFoundError:
        return ()
    sessions = [session_entry(folder) for folder in folders]
    return tuple(sorted(sessions, key=lambda session: (session.wall_ns or 0, session.session_id), reverse=True))


def find_session(sessions: Sequence[SessionFolder], name: str) -> SessionFolder | None:
    """Return the session in the folder of a name, else the one with it as its id; None where there is neither."""
    for one in sessions:
        if one.path.name == name:
            return one
    return next((one for one in sessions if one.session_id == name), None)


def session_entry(folder: Path) -> SessionFolder:
    """Return what a listing says about one session; a journal that cannot be read becomes a ``problem``."""
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
    """Return the number of finished trials and of their rounds.

    The last row of trials.csv has both: rows are in the order they ran, and no cell holds a line break. Without that
    file the journal is read, which may have megabytes.
    """
    try:
        with (folder / TRIALS).open("rb") as file:
            lines = _tail(file).decode("utf-8", "replace").split("\n")[:-1]
    except OSError:
        events = read_events(folder / JOURNAL)
        rounds = [event.trial.round for event in events if isinstance(event, TrialFinished)]
        return len(rounds), len(set(rounds))
    row = next(csv.reader(lines[-1:]), [])
    try:
        return int(row[_ORDER]), int(row[0])
    except (ValueError, IndexError):  # only its head is there, or a file of somebody else's
        return 0, 0
