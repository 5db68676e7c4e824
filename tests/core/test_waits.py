"""Verdicts on waiting times and their conditions: by rounds, beyond a tenth and 50 ms."""

from __future__ import annotations

import math

import pytest
from scipy import stats as scipy_stats

from llmtui.core.events import TrialFinished
from llmtui.core.session import Session
from llmtui.core.waits import WaitFigure, WaitVerdict, wait_verdicts
from tests.core.compared import compared, compared_plan, other, warm


def waits(a_ms: list[float], b_ms: list[float]) -> Session:
    """Two models with the given TTFT in each round, the same for three prompts."""
    of = compared_plan("a", "b")
    rows = [
        warm(of, contender, number, which, 10.0, ttft_ms=ms)
        for contender, times in enumerate((a_ms, b_ms))
        for number, ms in enumerate(times, 1)
        for which in range(3)
    ]
    return compared({"a": [], "b": []}, *rows, of=of)


def one(a_ms: list[float], b_ms: list[float], figure: WaitFigure = "ttft_ms") -> WaitVerdict:
    return wait_verdicts(waits(a_ms, b_ms), figure)[0]


def test_sooner_asks_for_three_rounds_a_tenth_and_50_ms() -> None:
    found = one([600, 620, 610], [300, 310, 305])
    assert (found.word, found.first) == ("sooner", 1)
    assert found.low is not None
    assert found.low > 1.10
    assert found.difference_ms == pytest.approx(305)
    assert one([60, 62, 61], [30, 31, 30.5]).word == "no_noticeable_difference"
    assert one([1080, 1082, 1081], [1000, 1001, 1002]).word == "equal"


@pytest.mark.parametrize("rounds", [1, 2])
def test_fewer_rounds_have_figures_and_no_word(rounds: int) -> None:
    found = one([3000.0] * rounds, [300.0] * rounds)
    assert (found.word, found.low, found.high) == ("too_few_rounds", None, None)
    assert found.ratio == pytest.approx(10)
    assert found.more_rounds == 3 - rounds


def test_under_50_ms_there_is_no_ratio() -> None:
    found = one([60, 62, 61], [30, 31, 30.5])
    assert (found.ratio, found.low, found.high) == (None, None, None)
    assert found.difference_ms == pytest.approx(30.5)


def test_an_interval_that_only_excludes_one_seems_sooner() -> None:
    assert one([1150, 1250, 1100, 1200], [1000] * 4).word == "seems_sooner"


def test_an_interval_that_holds_one_is_too_close() -> None:
    found = one([1300, 950, 1500, 1400], [1000] * 4)
    assert found.word == "too_close"
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1 < found.high
    assert found.more_rounds is not None


def test_the_interval_is_students_on_the_rounds_mean_log_ratios() -> None:
    found = one([1300, 950, 1500, 1400], [1000] * 4)
    logs = [math.log(1.3), math.log(0.95), math.log(1.5), math.log(1.4)]
    middle = sum(logs) / 4
    spread = math.sqrt(sum((value - middle) ** 2 for value in logs) / 3)
    assert found.high == pytest.approx(math.exp(middle + scipy_stats.t.ppf(0.975, 3) * spread / math.sqrt(4)))


def test_who_has_no_times_has_no_verdict() -> None:
    session = compared({"a": [10.0], "b": []})
    assert wait_verdicts(session)[0].word == "no_verdict"


def starts(kind: str, a_ms: float, b_ms: float, rounds: int = 3) -> list[TrialFinished]:
    of = compared_plan("a", "b")
    return [
        other(of, "cold" if kind == "cold" else "follow_up", contender, number, ttft_ms=ms + number)
        for contender, ms in enumerate((a_ms, b_ms))
        for number in range(1, rounds + 1)
    ]


@pytest.mark.parametrize(("kind", "figure"), [("cold", "cold_ttft_ms"), ("follow_up", "follow_up_ttft_ms")])
def test_cold_starts_and_follow_ups_are_judged_alike(kind: str, figure: WaitFigure) -> None:
    of = compared_plan("a", "b")
    session = compared({"a": [], "b": []}, *starts(kind, 20000, 9000), of=of)
    found = wait_verdicts(session, figure)[0]
    assert (found.word, found.first) == ("sooner", 1)
    two = compared({"a": [], "b": []}, *starts(kind, 20000, 9000, rounds=2), of=of)
    assert wait_verdicts(two, figure)[0].word == "too_few_rounds"


def test_a_cold_start_and_its_answer_are_one_wait() -> None:
    """m0 starts a second later and writes ten times as fast: the answer of 500 characters is there first."""
    of = compared_plan("a", "b")
    session = compared({"a": [100.0] * 3, "b": [10.0] * 3}, *starts("cold", 4000, 3000), of=of)
    assert wait_verdicts(session, "cold_ttft_ms")[0].first == 1
    found = wait_verdicts(session, "cold_answer_ms")[0]
    assert (found.word, found.first) == ("sooner", 0)


def test_thinking_counts_before_the_first_answer_word() -> None:
    of = compared_plan("a", "b")
    rows = [
        warm(of, contender, number, which, 10.0, thinking=50 * contender)
        for contender in (0, 1)
        for number in (1, 2, 3)
        for which in range(3)
    ]
    session = compared({"a": [], "b": []}, *rows, of=of)
    assert wait_verdicts(session, "ttft_ms")[0].word == "no_noticeable_difference"
    assert wait_verdicts(session, "ttfo_ms")[0].word == "sooner"
