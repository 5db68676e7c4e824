"""Statistics for the comparison of a few rounds, without an array library.

Student's t uses the regularised incomplete beta function (continued fraction, Press et al., Numerical Recipes § 6.4).
Other sources: Holm's step-down adjustment (Holm 1979), a stratified Kendall trend test for dependent strata (Hirsch and
Slack 1984), and the median of pairwise slopes (Sen 1968). tests/core/test_stats.py compares all of them with SciPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

from llmtui.core.metrics import quantile

_TINY = 1e-300
_PRECISION = 1e-15
_MAX_STEPS = 500


Stratum = Mapping[int, tuple[float, float]]
"""The points (x, y) of one stratum, by number of the occasion; equal numbers in two strata are the same occasion."""


class Interval(NamedTuple):
    """A mean with its confidence interval."""

    mean: float
    low: float
    high: float
    n: int


class Trend(NamedTuple):
    """A monotone trend over time, pooled over strata."""

    slope: float
    """Median of the slopes between all pairs of points within a stratum, in y per x."""
    p: float
    """Two-sided p-value; 1 if it cannot be computed."""


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean of a non-empty series."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation (n − 1) of at least two values."""
    middle = mean(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1))


def t_interval(values: Sequence[float], *, level: float = 0.95, floor: float = 0.0) -> Interval:
    """Return the confidence interval mean ± t·s/√n of at least two values.

    Args:
        values: independent observations.
        level: two-sided confidence level.
        floor: lower bound of the standard deviation, so that a few equal values do not make an interval of width 0.
    """
    n = len(values)
    half = t_quantile(0.5 + level / 2, n - 1) * max(deviation(values), floor) / math.sqrt(n)
    middle = mean(values)
    return Interval(middle, middle - half, middle + half, n)


def t_two_sided(t: float, degrees: float) -> float:
    """Return the two-sided p-value of t under Student's distribution: I_x(ν/2, 1/2) at x = ν/(ν + t²)."""
    return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t))


def f_two_sided(ratio: float, over: float, under: float) -> float:
    """Return the two-sided p-value of an F test for equal variances.

    Args:
        ratio: ratio of the sample variances.
        over: degrees of freedom of the numerator.
        under: degrees of freedom of the denominator.
    """
    if ratio <= 0 or math.isinf(ratio):
        return 0.0
    above = incomplete_beta(under / 2, over / 2, under / (under + over * ratio))
    return min(1.0, 2 * min(above, 1 - above))


@lru_cache(maxsize=2048)
def t_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t distribution.

    Args:
        probability: from 0.5 to below 1.
        degrees: degrees of freedom.
    """
    if probability == 0.5:
        return 0.0
    tail = 2 * (1 - probability)
    low, high = 0.0, 1.0
    while t_two_sided(high, degrees) > tail:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if t_two_sided(middle, degrees) > tail:
            low = middle
        else:
            high = middle
        if high - low <= 1e-13 * high:
            break
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b) for 0 ≤ x ≤ 1."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    # The continued fraction converges fast only below the mean; above it, use the symmetry of the function.
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1 - x) / b


def _beta_fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, _MAX_STEPS):
        even = 2 * step
        for term in (
            step * (b - step) * x / ((a + even - 1) * (a + even)),
            -(a + step) * (a + b + step) * x / ((a + even) * (a + even + 1)),
        ):
            d = 1.0 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p-values adjusted by Holm's method, in the order given."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def stratified_trend(strata: Sequence[Stratum]) -> Trend:
    """Return the trend of y over x within strata; differences of level between strata do not matter.

    Strata share their occasions: a round in which the whole machine was slow is one observation, not several. Therefore
    the variance includes the covariances of the strata's scores, estimated from their concordance (Hirsch and Slack
    1984). Without them, a noise of ± 2 % shared by all models would be called a trend in up to 30 of 100 sessions.

    Args:
        strata: (x, y) by occasion; strata with fewer than two points, or with a single x, are ignored.
    """
    score = 0
    slopes: list[float] = []
    for points in strata:
        for (x, y), (later_x, later_y) in combinations(points.values(), 2):
            if later_x != x:
                slope = (later_y - y) / (later_x - x)
                slopes.append(slope)
                score += _sign(slope)
    alone = [_covariance(one, one) for one in strata]
    variance = math.fsum(alone) + 2 * math.fsum(_covariance(one, other) for one, other in combinations(strata, 2))
    # Negative covariances must not make the variance smaller than that of a single stratum.
    variance = max(variance, *alone, 0.0) if alone else 0.0
    if not slopes or not variance:
        return Trend(0.0, 1.0)
    # Continuity correction: the score moves in steps of two, the normal distribution does not.
    z = max(abs(score) - 1, 0) / math.sqrt(variance)
    return Trend(quantile(sorted(slopes), 0.5), math.erfc(z / math.sqrt(2)))


def _covariance(one: Stratum, other: Stratum) -> float:
    """Return the covariance of two strata's scores over their common occasions (Dietz and Killeen 1981).

    If both are the same stratum, this is the variance of Kendall's score, including ties.
    """
    common = [at for at in one if at in other]
    n = len(common)
    values = [[stratum[at][1] for at in common] for stratum in (one, other)]
    ranks = [
        [(sum(value < mine for value in series) + sum(value <= mine for value in series) + 1) / 2 for mine in series]
        for series in values
    ]
    concordance = sum(
        _sign(values[0][j] - values[0][i]) * _sign(values[1][j] - values[1][i]) for i, j in combinations(range(n), 2)
    )
    together = math.fsum(a * b for a, b in zip(*ranks, strict=True))
    return (concordance + 4 * together - n * (n + 1) ** 2) / 3


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


class Welch(NamedTuple):
    """A difference of two means with its confidence interval, for unequal variances."""

    difference: float
    low: float
    high: float
    degrees: float


class Part(NamedTuple):
    """One part of a variance, with its degrees of freedom."""

    variance: float
    degrees: float


def welch(
    a: Sequence[float], b: Sequence[float], *, level: float = 0.95, floor: float = 0.0, also: Sequence[Part] = ()
) -> Welch:
    """Return mean(a) − mean(b) with its confidence interval (Welch 1947).

    Args:
        a: at least two independent observations.
        b: at least two independent observations; the number may differ from that of ``a``.
        level: two-sided confidence level.
        floor: lower bound of both standard deviations.
        also: further parts of the variance of the difference (Satterthwaite 1946).
    """
    parts = [
        Part(max(deviation(a), floor) ** 2 / len(a), len(a) - 1),
        Part(max(deviation(b), floor) ** 2 / len(b), len(b) - 1),
        *also,
    ]
    return around(mean(a) - mean(b), parts, level=level)


def around(middle: float, parts: Sequence[Part], *, level: float = 0.95) -> Welch:
    """Return an estimate with its confidence interval, given the parts of its variance (Satterthwaite 1946).

    Args:
        middle: the estimate.
        parts: at least one variance with its degrees of freedom.
        level: two-sided confidence level.
    """
    total = math.fsum(part.variance for part in parts)
    if total == 0:
        return Welch(middle, middle, middle, math.fsum(part.degrees for part in parts))
    degrees = total**2 / math.fsum(part.variance**2 / part.degrees for part in parts)
    half = t_quantile(0.5 + level / 2, degrees) * math.sqrt(total)
    return Welch(middle, middle - half, middle + half, degrees)
