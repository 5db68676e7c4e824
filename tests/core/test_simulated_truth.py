"""The words keep their promises in simulated sessions of known truth. docs/method.md has the tables of many more."""

from __future__ import annotations

import random
import secrets
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

if not (Path(__file__).parents[2] / "tools").exists():
    pytest.skip("tools/ is not part of this copy of the source", allow_module_level=True)

from tools import simulate_truth as truth
from tools.truth_cases import Case, Promise
from tools.truth_worlds import MACHINES, Simulation, World

SESSIONS = 60
Z = 5.5
"""Chance alone breaks a promise less than once in ten million cases."""


def tables() -> list[str]:
    return list(dict.fromkeys(one.table for one in truth.ALL))


@pytest.mark.parametrize("table", tables())
def test_promises_are_kept(table: str) -> None:
    for case in (one for one in truth.ALL if one.table == table and "6 models" not in one.row):
        seed = secrets.randbelow(2**30)
        found = truth.run_case(case, SESSIONS, seed)
        for promise, rate in zip(case.promises, found.rates, strict=True):
            low, high = rate.interval(Z)
            assert promise.most is None or low <= promise.most, (case, rate, seed)
            assert promise.least is None or high >= promise.least, (case, rate, seed)


def test_every_row_of_the_promises_is_covered() -> None:
    rows = {(one.table, one.row) for one in truth.ALL}
    for machine in MACHINES.keys() - {"calm"}:
        for models in (2, 3, 6):
            assert any(row == f"{machine}, {models} models" for _, row in rows), machine
    assert {one.column for one in truth.ALL if one.table.startswith("Equal models")} == {
        "1", "2", "3", "5", "10", "stop from 3", "stop from 5",
    }  # fmt: skip


def test_a_difference_is_seen_as_one() -> None:
    """The simulation can fail: what equal models must not have, different ones do."""
    from functools import partial

    from tools.truth_cases import speed_session

    case = Case("", "", "", partial(speed_session, World(ratio=1.2)), (Promise("letters", most=0.06),))
    assert truth.run_case(case, 200, 1).broken == case.promises


@pytest.mark.parametrize("noise", ["normal", "t3", "lognormal", "ar1"])
@pytest.mark.parametrize("trial_share", [0.0, 0.5])
def test_the_truth_is_what_the_world_says(noise: str, trial_share: float) -> None:
    """The mean log ratio of many rounds is the true one, and so is its scatter."""
    world = World(rounds=4000, ratio=1.08, noise=noise, trial_share=trial_share)
    session = Simulation(world, random.Random(3))
    for _ in range(world.rounds):
        session.round()
    values = session.pairs()[0].rounds
    middle = sum(values) / len(values)
    deviation = (sum((one - middle) ** 2 for one in values) / len(values)) ** 0.5
    assert middle == pytest.approx(0.07696, abs=0.0025)
    if noise == "normal":
        assert deviation == pytest.approx(0.02, rel=0.08)


def test_seeds_make_a_case_again() -> None:
    case = truth.ALL[30]
    assert truth.run_case(case, 20, 5).rates == truth.run_case(case, 20, 5).rates


def test_a_promise_is_broken_where_the_whole_interval_is_beyond_it() -> None:
    promise = Promise("", most=0.06)
    assert truth.kept(promise, truth.Rate(275, 4000))
    assert not truth.kept(promise, truth.Rate(285, 4000))
    assert not truth.kept(Promise("", least=0.94), truth.Rate(3700, 4000))
    assert truth.kept(Promise(""), truth.Rate(4000, 4000))


def test_wilsons_interval_is_scipys() -> None:
    from scipy import stats

    for times, of in combinations((3, 40, 60), 2):
        expected: Any = stats.binomtest(times, of).proportion_ci(0.99, method="wilson")
        assert truth.Rate(times, of).interval() == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_the_table_is_put_between_its_marks() -> None:
    document = f"before\n{truth.BEGIN}\nold\n{truth.END}\nafter"
    assert truth.put_into(document, "new") == f"before\n{truth.BEGIN}\nnew\n{truth.END}\nafter"
    with pytest.raises(SystemExit):
        truth.put_into("nothing", "new")
