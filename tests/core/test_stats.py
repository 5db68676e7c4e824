"""The statistics agree with SciPy."""

from __future__ import annotations

import math
import statistics
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from scipy.special import betainc

from llmtui.core.stats import (
    _covariance,
    deviation,
    holm,
    incomplete_beta,
    mean,
    stratified_trend,
    t_interval,
    t_quantile,
    t_two_sided,
    welch,
)

reals = st.floats(-5, 5, allow_nan=False)
series = st.lists(reals, min_size=2, max_size=12)


@given(st.floats(0.05, 60), st.floats(0.05, 60), st.floats(0, 1))
def test_the_incomplete_beta_function(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(float(betainc(a, b, x)), abs=1e-11, rel=1e-9)


@given(st.floats(0, 200), st.floats(1, 200))
def test_two_sided_probability_of_t(t: float, degrees: float) -> None:
    expected = 2 * float(scipy_stats.t.sf(t, degrees))
    assert t_two_sided(t, degrees) == pytest.approx(expected, abs=1e-12, rel=1e-7)


@given(st.floats(0.6, 0.9995), st.floats(1, 300))
def test_quantile_of_t(probability: float, degrees: float) -> None:
    expected = float(scipy_stats.t.ppf(probability, degrees))
    assert t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize(("degrees", "t"), [(1, 12.7062), (2, 4.30265), (3, 3.18245), (4, 2.77645), (9, 2.26216)])
def test_the_printed_table_of_t(degrees: int, t: float) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(t, abs=5e-5)


@given(series)
def test_mean_and_deviation(values: list[float]) -> None:
    assert mean(values) == pytest.approx(math.fsum(values) / len(values), abs=1e-12)
    assert deviation(values) == pytest.approx(statistics.stdev(values), abs=1e-9)


@given(series.filter(lambda values: deviation(values) > 1e-6), st.sampled_from([0.9, 0.95, 0.99]))
def test_interval_of_a_mean(values: list[float], level: float) -> None:
    low, high = scipy_stats.t.interval(level, len(values) - 1, loc=mean(values), scale=scipy_stats.sem(values))
    found = t_interval(values, level=level)
    assert (found.low, found.high, found.n) == pytest.approx((float(low), float(high), len(values)), abs=1e-7)


def test_two_equal_readings_claim_no_certainty() -> None:
    found = t_interval([0.3, 0.3], floor=0.001)
    assert found.low < 0.3 < found.high


@given(series.filter(lambda values: deviation(values) > 1e-3), series.filter(lambda values: deviation(values) > 1e-3))
def test_difference_of_two_means_with_unequal_variances(a: list[float], b: list[float]) -> None:
    expected = scipy_stats.ttest_ind(a, b, equal_var=False)
    interval = expected.confidence_interval(0.95)
    found = welch(a, b)
    assert found.degrees == pytest.approx(float(expected.df), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((float(interval.low), float(interval.high)), abs=1e-6)


def test_equal_readings_on_both_sides_give_a_difference_without_width() -> None:
    assert welch([1.0, 1.0], [0.5, 0.5])[:3] == (0.5, 0.5, 0.5)


def rejected(p_values: list[float], level: float) -> set[int]:
    """Holm's procedure by its definition: from the smallest on, against level/(m − rank), until one is too large."""
    found: set[int] = set()
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[index] > level / (len(p_values) - rank):
            break
        found.add(index)
    return found


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.5))
def test_adjusted_p_values_reject_what_the_procedure_rejects(p_values: list[float], level: float) -> None:
    adjusted = holm(p_values)
    by_adjusted = {index for index, p in enumerate(adjusted) if p <= level}
    close = {index for index, p in enumerate(adjusted) if abs(p - level) < 1e-9}
    assert by_adjusted ^ rejected(p_values, level) <= close
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=12, unique=True))
def test_one_stratum_is_the_trend_test_of_kendall_and_sen(values: list[int]) -> None:
    points = list(enumerate(values))
    found = stratified_trend([{x: (float(x), float(y)) for x, y in points}])
    n = len(points)
    score = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    tau = float(scipy_stats.kendalltau(range(n), values).statistic)
    assert score == pytest.approx(tau * n * (n - 1) / 2, abs=1e-6)
    z = max(abs(score) - 1, 0) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    assert found.p == pytest.approx(2 * float(scipy_stats.norm.sf(z)), abs=1e-12)
    assert found.slope == pytest.approx(float(scipy_stats.theilslopes(values).slope), abs=1e-12)


def test_levels_that_differ_between_strata_are_no_trend() -> None:
    flat = [[(0.0, 1.0), (10.0, 1.1), (20.0, 1.0), (30.0, 1.1)], [(5.0, 9.0), (15.0, 8.9), (25.0, 9.0), (35.0, 8.9)]]
    assert stratified_trend([dict(enumerate(one)) for one in flat]).p > 0.5


def test_a_trend_in_all_strata_is_found_and_sized() -> None:
    strata = [{x: (float(x), level + 0.01 * x) for x in range(5)} for level in (0.0, 3.0, 7.0)]
    found = stratified_trend(strata)
    assert found.p < 0.05
    assert found.slope == pytest.approx(0.01)


def test_two_readings_at_one_time_are_no_trend() -> None:
    assert stratified_trend([{0: (1.0, 2.0), 1: (1.0, 3.0)}]) == (0.0, 1.0)


def test_strata_that_share_their_scatter_are_one_observation() -> None:
    """Six series with common noise are worth no more than one of them."""
    shared = (0.0, 0.3, 0.1, 0.4, 0.5)
    one = {at: (float(at), value) for at, value in enumerate(shared)}
    assert stratified_trend([one] * 6).p == pytest.approx(stratified_trend([one]).p, rel=0.5)


@given(st.lists(st.lists(st.integers(-50, 50), min_size=6, max_size=6, unique=True), min_size=2, max_size=2))
def test_the_covariance_of_a_series_with_itself_is_its_variance(values: list[list[int]]) -> None:
    one, other = ({at: (float(at), float(value)) for at, value in enumerate(series)} for series in values)
    assert _covariance(one, one) == pytest.approx(6 * 5 * 17 / 18)
    assert _covariance(one, other) == pytest.approx(_covariance(other, one))


def test_nothing_can_be_said_of_single_points() -> None:
    assert stratified_trend([{0: (1.0, 2.0)}, {}]) == (0.0, 1.0)
