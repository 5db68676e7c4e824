"""The state of each model in a running session: rounds done, figures so far, and rank.

Ranks and figures are those of complete rounds, so an early turn within a round is no advantage.
"""

from __future__ import annotations

import msgspec

from llmtui.core.letters import ranks
from llmtui.core.plan import round_blocks
from llmtui.core.session import Session
from llmtui.core.summary import ContenderSummary, summarise
from llmtui.core.verdict import verdicts


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One model of a running or finished session."""

    contender: int
    rank: int | None
    """1 + the number of models that a verdict puts above it; None while there is no verdict."""
    shared: bool
    """Another model has the same rank."""
    rounds_done: int
    """Number of rounds in which all its trials have ended."""
    round_begun: bool
    """Whether trials of a further round have ended, or one is running."""
    summary: ContenderSummary
    provisional: bool
    """Whether the figures are from an incomplete round: there is no complete one yet."""


def complete_rounds(session: Session) -> frozenset[int]:
    """Return the numbers of the rounds of which every trial of every model has ended."""
    ended = _ended(session)
    return frozenset(
        number
        for number in range(1, session.rounds + 1)
        if all(trial.id in ended for block in round_blocks(session.plan, number) for trial in block.trials)
    )


def standings(session: Session) -> tuple[Standing, ...]:
    """Return one entry per model by decode rate, the fastest first; those without a rate last, in the plan's order."""
    whole = complete_rounds(session)
    running = session.finished is None
    counted = tuple(row for row in session.rows if row.trial.round in whole) if running and whole else session.rows
    so_far = msgspec.structs.replace(session, rows=counted)
    place = ranks(verdicts(so_far)) if whole or not running else {}
    taken = list(place.values())
    done, begun = _rounds(session)
    made = [
        Standing(
            contender=line.contender,
            rank=place.get(line.contender),
            shared=taken.count(place.get(line.contender, 0)) > 1,
            rounds_done=done[line.contender],
            round_begun=begun[line.contender],
            summary=line,
            provisional=running and not whole,
        )
        for line in summarise(so_far).lines
    ]
    return tuple(sorted(made, key=_slowest_last))


def _slowest_last(one: Standing) -> float:
    return 0.0 if one.summary.decode_tps is None else -one.summary.decode_tps.value


def _ended(session: Session) -> frozenset[str]:
    return frozenset(row.trial.id for row in session.rows)


def _rounds(session: Session) -> tuple[list[int], list[bool]]:
    """Return the number of rounds that each model has done, and whether it has begun another."""
    ended = _ended(session)
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
