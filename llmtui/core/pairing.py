"""Pairs of measurements of two contenders, by round. For imported files see ``core.recorded_pairs``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from llmtui.core.flags import counts_for_speed, counts_for_text_speed
from llmtui.core.plan import IMPORTED, Plan
from llmtui.core.trial_row import TrialRow

Figure = Literal["decode_tps", "decode_cps"]
"""The figure that is compared: tokens per second, or characters per second."""


class PairedRounds(NamedTuple):
    """Two contenders' measurements from the same rounds, as log ratios: ln(speed of the first ÷ that of the second)."""

    first: int
    second: int
    rounds: tuple[float, ...]
    """Log ratio of each counted round."""
    leads: tuple[tuple[float, ...], ...]
    """Log ratios of the single prompts, for each counted round."""
    common: int
    """Number of prompts measured for both contenders, summed over all rounds, counted or not."""


def is_imported(plan: Plan) -> bool:
    """Return whether the plan was read from another program's file. Such a plan cannot be run again."""
    return plan.preset == IMPORTED


def pair_up(
    plan: Plan, rows: Sequence[TrialRow], first: int, second: int, figure: Figure = "decode_tps"
) -> PairedRounds:
    """Return the rounds in which both contenders were measured on the same prompts with the same token limit.

    A round counts if both were measured on at least half of the plan's prompts. The speed of a round is pooled over
    these prompts: amount of text ÷ time.
    """
    by_place: dict[tuple[int, int | None], dict[int, TrialRow]] = {}
    counts = counts_for_speed if figure == "decode_tps" else counts_for_text_speed
    for row in rows:
        if row.trial.contender in (first, second) and counts(row):
            by_place.setdefault((row.trial.round, row.trial.prompt), {})[row.trial.contender] = row
    rounds: dict[int, list[tuple[TrialRow, TrialRow]]] = {}
    for (number, _), both in sorted(by_place.items(), key=lambda item: (item[0][0], item[0][1] or 0)):
        if len(both) == 2 and both[first].num_predict == both[second].num_predict:
            rounds.setdefault(number, []).append((both[first], both[second]))
    counted = [pairs for pairs in rounds.values() if 2 * len(pairs) >= len(plan.prompts)]
    return PairedRounds(
        first=first,
        second=second,
        rounds=tuple(_pooled_log(pairs, 0, figure) - _pooled_log(pairs, 1, figure) for pairs in counted),
        leads=tuple(
            tuple(_pooled_log([both], 0, figure) - _pooled_log([both], 1, figure) for both in pairs)
            for pairs in counted
        ),
        common=sum(map(len, rounds.values())),
    )


def amount_and_seconds(row: TrialRow, figure: Figure) -> tuple[int, float]:
    """Return the numerator and denominator of a trial's rate, for pooling: tokens or characters, and seconds."""
    figures = row.figures
    if figure == "decode_tps":
        assert figures.decode_steps is not None, "only rows with a rate are paired"
        assert figures.decode_s is not None, "a rate has its time"
        return figures.decode_steps, figures.decode_s
    assert figures.decode_chars is not None, "only rows with a rate are paired"
    assert figures.decode_cps, "a rate is more than 0"
    return figures.decode_chars, figures.decode_chars / figures.decode_cps


def _pooled_log(pairs: Sequence[tuple[TrialRow, TrialRow]], side: Literal[0, 1], figure: Figure) -> float:
    parts = [amount_and_seconds(pair[side], figure) for pair in pairs]
    return math.log(sum(done for done, _ in parts) / math.fsum(over_s for _, over_s in parts))
