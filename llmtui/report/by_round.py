"""The rounds of a session, each as a session of its own with one observation of each figure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from llmtui.core.plan import Kind
from llmtui.core.session import Session
from llmtui.core.summary import Summary, summarise


def sessions_by_round(session: Session) -> Iterator[tuple[int, Session]]:
    """Yield the number of each round that has a trial, with a session of only that round's trials."""
    for number in sorted({row.trial.round for row in session.rows}):
        rows = tuple(row for row in session.rows if row.trial.round == number)
        yield number, msgspec.structs.replace(session, rows=rows)


def summaries_by_round(session: Session, kinds: tuple[Kind, ...] = ()) -> dict[int, Summary]:
    """Return round number → summary of that round.

    Args:
        session: a finished or a running session.
        kinds: the kinds of trials to include; empty for all.
    """
    return {
        number: summarise(
            msgspec.structs.replace(one, rows=tuple(row for row in one.rows if not kinds or row.trial.kind in kinds))
        )
        for number, one in sessions_by_round(session)
    }
