"""The rest of an interrupted session: the planned trials that have no result yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmtui.core.codes import GONE
from llmtui.core.plan import Plan, Trial, round_blocks
from llmtui.core.trial_row import TrialRow


def is_open(row: TrialRow) -> bool:
    """Return whether a trial has no result for its model and has to be run again on resuming.

    Such a trial was cancelled, or the server could not be reached.
    """
    gone = row.outcome == "error" and row.problem is not None and row.problem.code in GONE
    return row.outcome == "cancelled" or gone


def settled_ids(rows: Iterable[TrialRow]) -> frozenset[str]:
    """Return the ids of the planned trials that have a result. A repetition counts for the trial that it repeats."""
    return frozenset(row.repeats or row.trial.id for row in rows if not is_open(row))


def without_open(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the finished trials that are kept when an interrupted session continues.

    A trial without a result is kept only if it was repeated with a result.
    """
    settled = settled_ids(rows)
    return [row for row in rows if not is_open(row) or row.trial.id in settled]


def remaining(plan: Plan, rounds: int, rows: Sequence[TrialRow], *, first: int | None = None) -> tuple[Trial, ...]:
    """Return the planned trials that have no result yet, in order.

    Args:
        plan: the plan of the session.
        rounds: number of rounds that the session has to complete.
        rows: the session's finished trials.
        first: the contender whose model was in memory at the start (see ``round_blocks``); None if there was none.
    """
    settled = settled_ids(rows)
    planned = (block for number in range(1, rounds + 1) for block in round_blocks(plan, number, resident=first))
    return tuple(trial for block in planned for trial in block.trials if trial.id not in settled)
