"""Number of rounds: when a run continues by itself, and how many more rounds would settle open pairs.

Rules: docs/method.md, "Trials" and "Verdicts".
"""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.plan import Plan
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, settled, verdicts


def wants_more_rounds(session: Session) -> bool:
    """Return whether a thorough run continues after a complete round: a pair is open, and not every ratio is narrow.

    At least the plan's promised rounds and at most its largest number are run, whatever the verdicts are.
    """
    begun = max((row.trial.round for row in session.rows), default=0)
    if begun < session.rounds:
        return True
    return begun < session.plan.max_rounds and not settled(verdicts(session))


def rounds_that_fit(plan: Plan, done: int, *, spent_s: float, round_s: float) -> int:
    """Return how many rounds to start next under a budget: one, or two where the order must end balanced; 0 to stop.

    Args:
        plan: a plan with a budget; where it is ``balanced``, a round and its mirror are started together.
        done: number of complete rounds, at least one.
        spent_s: time since the start.
        round_s: expected duration of a round.
    """
    if plan.budget_s is None or done == 0:
        return 0
    more = 2 if plan.balanced and done % 2 == 0 else 1
    fits = spent_s + more * round_s <= plan.budget_s and done + more <= plan.max_rounds
    return more if fits else 0


def rounds_to_tell(found: Sequence[SpeedVerdict]) -> int | None:
    """Return the number of rounds after which every open pair that can be settled is expected to be.

    A pair with fewer than three rounds needs three for an interval. None: no pair is open, or every open one would take
    more than 20 rounds.
    """
    return max((one.more_rounds for one in found if one.more_rounds is not None), default=None)
