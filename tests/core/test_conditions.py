"""Conditions are lasting, or are shown with the number of their trials."""

from __future__ import annotations

import pytest

from llmtui.core.conditions import Condition, conditions_of, is_busy_machine
from llmtui.core.session import Session
from llmtui.core.verdict import disturbed_share, verdicts
from tests.core.compared import compared, compared_plan, warm


def with_flags(flag: str, count: int, contender: int = 0, rounds: int = 3) -> Session:
    """Two models, three prompts; the first trials of one of them have a flag."""
    of = compared_plan("a", "b")
    places = [(number, which) for number in range(1, rounds + 1) for which in range(3)]
    rows = [
        warm(of, contender, number, which, 20.0, flags=(flag,) if at < count else ())
        for at, (number, which) in enumerate(places)
    ]
    names = ("a", "b")
    rates: dict[str, list[float]] = {name: [] if at == contender else [10.0] * rounds for at, name in enumerate(names)}
    return compared(rates, *rows, of=of)


@pytest.mark.parametrize(("count", "lasting"), [(1, False), (2, True), (9, True)])
def test_a_condition_lasts_from_a_fifth_of_a_contenders_rows(count: int, lasting: bool) -> None:
    session = with_flags("clock_disagreement", count)
    (found,) = verdicts(session)[0].conditions
    assert found == Condition("clock_disagreement", count, 18, lasting)


def test_one_row_of_many_is_no_condition_of_the_model() -> None:
    session = with_flags("clock_disagreement", 1, rounds=9)
    assert conditions_of(session.rows, (0,)) == (Condition("clock_disagreement", 1, 27, lasting=False),)


def test_a_machine_that_is_mostly_busy_is_a_condition_and_no_disturbance() -> None:
    of = compared_plan("a", "b")
    rows = [
        warm(of, contender, number, which, 20.0 - contender, flags=("busy",) if (number, which) != (1, 0) else ())
        for contender in (0, 1)
        for number in (1, 2, 3)
        for which in range(3)
    ]
    session = compared({"a": [], "b": []}, *rows, of=of)
    assert is_busy_machine(session.rows)
    assert disturbed_share(session.rows, 0) == 0
    (found,) = verdicts(session)
    assert found.word == "faster"
    assert [one.flag for one in found.conditions if one.lasting] == ["busy_machine"]


def test_a_few_busy_trials_are_disturbances() -> None:
    session = with_flags("busy", 2)
    assert not is_busy_machine(session.rows)
    assert verdicts(session)[0].conditions == ()
