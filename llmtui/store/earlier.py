"""Earlier sessions of the same plan, for "since last time"."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmtui.core.across import Earlier
from llmtui.core.day_noise import day_noise
from llmtui.core.differences import plan_signature
from llmtui.core.events import BadLine, SessionStarted, decode_event
from llmtui.core.pairing import is_imported
from llmtui.core.plan import Plan
from llmtui.core.session import Session, fold
from llmtui.store.journal import read_events
from llmtui.store.listing import SessionFolder, list_sessions

MOST: Final = 8
"""Number of sessions read to estimate the day-to-day noise."""


def earlier_session(results_dir: Path, session: Session) -> Earlier | None:
    """Return the last session of the same plan that began before this one; None where there is none.

    Reads whole journals, up to eight: not for a thread that draws.

    Raises:
        OSError: the results folder is there but cannot be read.
    """
    found = sessions_before(results_dir, session)
    return Earlier(session=found[0], noise=day_noise(found)) if found else None


def sessions_before(results_dir: Path, session: Session) -> list[Session]:
    """Return the sessions of the same plan that began before this one, newest first, at most eight.

    Raises:
        OSError: the results folder is there but cannot be read.
    """
    if is_imported(session.plan):
        return []
    wanted = plan_signature(session.plan)
    found: list[Session] = []
    for folder in list_sessions(results_dir):
        if folder.problem is None and folder.trials and (folder.wall_ns or 0) < session.wall_ns:
            plan = _plan_of(folder)
            if folder.session_id != session.session_id and plan is not None and plan_signature(plan) == wanted:
                before = _read(folder)
                if before is not None and before.rows:
                    found.append(before)
        if len(found) == MOST:
            break
    return found


def last_plan(results_dir: Path) -> Plan | None:
    """Return the plan of the newest session that was run here; None where there is none, or only imported ones."""
    for folder in list_sessions(results_dir):
        plan = None if folder.problem is not None else _plan_of(folder)
        if plan is not None and not is_imported(plan):
            return plan
    return None


def _plan_of(folder: SessionFolder) -> Plan | None:
    try:
        with folder.journal.open("rb") as file:
            first = decode_event(file.readline())
    except (OSError, BadLine):
        return None
    return first.plan if isinstance(first, SessionStarted) else None


def _read(folder: SessionFolder) -> Session | None:
    try:
        return fold(read_events(folder.journal))
    except OSError:
        return None
