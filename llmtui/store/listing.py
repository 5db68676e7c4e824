"""The sessions in a results folder. Of each journal only the first line and the end are read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from llmtui.core.events import BadLine, SessionFinished, SessionStarted, TrialFinished, decode_event
from llmtui.core.records import Problem
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL, TRIALS

_TAIL_BYTES: Final = 4096
"""Far more than the size of a SessionFinished line."""


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
    problem: Problem | None = None
    """Why it cannot be opened."""

    @property
    def journal(self) -> Path:
        """The file of events."""
        return self.path / JOURNAL


def list_sessions(results_dir: Path) -> tuple[SessionFolder, ...]:
    """Return the sessions in a folder, newest first; empty where the folder is missing.

    Raises:
        OSError: the folder exists but cannot be read.
    """
    try:
        folders = [entry for entry in results_dir.iterdir() if (entry / JOURNAL).is_file()]
    except FileNotFoundError:
        return ()
    sessions = [look_at(folder) for folder in folders]
    return tuple(sorted(sessions, key=lambda session: (session.wall_ns or 0, session.session_id), reverse=True))


def find_session(sessions: Sequence[SessionFolder], name: str) -> SessionFolder | None:
    """Return the session whose folder has a name, else the one with it as its id; None where there is neither."""
    for one in sessions:
        if one.path.name == name:
            return one
    return next((one for one in sessions if one.session_id == name), None)


def look_at(folder: Path) -> SessionFolder:
    """Return a listing's entry for one session; a journal that cannot be read becomes a ``problem``."""
    try:
        with (folder / JOURNAL).open("rb") as file:
            first = file.readline()
            file.seek(0, os.SEEK_END)
            file.seek(-min(_TAIL_BYTES, file.tell()), os.SEEK_END)
            tail = file.read()
        started = decode_event(first)
    except (OSError, BadLine) as error:
        return _unreadable(folder, Problem(code="bad_journal", args={"folder": str(folder)}, detail=str(error)))
    if not isinstance(started, SessionStarted):
        return _unreadable(folder, Problem(code="not_a_session", args={"folder": str(folder)}))
    rounds = _rounds_of_trials(folder)
    return SessionFolder(
        path=folder,
        session_id=started.session_id,
        wall_ns=started.wall_ns,
        preset=started.plan.preset,
        models=tuple(contender.label for contender in started.plan.contenders),
        trials=len(rounds),
        rounds=len(set(rounds)),
        finished=_how(tail),
    )


def _unreadable(folder: Path, problem: Problem) -> SessionFolder:
    return SessionFolder(path=folder, session_id=folder.name, problem=problem)


def _how(tail: bytes) -> Literal["complete", "cancelled", "failed"] | None:
    lines = tail.splitlines()
    if not lines or not tail.endswith(b"\n"):
        return None
    try:
        last = decode_event(lines[-1])
    except BadLine:
        return None
    return last.how if isinstance(last, SessionFinished) else None


def _rounds_of_trials(folder: Path) -> list[str]:
    """Return the round of each finished trial from trials.csv, which is far smaller than the journal."""
    try:
        rows = (folder / TRIALS).read_text("utf-8", "replace").split("\n")[1:-1]
    except OSError:
        events = read_events(folder / JOURNAL)
        return [str(event.trial.round) for event in events if isinstance(event, TrialFinished)]
    return [row.partition(",")[0] for row in rows]
