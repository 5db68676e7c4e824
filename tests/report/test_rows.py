"""Tables: a missing figure is a blank cell, for any reason, and is left out of means."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from llmtui.core.records import Outcome, ServerCounters
from llmtui.core.session import Session
from llmtui.core.verdict import verdicts
from llmtui.report.rows import by_category, by_model
from tests.core.compared import compared, compared_plan, other, warm

FAILED = [one for one in get_args(Outcome) if one != "ok"]
SPEEDS = ("Speed tok/s", "Text chars/s", "× reading speed")
TIMES = ("TTFT", "TTFO", "Whole answer")


def with_second(**changes: Any) -> Session:
    """Contender a as it should be, b with the given changes in every test."""
    of = compared_plan("a", "b", rounds=1)
    return compared({"a": [10.0], "b": []}, *(warm(of, 1, 1, which, 10.0, **changes) for which in range(3)), of=of)


def cells(session: Session, name: str = "b") -> dict[str, str]:
    return next(row for row in by_model(session) if row["Model"] == name)


def test_what_was_measured_is_there() -> None:
    row = cells(with_second())
    assert {name: row[name] for name in ("TTFT", "Speed tok/s", "Text chars/s", "× reading speed", "Trials")} == {
        "TTFT": "0.500 s", "Speed tok/s": "10.0", "Text chars/s": "49.6", "× reading speed": "2.5", "Trials": "3",
    }  # fmt: skip


@pytest.mark.parametrize("outcome", FAILED)
def test_a_failed_test_leaves_blanks_in_every_column(outcome: Outcome) -> None:
    session = with_second(outcome=outcome)
    row = cells(session)
    kept = {"no_final": {"TTFT", "Text chars/s", "× reading speed"}}.get(outcome, set())
    for name in (*SPEEDS, *TIMES):
        assert bool(row.get(name)) is (name in kept), name
    assert all(category["Speed tok/s"] == "" for category in by_category(session) if category["Model"] == "b")
    assert verdicts(session)[0].word == "no_verdict"


@pytest.mark.parametrize("outcome", FAILED)
def test_failed_tests_are_counted_beside_the_others(outcome: Outcome) -> None:
    expected = "0" if outcome in ("cancelled", "skipped") else "0 (+3 failed)"
    assert cells(with_second(outcome=outcome))["Trials"] == expected


@pytest.mark.parametrize(
    ("changes", "blank"),
    [
        ({"tokens": 10}, ("Speed tok/s", "Text chars/s", "× reading speed")),
        ({"tokens": 40}, ("Speed tok/s", "Text chars/s", "× reading speed")),
        ({"counters": None}, ("Speed tok/s",)),
        ({"counters": ServerCounters()}, ("Speed tok/s",)),
        ({"flags": ("queued",)}, ("TTFT",)),
        ({"flags": ("cached_prompt",)}, ("TTFT",)),
        ({"word": "字"}, ("× reading speed",)),
    ],
)
def test_a_figure_that_does_not_count_is_blank(changes: dict[str, Any], blank: tuple[str, ...]) -> None:
    row = cells(with_second(**changes))
    assert [row.get(name, "") for name in blank] == [""] * len(blank)


def test_thinking_to_the_limit_leaves_the_first_answer_word_blank() -> None:
    of = compared_plan("a", "b", rounds=1)
    thinking = [warm(of, 0, 1, which, 10.0, thinking=64) for which in range(3)]
    censored = [warm(of, 1, 1, which, 10.0, thinking=127, ended_by="length") for which in range(3)]
    session = compared({"a": [], "b": []}, *thinking, *censored, of=of)
    assert cells(session, "a")["TTFO"] == "6.90 s"
    row = cells(session)
    assert (row["TTFO"], row["TTFT"], row["Speed tok/s"]) == ("", "0.500 s", "10.0")


def test_a_column_in_which_nobody_has_anything_is_left_out() -> None:
    assert "GPU memory" not in cells(with_second())
    assert by_model(with_second())[0].keys() == by_model(with_second())[1].keys()


def test_cold_warm_and_follow_up_are_three_figures() -> None:
    of = compared_plan("a")
    extra = [
        *(other(of, "cold", 0, number, ttft_ms=20000 // number) for number in (1, 2)),
        *(other(of, "follow_up", 0, number, ttft_ms=150) for number in (1, 2)),
    ]
    row = cells(compared({"a": [10.0, 10.0]}, *extra, of=of), "a")
    assert [row[name] for name in ("Cold start", "Later cold start", "TTFT", "Follow-up TTFT")] == [
        "20.0 s", "10.0 s", "0.500 s", "0.150 s",
    ]  # fmt: skip


def test_models_share_a_letter_unless_told_apart() -> None:
    session = compared({"a": [20.0, 20.1, 19.9], "b": [19.95, 20.05, 20.0], "c": [10.0, 10.1, 9.9]})
    assert [row["Group"] for row in by_model(session)] == ["A", "A", "B"]


def test_an_answer_that_reached_the_limit_would_have_taken_longer() -> None:
    rows = by_category(with_second(ended_by="length"))
    assert {row["Model"]: row["Whole answer"] for row in rows} == {"a": "13.2 s", "b": "≥ 13.2 s"}


def test_a_session_without_rows_has_models_and_nothing_else() -> None:
    assert by_model(compared({"a": [], "b": []})) == [{"Model": "a", "Trials": "0"}, {"Model": "b", "Trials": "0"}]
