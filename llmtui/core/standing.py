"""The state of each model in a running session: completed rounds, figures so far, and rank.

Ranks and figures come from complete rounds, so that a model has no advantage from running early in a round.
"""

from __future__ import annotations

import msgspec

from llmtui.core.board import board
from llmtui.core.plan import round_blocks
from llmtui.core.session import Session
from llmtui.core.summary import ContenderSummary
from llmtui.core.whole_rounds import of_whole_rounds, whole_rounds


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one model in a running or finished session."""

    contender: int
    rank: int | None
    """1 + the number of models that a verdict puts above this one; None if there is no verdict yet."""
    shared: bool
    """Whether another model has the same rank."""
    rounds_done: int
    """Number of rounds in which all trials of the model have ended."""
    round_begun: bool
    """Whether trials of a further round have ended, or one is running."""
    summary: ContenderSummary
    provisional: bool
    """Whether the figures come from an incomplete round, because no round is complete yet."""


def standings(session: Session) -> tuple[Standing, ...]:
    """Return the state of each model, in the order of the scoreboard."""
    whole = whole_rounds(session)
    running = session.finished is None
    done, begun = _rounds(session)
    return tuple(
        Standing(
            contender=row.line.contender,
            rank=row.rank if whole or not running else None,
            shared=row.shared,
            rounds_done=done[row.line.contender],
            round_begun=begun[row.line.contender],
            summary=row.line,
            provisional=running and not whole,
        )
        for row in board(of_whole_rounds(session) if running and whole else session)
    )


def _rounds(session: Session) -> tuple[list[int], list[bool]]:
    """Return, for each model, the number of rounds it has completed, and whether it has begun another."""
    ended = frozenset(row.trial.id for row in session.rows)
    done = [0] * len(session.plan.contenders)
    begun = [False] * len(session.plan.contenders)
    for number in range(1, session.rounds + 1):
        for block in round_blocks(session.plan, number):
            over = sum(trial.id in ended for trial in block.trials)
            if over == len(block.trials):
                done[block.contender] += 1
            elif over or (session.current is not None and session.current.id in {one.id for one in block.trials}):
                begun[block.contender] = True
    return done, begun
