"""Steadiness of contenders and drift of the machine. Rules: docs/method.md, "Verdicts".

An observation is a block: the trials of one contender in one round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from llmtui.core.flags import counts_for_speed
from llmtui.core.pairing import is_imported
from llmtui.core.session import Session
from llmtui.core.stats import Trend, deviation, f_two_sided, holm, mean, stratified_trend

STEADY_ROUNDS = 10
"""Smallest number of rounds per contender for naming the steadiest one."""
STEADY_P = 0.01
DRIFT_ROUNDS = 5
"""Smallest number of rounds for attributing a drift to the machine. With fewer, only the trials are said to have
changed."""
TREND_ROUNDS = 3
DRIFT_P = 0.05
DRIFT_SHARE = 0.03


class SteadyBlock(NamedTuple):
    """The compared trials of one contender in one round, as one observation."""

    round: int
    at_s: float
    """Mean end time of the trials in seconds, on the engine's clock."""
    log_ms: float
    """Mean, over the prompts, of ln(time per token) minus the prompt's mean over all rounds."""


class Drift(NamedTuple):
    """A change of speed during the session, common to all contenders."""

    share: float
    """Relative change of the time per token over the whole session; 0.06 means 6 % slower."""
    p: float
    rounds: int
    contenders: int

    @property
    def of_the_machine(self) -> bool:
        """Whether there are enough rounds to attribute the drift to the machine."""
        return self.rounds >= DRIFT_ROUNDS


def blocks_of(session: Session, contender: int) -> tuple[SteadyBlock, ...]:
    """Return one observation per round for a contender; prompts that were compared only once are left out.

    Each trial counts relative to the mean of its prompt over the rounds, which removes differences between prompts.
    """
    logs: dict[int | None, list[tuple[int, float, float]]] = {}
    for row in session.rows:
        if row.trial.contender == contender and counts_for_speed(row) and row.figures.tpot_ms is not None:
            logs.setdefault(row.trial.prompt, []).append(
                (row.trial.round, row.t_ns / 1e9, math.log(row.figures.tpot_ms))
            )
    by_round: dict[int, list[tuple[float, float]]] = {}
    for series in logs.values():
        usual = mean([value for _, _, value in series])
        for number, at_s, value in series if len(series) > 1 else ():
            by_round.setdefault(number, []).append((at_s, value - usual))
    return tuple(
        SteadyBlock(number, mean([at for at, _ in parts]), mean([value for _, value in parts]))
        for number, parts in sorted(by_round.items())
    )


def drift(session: Session) -> Drift | None:
    """Return the change of speed during the session that is common to all contenders; None if none is found."""
    if is_imported(session.plan):
        return None
    return trend_of([blocks_of(session, index) for index in range(len(session.plan.contenders))])


def trend_of(series: Sequence[Sequence[SteadyBlock]]) -> Drift | None:
    """Return the drift common to all contenders, if it exceeds 3 % from the first to the last observation, else None.

    From five rounds on, the drift must be significant by Kendall's test at p < 0.05, with contenders as strata that
    share their rounds. With fewer rounds no test can decide: then every contender must have changed in the same
    direction.

    Args:
        series: for each contender, its observations in the order of the rounds.
    """
    known = [blocks for blocks in series if len(blocks) >= TREND_ROUNDS]
    if not known:
        return None
    strata = [{one.round: (one.at_s, one.log_ms) for one in blocks} for blocks in known]
    trend: Trend = stratified_trend(strata)
    times = [one.at_s for blocks in known for one in blocks]
    share = math.expm1(trend.slope * (max(times) - min(times)))
    found = Drift(share, trend.p, rounds=max(map(len, known)), contenders=len(known))
    same_way = all(stratified_trend([one]).slope * trend.slope > 0 for one in strata)
    shown = trend.p < DRIFT_P if found.of_the_machine else same_way
    return found if shown and abs(share) > DRIFT_SHARE else None


def steadiest(session: Session) -> int | None:
    """Return the contender whose speed varies least.

    None if its difference from the others is not significant, or if there are fewer than ten rounds.
    """
    blocks = [blocks_of(session, index) for index in range(len(session.plan.contenders))]
    return steadiest_of([[one.log_ms for one in series] for series in blocks])


def steadiest_of(series: Sequence[Sequence[float]]) -> int | None:
    """Return the index of the series with a smaller variance than every other; None if there is none.

    The variances of all pairs with at least ten observations each are compared by an F test, adjusted by Holm, at 1 %.
    """
    known = [at for at, values in enumerate(series) if len(values) >= STEADY_ROUNDS]
    pairs = list(combinations(known, 2))
    spread = {at: deviation(series[at]) for at in known}
    p_values = [f_two_sided(_ratio(spread[a], spread[b]), len(series[a]) - 1, len(series[b]) - 1) for a, b in pairs]
    apart = {pair for pair, p in zip(pairs, holm(p_values), strict=True) if p < STEADY_P}
    for at in known:
        others = [tuple(sorted((at, other))) for other in known if other != at]
        if others and all(pair in apart and spread[at] == min(spread[one] for one in pair) for pair in others):
            return at
    return None


def _ratio(a: float, b: float) -> float:
    """Return the ratio of two variances, from the standard deviations; 1 if both are 0, infinity if only ``b`` is 0."""
    if a == b:
        return 1.0
    return math.inf if b == 0 else (a / b) ** 2
