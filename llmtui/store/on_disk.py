"""Checks of what a session has on disk, so that a command says "saved" only if that is true."""

from __future__ import annotations

from pathlib import Path

from llmtui.core.events import Sampled, TrialFinished
from llmtui.core.session import Session
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL


def trials_on_disk(folder: Path) -> int:
    """Return the number of finished trials in a session's journal; 0 if it cannot be read."""
    try:
        events = read_events(folder / JOURNAL, without=(Sampled,))
        return len({event.trial.id for event in events if isinstance(event, TrialFinished)})
    except OSError:
        return 0


def why_not_saved(session: Session) -> str | None:
    """Return the system's message if a part of the session could not be written to disk; None if all of it was."""
    told = [note.problem for note in session.notes if note.problem.code in ("disk", "disk_again")]
    return told[-1].detail or "?" if told and told[-1].code == "disk" else None
