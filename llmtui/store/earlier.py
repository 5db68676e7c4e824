"""Earlier sessions of the same plan, for "since last time"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from llmtui.core.across import Earlier
from llmtui.core.day_noise import day_noise
from llmtui.core.differences import plan_signature
from llmtui.core.events import BadLine, SessionStarted, decode_event
from llmtui.core.pairing import is_imported
from llmtui.core.plan import Plan
from llmtui.core.session import Session
from llmtui.store.listing import list_sessions
from llmtui.store.session_folder import JOURNAL
from llmtui.store.session_rows import read_comparable

MOST: Final = 8
"""Number of sessions read to estimate the day-to-day noise."""


def earlier_session(results_dir: Path, session: Session) -> Earlier | None:
    """Return the last session of the same plan that began before this one; None where there is none.

    Reads up to eight sessions: not for a thread that draws.

    Raises:
        OSError: the results folder exists but cannot be read.
    """
    found = sessions_before(results_dir, session)
    return Earlier(session=found[0], noise=day_noise(found)) if found else None


def sessions_before(results_dir: Path, session: Session, most: int = MOST) -> list[Session]:
    """Return the sessions of the same plan that began before this one, newest first.

    Args:
        results_dir: folder of the sessions.
        session: the session with the plan.
        most: largest number of sessions to read.

    Raises:
        OSError: the results folder is there but cannot be read.
    """
    if is_imported(session.plan):
        return []
    wanted = plan_signature(session.plan)
    begun = sorted(
        (
            (started.wall_ns, started.session_id, journal)
            for journal, started in _starts(results_dir)
            if started.wall_ns < session.wall_ns
            and started.session_id != session.session_id
            and plan_signature(started.plan) == wanted
        ),
        reverse=True,
    )
    found: list[Session] = []
    for _wall_ns, _session_id, journal in begun:
        before = read_comparable(journal)
        if before is not None and before.rows:
            found.append(before)
        if len(found) == most:
            break
    return found


def last_plan(results_dir: Path) -> Plan | None:
    """Return the plan of the newest session that was run here; None where there is none, or only imported ones."""
    for folder in list_sessions(results_dir):
        started = None if folder.problem is not None else _started(folder.journal)
        if started is not None and not is_imported(started.plan):
            return started.plan
    return None


def _starts(results_dir: Path) -> Iterator[tuple[Path, SessionStarted]]:
    """Yield the journals of a folder, each with its first event."""
    try:
        folders = list(results_dir.iterdir())
    except FileNotFoundError:
        return
    for folder in folders:
        journal = folder / JOURNAL
        started = _started(journal)
        if started is not None:
            yield journal, started


def _started(journal: Path) -> SessionStarted | None:
    try:
        with journal.open("rb") as file:
            first = decode_event(file.readline())
    except (OSError, BadLine):
        return None
    return first if isinstance(first, SessionStarted) else None
