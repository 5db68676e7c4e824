from __future__ import annotations

from typing import Any

import pytest

from llmtui.core.events import Event, PlanExtended, SessionFinished
from llmtui.core.findings import seconds_a_round
from llmtui.core.live import time_left_s
from llmtui.core.plan import round_blocks, round_order
from llmtui.core.rounds import rounds_that_fit, rounds_to_tell, wants_more_rounds
from llmtui.core.session import Session, fold
from llmtui.core.verdict import SpeedVerdict, verdicts
from tests.core.compared import compared, compared_plan
from tests.core.made import finished, plan, started, trial

NEAR = (1.0, 1.06, 0.97, 1.05, 0.99)
"""Factors between rounds that leave a few percent undecided."""


def thorough(*names: str, **changes: Any) -> Any:
    return compared_plan(*names, preset="thorough", rounds=5, max_rounds=10, **changes)


def open_session(rounds: int) -> Session:
    near = [100.0 * NEAR[at % 5] for at in range(rounds)]
    other = [98.0 * NEAR[(at + 2) % 5] for at in range(rounds)]
    return compared({"a": near, "b": other}, of=thorough("a", "b"))


# --- thorough ---------------------------------------------------------------------------------------------------------


def test_thorough_goes_on_while_a_pair_is_open() -> None:
    session = open_session(5)
    assert [one.word for one in verdicts(session)] == ["too_close"]
    assert wants_more_rounds(session)


def test_thorough_stops_when_every_pair_is_told_apart() -> None:
    session = compared({"a": [100.0] * 5, "b": [50.0] * 5}, of=thorough("a", "b"))
    assert [one.word for one in verdicts(session)] == ["faster"]
    assert not wants_more_rounds(session)


def test_promised_rounds_are_run_whatever_is_known() -> None:
    session = compared({"a": [100.0] * 3, "b": [50.0] * 3}, of=thorough("a", "b"))
    assert wants_more_rounds(session)


def test_thorough_ends_at_its_largest_number_of_rounds() -> None:
    session = open_session(10)
    assert [one.word for one in verdicts(session)] == ["too_close"]
    assert not wants_more_rounds(session)


def test_thorough_stops_when_every_ratio_is_known_closely_enough() -> None:
    """Just beside the margin nothing is resolved for a long time, though the ratio is known to a percent."""
    rates = [103.0 * factor for factor in (0.995, 1.005, 0.997, 1.003, 1.0)]
    session = compared({"a": rates, "b": [100.0] * 5}, of=thorough("a", "b"))
    (verdict,) = verdicts(session)
    assert verdict.low is not None
    assert verdict.high is not None
    assert verdict.high / verdict.low < 1.03
    assert not wants_more_rounds(session)


def test_one_model_has_no_pair_to_wait_for() -> None:
    assert not wants_more_rounds(compared({"a": [100.0] * 5}, of=thorough("a")))


# --- a budget ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "spent_s", "more"),
    [(1, 100, 1), (1, 501, 0), (2, 400, 2), (2, 401, 0), (2, 499, 0), (3, 500, 1), (49, 0, 1), (50, 0, 0)],
)
def test_a_balanced_budget_begins_a_round_with_its_mirror_or_not_at_all(done: int, spent_s: float, more: int) -> None:
    of = plan("a", "b", rounds=1, max_rounds=50, budget_s=600.0, balanced=True)
    assert rounds_that_fit(of, done, spent_s=spent_s, round_s=100) == more


@pytest.mark.parametrize(("done", "spent_s", "more"), [(1, 260, 1), (1, 261, 0), (2, 260, 1), (5, 0, 0)])
def test_auto_begins_them_one_by_one(done: int, spent_s: float, more: int) -> None:
    of = plan("a", "b", preset="auto", rounds=1, max_rounds=5, budget_s=360.0)
    assert rounds_that_fit(of, done, spent_s=spent_s, round_s=100) == more


def test_without_a_budget_none_fits() -> None:
    assert rounds_that_fit(plan("a"), 1, spent_s=0, round_s=1) == 0


# --- further rounds of a session that is over ---------------------------------------------------------------------


def verdict(word: Any, **changes: Any) -> SpeedVerdict:
    return SpeedVerdict(word=word, first=0, second=1, **changes)


def test_as_many_rounds_are_offered_as_the_dearest_payable_pair_names() -> None:
    found = [verdict("too_close", more_rounds=2), verdict("too_close", more_rounds=7), verdict("faster")]
    assert rounds_to_tell(found) == 7


def test_pairs_that_would_take_too_long_are_not_counted() -> None:
    assert rounds_to_tell([verdict("too_close", more_rounds=None)]) is None
    assert rounds_to_tell([verdict("too_close", more_rounds=None), verdict("too_close", more_rounds=1)]) == 1


@pytest.mark.parametrize(("rounds", "more"), [(1, 2), (2, 1)])
def test_before_three_rounds_the_forecast_is_three_rounds(rounds: int, more: int) -> None:
    assert rounds_to_tell(verdicts(compared({"a": [20.0] * rounds, "b": [19.9] * rounds}))) == more


def test_nothing_is_offered_where_nothing_is_open() -> None:
    assert rounds_to_tell([verdict("faster"), verdict("practically_equal"), verdict("no_verdict")]) is None


# --- the order --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_round_two_mirrors_round_one_also_where_a_model_in_memory_goes_first(seed: int) -> None:
    of = plan("a", "b", "c", seed=seed)
    for resident in (None, 0, 1, 2):
        first, second = ([one.contender for one in round_blocks(of, number, resident=resident)] for number in (1, 2))
        assert second == first[::-1]
        assert resident is None or first[0] == resident
        later = [one.contender for one in round_blocks(of, 3, resident=resident)]
        assert later == list(round_order(of, 3)), "only the first pair of rounds is meant"
    cold_last = [one.trials[-1].kind == "cold" for one in round_blocks(of, 2, resident=0)]
    assert not any(cold_last)


# --- a session that continues after its end -----------------------------------------------------------------------


def test_the_time_between_the_end_and_the_next_rounds_is_nobodys() -> None:
    """A round's duration does not include the time until the request for more rounds."""
    of = plan("a", categories=("coding",), rounds=1, max_rounds=1, kinds=("warm",))
    second = 10**9
    events: list[Event] = [
        started(of),
        finished(of, trial(of), t_ns=10 * second),
        SessionFinished(t_ns=11 * second, wall_ns=6, how="complete"),
        PlanExtended(t_ns=4000 * second, rounds=3, why="asked for"),
        finished(of, trial(of, round_number=2), t_ns=4012 * second),
    ]
    session = fold(events)
    assert session is not None
    assert session.standstills == ((11 * second, 4000 * second),)
    assert seconds_a_round(session) == pytest.approx(11, abs=0.01)
    assert time_left_s(session) == pytest.approx(11, abs=0.01)
    during = fold([started(of), PlanExtended(t_ns=5, rounds=2, why="asked for")])
    assert during is not None
    assert during.standstills == ()


def test_rounds_that_are_added_after_the_end_make_the_session_unfinished_again() -> None:
    of = plan("a", rounds=1, max_rounds=1)
    ended = SessionFinished(t_ns=5, wall_ns=6, how="complete")
    before = fold([started(of), ended])
    after = fold([started(of), ended, PlanExtended(t_ns=7, rounds=3, why="asked for")])
    assert before is not None
    assert after is not None
    assert (before.finished, before.rounds) == ("complete", 1)
    assert (after.finished, after.rounds, after.total) == (None, 3, 3 * before.total)
