"""When a run continues with another round by itself, and how many rounds would settle its undecided pairs.

Rules: docs/method.md, "Trials" and "Verdicts".
"""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.plan import Plan
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, settled, verdicts


def wants_more_rounds(session: Session) -> bool:
    """Return whether a thorough run continues after a complete round.

    It continues while the verdict on some pair is open, unless all speed ratios are already known to ± 1.5 %. It never
    ends before the promised number of rounds or exceeds the plan's largest number.
    """
    begun = max((row.trial.round for row in session.rows), default=0)
    if begun < session.rounds:
        return True
    return begun < session.plan.max_rounds and not settled(verdicts(session))


def rounds_that_fit(plan: Plan, done: int, *, spent_s: float, round_s: float) -> int:
    """Return the number of rounds to start next under a time budget: 0 to stop, 1, or 2 if the order must be balanced.

    Args:
        plan: the plan. If it is ``balanced``, a round and its mirror image are started together.
        done: number of complete rounds.
        spent_s: seconds since the start.
        round_s: expected duration of a round, in seconds.
    """
    if plan.budget_s is None or done == 0:
        return 0
    more = 2 if plan.balanced and done % 2 == 0 else 1
    fits = spent_s + more * round_s <= plan.budget_s and done + more <= plan.max_rounds
    return more if fits else 0


def rounds_to_tell(found: Sequence[SpeedVerdict]) -> int | None:
    """Return the number of further rounds after which every undecided pair is expected to be decided.

    Pairs that would take more than 20 rounds are ignored; None if no other pair is undecided. A pair with fewer than
    three rounds is expected to be decided at three, since it has no interval before that.
    """
    return max((one.more_rounds for one in found if one.more_rounds is not None), default=None)
