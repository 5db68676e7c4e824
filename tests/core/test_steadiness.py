"""Blocks are the observations: the steadiest contender, and changes of the machine's speed."""

from __future__ import annotations

import random

import pytest
from scipy import stats as scipy_stats

from llmtui.core.stats import f_two_sided
from llmtui.core.steadiness import blocks_of, drift, steadiest, steadiest_of
from tests.core.compared import compared


def scattered(sd: float, rounds: int, seed: int) -> list[float]:
    chance = random.Random(seed)
    return [20.0 * (1 + chance.gauss(0, sd)) for _ in range(rounds)]


def test_a_machine_that_slows_down_is_named_with_its_size() -> None:
    slowing = [20.0 * (1 - 0.02 * number) for number in range(5)]
    found = drift(compared({"a": slowing, "b": [speed / 2 for speed in slowing]}))
    assert found is not None
    assert 0.07 < found.share < 0.11
    assert found.of_the_machine


def test_below_five_rounds_only_the_trials_are_said_to_be_slower() -> None:
    speeds = [20.0, 18.0, 16.0, 14.0]
    found = drift(compared({"a": speeds, "b": speeds, "c": speeds}))
    assert found is not None
    assert not found.of_the_machine


def test_below_five_rounds_all_models_must_have_gone_the_same_way() -> None:
    assert drift(compared({"a": [20.0, 18.0, 16.0], "b": [16.0, 18.0, 20.0]})) is None


def test_a_step_in_the_middle_is_found() -> None:
    assert drift(compared({"a": [20, 20, 20, 20, 18, 18, 18], "b": [10, 10, 10, 10, 9, 9, 9]})) is not None


def test_noise_is_no_drift() -> None:
    assert drift(compared({"a": [20.0, 20.2, 19.8, 20.1, 19.9], "b": [10.0, 9.9, 10.1, 9.95, 10.05]})) is None


def test_two_rounds_say_nothing_of_drift() -> None:
    assert drift(compared({"a": [20.0, 10.0], "b": [10.0, 5.0]})) is None


def test_trials_of_one_block_are_one_observation() -> None:
    session = compared({"a": [(10.0, 50.0, 99.0), (11.0, 55.0, 108.9), (10.0, 50.0, 99.0)]})
    blocks = blocks_of(session, 0)
    assert [one.round for one in blocks] == [1, 2, 3]
    assert blocks[1].log_ms < blocks[0].log_ms == pytest.approx(blocks[2].log_ms)


def test_the_steadiest_is_named_from_ten_rounds_on() -> None:
    steady, shaky = scattered(0.001, 10, 1), scattered(0.05, 10, 2)
    assert steadiest(compared({"a": shaky, "b": steady})) == 1
    assert steadiest(compared({"a": shaky[:9], "b": steady[:9]})) is None


def test_the_steadiest_is_told_apart_from_every_other() -> None:
    one, two, three = scattered(0.001, 10, 1), scattered(0.0012, 10, 2), scattered(0.05, 10, 3)
    assert steadiest_of([one, three]) == 0
    assert steadiest_of([one, two, three]) is None


def test_series_without_any_scatter_are_alike() -> None:
    assert steadiest_of([[1.0] * 10, [2.0] * 10]) is None
    assert steadiest_of([[1.0] * 10, scattered(0.1, 10, 4)]) == 0


@pytest.mark.parametrize(("ratio", "over", "under"), [(1.0, 9, 9), (3.2, 9, 9), (0.2, 4, 9), (8.0, 2, 2)])
def test_f_against_scipy(ratio: float, over: int, under: int) -> None:
    tail = min(scipy_stats.f.sf(ratio, over, under), scipy_stats.f.cdf(ratio, over, under))
    assert f_two_sided(ratio, over, under) == pytest.approx(min(1.0, 2 * tail), rel=1e-9)
