"""The verdict at the end of a run: a ratio, the sentence, or why there is none. Never one model without a reason."""

from __future__ import annotations

from llmtui.core.session import Session
from llmtui.core.standing import standings
from llmtui.tui.widgets.verdict_board import verdict_words
from tests.core.compared import compared, compared_plan


def words_of(session: Session) -> tuple[str, str]:
    return verdict_words(session, standings(session))


def test_a_final_verdict_has_its_ratio_in_large_digits() -> None:
    number, words = words_of(compared({"a": [10.0] * 3, "b": [20.0] * 3}))
    assert number == "2.00×"
    assert "b" in words


def test_without_a_verdict_the_reason_is_named_and_no_model_alone() -> None:
    session = compared({"a": [10.0], "b": [20.0]}, of=compared_plan("a", "b", categories=("x", "y")))
    number, words = words_of(session)
    assert number == ""
    assert "too few prompts" in words
    assert not words.startswith(("a:", "b:"))


def test_a_single_model_has_its_figures() -> None:
    number, words = words_of(compared({"a": [10.0] * 2}))
    assert (number, words.partition(",")[0]) == ("", "a: Speed 10.0 tok/s")
