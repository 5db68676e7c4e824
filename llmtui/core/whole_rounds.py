"""Complete rounds. While a session runs, conclusions are drawn from complete rounds only."""

from __future__ import annotations

import msgspec

from llmtui.core.plan import trials_per_round
from llmtui.core.session import Session


def whole_rounds(session: Session) -> tuple[int, ...]:
    """Return the numbers of the complete rounds.

    A round is complete if all its trials have ended, or if a later round has begun.
    """
    trials: dict[int, set[str]] = {}
    for row in session.rows:
        trials.setdefault(row.trial.round, set()).add(row.repeats or row.trial.id)
    newest = max(trials, default=0)
    return tuple(at for at in sorted(trials) if at < newest or len(trials[at]) >= trials_per_round(session.plan))


def of_whole_rounds(session: Session) -> Session:
    """Return the session without the trials of incomplete rounds.

    Within an incomplete round the models have answered different prompts, so a median would depend on the prompts more
    than on the models.
    """
    whole = frozenset(whole_rounds(session))
    rows = tuple(row for row in session.rows if row.trial.round in whole)
    return session if len(rows) == len(session.rows) else msgspec.structs.replace(session, rows=rows)
