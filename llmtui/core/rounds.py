"""How many rounds: when a run goes on by itself, and which further rounds would tell more.

Rules: docs/method.md, "Trials" and "Verdicts".
"""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.plan import Plan
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, settled, verdicts


def wants_more_rounds(session: Session) -> bool:
    """Whether a thorough run goes on after a whole round: a pair is still open, and not every ratio is narrow.

    The plan's promised rounds and its largest number of rounds are held whatever the verdicts say.
    """
    begun = max((row.trial.round for row in session.rows), default=0)
    if begun < session.rounds:
        return True
    return begun < session.plan.max_rounds and not settled(verdicts(session))


def rounds_that_fit(plan: Plan, done: int, *, spent_s: float, round_s: float) -> int:
    """Gives how many rounds are begun next in a plan with a budget: one, or two where it ends balanced; 0 to stop.

    Args:
        plan: with its budget; where it is ``balanced``, a round and its mirror are begun together or not at all.
        done: whole rounds so far, at least one.
        spent_s: seconds since the start.
        round_s: seconds that a round is expected to take.
    """
    if plan.budget_s is None or done == 0:
        return 0
    more = 2 if plan.balanced and done % 2 == 0 else 1
    fits = spent_s + more * round_s <= plan.budget_s and done + more <= plan.max_rounds
    return more if fits else 0


def rounds_to_tell(found: Sequence[SpeedVerdict]) -> int | None:
    """Return the number of further rounds after which every open pair that can be settled is expected to be.

    A pair with fewer than three rounds needs three before its interval can be given at all. None: no pair is open, or
    each of those that are would take more than 20 rounds.
    """
    return max((one.more_rounds for one in found if one.more_rounds is not None), default=None)
