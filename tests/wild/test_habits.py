"""Every habit of real servers leads to right figures, or to none with the reason."""

from __future__ import annotations

from typing import Any

import pytest

from llmtui.words.problems import whole_problem
from tests.wild import more_habits, ollama_habits, openai_habits
from tests.wild.judged import Judged, judge, ollama, openai
from tests.wild.openai_habits import Habit

WITHIN = 0.03
OPENAI = openai_habits.HABITS | more_habits.OPENAI
OLLAMA = ollama_habits.HABITS | more_habits.OLLAMA


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.backends.answer.AFTER_END_S", 0.05)
    monkeypatch.setattr("llmtui.backends.answer.AFTER_COUNT_S", 0.05)


def check(habit: Habit, judged: Judged) -> None:
    trial, figures = judged.trial, judged.figures
    problem = trial.problem
    assert (trial.outcome, problem and problem.code, trial.ended_by) == (habit.outcome, habit.code, habit.ended_by)
    assert problem is None or habit.words in whole_problem(problem)
    assert (figures.ttft_ms, figures.ttfo_ms, figures.tokens) == (habit.ttft_ms, habit.ttfo_ms, habit.tokens)
    assert (figures.decode_tps is not None) is (habit.tps is not None), figures.why
    assert habit.tps is None or figures.decode_tps == pytest.approx(habit.tps, rel=WITHIN)
    assert (figures.decode_cps is not None) is habit.cps
    assert tuple(flag for flag in judged.flags if flag != "short_output") == habit.flags
    assert {column: figures.why.get(column) for column in habit.why} == habit.why
    assert figures.thinking_chars == habit.thinking_chars
    missing = [name for name in ("ttft_ms", "ttfo_ms", "tokens", "decode_tps") if getattr(figures, name) is None]
    assert all(figures.why.get(name) for name in missing), "what is missing has a reason"
    assert not judged.left_open


@pytest.mark.parametrize("name", OPENAI)
async def test_of_the_openai_protocol(name: str) -> None:
    habit = OPENAI[name]
    check(habit, await judge(openai(), habit.sends, headers=habit.headers, **habit.how))


@pytest.mark.parametrize("name", OLLAMA)
async def test_of_ollamas_protocol(name: str) -> None:
    habit = OLLAMA[name]
    check(habit, await judge(ollama(), habit.sends, headers=habit.headers, **habit.how))


BOTH: dict[str, Any] = {name: (OPENAI[name], OLLAMA[name]) for name in OPENAI if name in OLLAMA}


@pytest.mark.parametrize("name", BOTH)
async def test_both_protocols_judge_alike(name: str) -> None:
    one, other = BOTH[name]
    first = await judge(openai(), one.sends, headers=one.headers, **one.how)
    second = await judge(ollama(), other.sends, headers=other.headers, **other.how)
    assert first.trial.outcome == second.trial.outcome
    assert set(first.flags) - {"short_output"} == set(second.flags) - {"short_output"}
    assert first.figures.decode_tps == pytest.approx(second.figures.decode_tps, rel=WITHIN)
    assert (first.figures.ttft_ms is None) is (second.figures.ttft_ms is None)
