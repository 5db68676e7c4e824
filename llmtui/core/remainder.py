"""What is left of a session that was interrupted: the planned trials without a result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmtui.core.codes import GONE
from llmtui.core.plan import Plan, Trial, round_blocks
from llmtui.core.trial_row import TrialRow


def is_open(row: TrialRow) -> bool:
    """Return whether a row tells nothing of its model: it was cut short, or its server was gone."""
    gone = row.outcome == "error" and row.problem is not None and row.problem.code in GONE
    return row.outcome == "cancelled" or gone


def settled_ids(rows: Iterable[TrialRow]) -> frozenset[str]:
    """Return the ids of the planned trials that have a result; a repetition counts for the trial that it repeats."""
    return frozenset(row.repeats or row.trial.id for row in rows if not is_open(row))


def without_open(rows: Sequence[TrialRow]) -> list[TrialRow]:
    """Return the rows that stay when a session continues: an open one stays only beside its repetition."""
    settled = settled_ids(rows)
    return [row for row in rows if not is_open(row) or row.trial.id in settled]


def remaining(plan: Plan, rounds: int, rows: Sequence[TrialRow], *, first: int | None = None) -> tuple[Trial, ...]:
    """Return the planned trials without a result, in order.

    Args:
        plan: the plan.
        rounds: number of promised rounds.
        rows: the session's rows.
        first: the contender that was in memory at the start (see ``round_blocks``).
    """
    settled = settled_ids(rows)
    planned = (block for number in range(1, rounds + 1) for block in round_blocks(plan, number, resident=first))
    return tuple(trial for block in planned for trial in block.trials if trial.id not in settled)
