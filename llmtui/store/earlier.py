"""Earlier sessions of the same plan, for the comparison "since last time"."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmtui.core.across import Earlier
from llmtui.core.day_noise import day_noise
from llmtui.core.differences import plan_signature
from llmtui.core.pairing import is_imported
from llmtui.core.plan import Plan
from llmtui.core.session import Session
from llmtui.store.begun import sessions_begun
from llmtui.store.listing import list_sessions
from llmtui.store.session_rows import read_comparable, session_start

MOST: Final = 8
"""Largest number of sessions read to estimate the day-to-day noise."""
MOST_IN_TREND: Final = 500
"""Largest number of sessions read for a trend, the newest ones."""


def earlier_session(results_dir: Path, session: Session) -> Earlier | None:
    """Return the last session of the same plan that began before this one; None if there is none.

    Reads up to eight sessions, so it is too slow for the thread that draws the screen.

    Raises:
        OSError: the results folder exists but cannot be read.
    """
    found = sessions_before(results_dir, session)
    return Earlier(session=found[0], noise=day_noise(found)) if found else None


def sessions_before(
    results_dir: Path, session: Session, most: int = MOST, *, speed_only: bool = False
) -> list[Session]:
    """Return the sessions of the same plan that began before this one, newest first.

    Args:
        results_dir: folder of the sessions.
        session: the session with the plan.
        most: largest number of sessions to read.
        speed_only: leave out all figures but the decode speed.

    Raises:
        OSError: the results folder exists but cannot be read.
    """
    if is_imported(session.plan):
        return []
    wanted = plan_signature(session.plan)
    found: list[Session] = []
    for one in sessions_begun(results_dir):
        if one.wall_ns >= session.wall_ns or one.session_id == session.session_id:
            continue
        started = session_start(one.journal)
        if started is None or plan_signature(started.plan) != wanted:
            continue
        before = read_comparable(one.journal, speed_only=speed_only)
        if before is not None and before.rows:
            found.append(before)
        if len(found) == most:
            break
    return found


def last_plan(results_dir: Path) -> Plan | None:
    """Return the plan of the newest session in the folder, ignoring imported ones; None if there is no session."""
    for folder in list_sessions(results_dir):
        started = None if folder.problem is not None else session_start(folder.journal)
        if started is not None and not is_imported(started.plan):
            return started.plan
    return None
