"""Confidence intervals of speed or time ratios over rounds, valid simultaneously for all pairs of a table.

The level is Bonferroni-corrected over the m pairs with at least three rounds: each interval is Student's t at 1 −
0.05/2m. p-values are adjusted by Holm over the same pairs. Rules and their simulated error rates: docs/method.md,
"Verdicts".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from llmtui.core.stats import deviation, holm, mean, t_quantile, t_two_sided

MIN_ROUNDS = 3
"""Smallest number of rounds for which a pair has an interval."""
ALPHA = 0.05
DEVIATION_FLOOR = 0.001
"""Lower bound of the standard deviation of log ratios, so that a few equal values do not make an interval of width
0."""
MAX_MORE_ROUNDS = 20


class PairInterval(NamedTuple):
    """The mean log ratio of one pair with its 95 % interval, which is valid for all pairs of the table together."""

    mean: float
    low: float
    high: float
    n: int
    """Number of rounds."""
    p_adjusted: float
    """Two-sided p-value, adjusted by Holm over the pairs of the table."""

    def oriented(self) -> PairInterval:
        """Return the interval of the pair ordered so that its mean is at least 0: the pair is swapped if necessary."""
        return self if self.mean >= 0 else self._replace(mean=-self.mean, low=-self.high, high=-self.low)


def pair_intervals(series: Sequence[Sequence[float]]) -> tuple[PairInterval | None, ...]:
    """Return the interval of each pair, from its log ratios by round; None for a pair with fewer than three rounds."""
    tested = [at for at, values in enumerate(series) if len(values) >= MIN_ROUNDS]
    adjusted = dict(zip(tested, holm([_p(series[at]) for at in tested]), strict=True))
    return tuple(
        _interval(mean(values), spread_of(values), len(values), len(tested), adjusted[at]) if at in adjusted else None
        for at, values in enumerate(series)
    )


def forecasts(
    series: Sequence[Sequence[float]], is_final: Callable[[int, PairInterval], bool]
) -> tuple[int | None, ...]:
    """Return, for each pair, the number of further rounds after which its verdict is expected to be final.

    For a pair of n ≥ 3 rounds, it is the smallest k of 1 … 20 for which n + k rounds with the same mean and deviation
    lead to a final verdict, if the other pairs do not change. None: more than 20 further rounds. For a pair with fewer
    than three rounds, 3 − n is returned, since an interval needs three.

    Args:
        series: log ratios by round, for each pair.
        is_final: returns whether the given interval of the pair with the given index leads to a final verdict.
    """
    tested = [at for at, values in enumerate(series) if len(values) >= MIN_ROUNDS]
    p_values = [_p(series[at]) for at in tested]
    found: list[int | None] = []
    for at, values in enumerate(series):
        if len(values) < MIN_ROUNDS:
            found.append(MIN_ROUNDS - len(values))
            continue
        place, middle, spread = tested.index(at), abs(mean(values)), spread_of(values)
        found.append(None)
        for more in range(1, MAX_MORE_ROUNDS + 1):
            interval = _interval(middle, spread, len(values) + more, len(tested), 1.0)
            if interval.low > 0:  # otherwise the verdict does not depend on p
                expected = [*p_values]
                expected[place] = t_two_sided(middle * math.sqrt(interval.n) / spread, interval.n - 1)
                interval = interval._replace(p_adjusted=holm(expected)[place])
            if is_final(at, interval):
                found[-1] = more
                break
    return tuple(found)


def spread_of(values: Sequence[float]) -> float:
    """Return the standard deviation of at least two log ratios; at least ``DEVIATION_FLOOR``."""
    return max(deviation(values), DEVIATION_FLOOR)


def _interval(middle: float, spread: float, n: int, pairs: int, p_adjusted: float) -> PairInterval:
    half = t_quantile(1 - ALPHA / (2 * pairs), n - 1) * spread / math.sqrt(n)
    return PairInterval(middle, middle - half, middle + half, n, p_adjusted)


def _p(values: Sequence[float]) -> float:
    return t_two_sided(mean(values) * math.sqrt(len(values)) / spread_of(values), len(values) - 1)
