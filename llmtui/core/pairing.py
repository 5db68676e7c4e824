"""Which measurements of two contenders belong together, by round. Of imported files: core.recorded_pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from llmtui.core.checks import counts_for_speed
from llmtui.core.plan import IMPORTED, Plan
from llmtui.core.trial_row import TrialRow


class Pair(NamedTuple):
    """Two contenders' paired rounds, as log ratios of the first to the second."""

    first: int
    second: int
    rounds: tuple[float, ...]
    """d_r of each counted round."""
    leads: tuple[tuple[float, ...], ...]
    """Log ratios prompt by prompt, for each counted round."""
    common: int
    """Pairs of rows in all rounds, counted or not."""


def is_imported(plan: Plan) -> bool:
    """Whether the plan was made from a file of another program, which cannot be run again."""
    return plan.preset == IMPORTED


def pair_up(plan: Plan, rows: Sequence[TrialRow], first: int, second: int) -> Pair:
    """Gives the rounds in which both were measured on the same prompts with the same cap.

    A round counts if at least half of the plan's prompts are paired in it. Within a round rates are pooled over the
    paired prompts.
    """
    by_place: dict[tuple[int, int | None], dict[int, TrialRow]] = {}
    for row in rows:
        if row.trial.contender in (first, second) and counts_for_speed(row):
            by_place.setdefault((row.trial.round, row.trial.prompt), {})[row.trial.contender] = row
    rounds: dict[int, list[tuple[TrialRow, TrialRow]]] = {}
    for (number, _), both in sorted(by_place.items(), key=lambda item: (item[0][0], item[0][1] or 0)):
        if len(both) == 2 and both[first].num_predict == both[second].num_predict:
            rounds.setdefault(number, []).append((both[first], both[second]))
    counted = [pairs for pairs in rounds.values() if 2 * len(pairs) >= len(plan.prompts)]
    return Pair(
        first=first,
        second=second,
        rounds=tuple(_pooled_log(pairs, 0) - _pooled_log(pairs, 1) for pairs in counted),
        leads=tuple(tuple(_row_log(a) - _row_log(b) for a, b in pairs) for pairs in counted),
        common=sum(map(len, rounds.values())),
    )


def _row_log(row: TrialRow) -> float:
    assert row.figures.decode_tps is not None, "only rows with a rate are paired"
    return math.log(row.figures.decode_tps)


def _pooled_log(pairs: Sequence[tuple[TrialRow, TrialRow]], side: Literal[0, 1]) -> float:
    steps = sum(pair[side].figures.decode_steps or 0 for pair in pairs)
    return math.log(steps / math.fsum(pair[side].figures.decode_s or 0.0 for pair in pairs))
