"""What holds: at most one line per finding, each with the verdict that decides it, and none that says nothing."""

from __future__ import annotations

import pytest

from llmtui.core.session import Session
from llmtui.core.verdict import verdicts
from llmtui.core.what_holds import what_holds
from llmtui.core.whole_rounds import of_whole_rounds, whole_rounds
from llmtui.words.conclusions import sentences
from llmtui.words.what_holds import evidence_lines, holding_words
from tests.core.compared import compared, compared_plan, other


def said(session: Session, key: str = "+") -> list[str]:
    names = {one.label: one.label for one in session.plan.contenders}
    return [holding_words(one, session, names, key=key).said for one in what_holds(session)]


def test_the_fastest_is_named_with_the_interval_that_decides() -> None:
    session = compared({"a": [40.0, 40.4, 40.2], "b": [20.0, 20.1, 20.2]})
    (first, *_rest) = what_holds(session)
    (verdict,) = verdicts(session)
    assert (first.topic, first.mark, first.leaders, first.verdict) == ("fastest", "told", (0,), verdict)
    assert said(session)[0].startswith("●  fastest  a  faster  2.00× b  [")
    assert said(session)[0].endswith("3 rounds")


def test_of_three_the_nearest_is_the_other() -> None:
    session = compared({"a": [20.0] * 3, "b": [40.0] * 3, "c": [30.0] * 3})
    assert said(session)[0].startswith("●  fastest  b  faster  1.33× c")


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        ({"a": [30.0] * 3, "b": [30.0] * 3}, "=  fastest  a = b  practically equal  1.000×"),
        ({"a": [40.0], "b": [20.0]}, "◐  fastest  a  leads in this round  2.00× b  1 round  + 2 more rounds"),
        ({"a": [40.0] * 2, "b": [20.0] * 2}, "◐  fastest  a  ahead  2.00× b  2 rounds"),
        ({"a": [30.5], "b": [30.0]}, "○  fastest  too few rounds to tell  a 1.017× b  1 round  + 2 more rounds"),
    ],
    ids=["tie", "one round", "two rounds", "one round, close"],
)
def test_what_is_not_told_apart_has_another_mark_and_its_own_word(rates: dict[str, list[float]], words: str) -> None:
    assert said(compared(rates))[0].startswith(words)


def test_what_is_open_has_key_and_price_in_one_line_alone() -> None:
    session = compared({"a": [30.0, 33.0, 31.0], "b": [30.0, 31.0, 32.0], "c": [30.0, 30.5, 33.0]})
    lines = said(session)
    assert [line[0] for line in lines].count("○") == 1
    assert "  + " in lines[0]
    assert "more rounds" in lines[0]
    assert "+ " not in said(session, key="")[0], "no price where no round can be added"


def test_a_leader_of_three_leaves_room_for_the_pair_that_is_open() -> None:
    session = compared({"a": [60.0, 60.1, 60.2], "b": [30.0, 31.0, 30.5], "c": [29.0, 30.4, 29.2]})
    topics = [(one.topic, one.mark) for one in what_holds(session)]
    assert topics[0] == ("fastest", "told")
    assert topics[-1] == ("open", "open")


def test_without_any_common_trial_it_says_why() -> None:
    (only,) = [line for line in said(compared({"a": [40.0], "b": []})) if "fastest" in line]
    assert only.startswith("○  fastest  no verdict: no prompt")


def test_one_model_alone_is_compared_with_none() -> None:
    assert what_holds(compared({"a": [40.0] * 3})) == ()


def test_evidence_names_ratio_interval_rounds_and_formula() -> None:
    session = compared({"a": [40.0, 40.4, 40.2], "b": [20.0, 20.1, 20.2]})
    (sentence, formula, *left_out) = evidence_lines(what_holds(session)[0], session)
    assert "2.00 times as fast" in sentence
    assert "3 rounds" in sentence
    assert "interval holds for all pairs" in formula
    assert not any("every trial counts" in line for line in left_out)


def test_claims_are_made_of_complete_rounds_alone() -> None:
    session = compared({"a": [40.0, 40.0, 40.0], "b": [20.0, 20.0]})
    assert whole_rounds(session) == (1, 2)
    assert {row.trial.round for row in of_whole_rounds(session).rows} == {1, 2}
    warm_alone = compared_plan("a", "b", kinds=("warm",))
    complete = compared({"a": [40.0, 40.0], "b": [20.0, 20.0]}, of=warm_alone)
    assert of_whole_rounds(complete) is complete


def test_beside_disturbed_trials_it_is_never_said_that_all_of_them_count() -> None:
    of = compared_plan("a", "b")
    noisy = other(of, "cold", 0, 2, flags=("noisy_start",))
    session = compared({"a": [40.0] * 3, "b": [20.0] * 3}, noisy, of=of)
    (line,) = [said for said in sentences(session) if said.startswith("Not counted")]
    assert line == "Not counted: 1 cold start began on a busy machine and still counts."
