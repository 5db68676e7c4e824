"""Each figure of a session by rounds: of the trials that it is taken from, and of those that count."""

from __future__ import annotations

import math

import msgspec
import pytest

from llmtui.core.across import COMPARED, FigureChange, compare_sessions, mark_of
from llmtui.core.day_noise import DayNoise
from llmtui.core.observed import observed, round_logs
from llmtui.core.records import MachineFigures
from llmtui.core.session import Session
from llmtui.core.summary import summarise
from tests.core.compared import compared, compared_plan, other

OF = compared_plan("a")
PROMPTS = frozenset(one.sha256 for one in OF.prompts)


def session(*, slower: float = 1.0, name: str = "a") -> Session:
    """Three rounds with all kinds of trials; ``slower`` scales the waits and the memory."""
    of = compared_plan(name)
    held = MachineFigures(runner_peak_bytes=round(4e9 * slower))
    extra = [
        trial
        for number in (1, 2, 3)
        for trial in (
            other(of, "cold", 0, number, ttft_ms=3000 * slower * (2 if number == 1 else 1), machine=held),
            other(of, "follow_up", 0, number, ttft_ms=400 * slower + number),
        )
    ]
    return compared({name: [10.0, 10.1, 9.9]}, *extra, of=of)


def values(figure: str) -> list[float]:
    return [math.exp(log) for log in round_logs(session(), 0, figure, PROMPTS)]


def test_a_round_is_one_observation() -> None:
    assert values("decode_tps") == pytest.approx([10.0, 10.1, 9.9])
    assert values("tpot_ms") == pytest.approx([100, 1000 / 10.1, 1000 / 9.9])
    assert values("ttft_ms") == pytest.approx([500, 500, 500])
    assert values("follow_up_ttft_ms") == pytest.approx([401, 402, 403])
    assert values("memory_peak_bytes") == pytest.approx([4e9, 4e9, 4e9])


def test_the_first_cold_start_is_one_value_and_later_ones_are_rounds() -> None:
    assert values("cold_first_ms") == []
    assert values("cold_again_ms") == pytest.approx([3000, 3000])
    made = session()
    assert observed(made, lambda: summarise(made), 0, "cold_first_ms", PROMPTS).value == pytest.approx(6000)


def test_where_all_prompts_count_the_value_is_the_tables() -> None:
    made = session()
    line = summarise(made).lines[0]
    assert line.decode_tps is not None
    assert observed(made, lambda: summarise(made), 0, "decode_tps", PROMPTS).value == line.decode_tps.value
    some = sorted(PROMPTS)[:2]
    assert observed(made, lambda: summarise(made), 0, "decode_tps", some).value == pytest.approx(
        1000 ** (1 / 3), rel=1e-3
    )


def test_a_zero_has_no_logarithm() -> None:
    assert values("stalls") == []


def changes(slower: float) -> dict[str, FigureChange]:
    known = {figure: DayNoise(0.001**2, 5) for figure in COMPARED}
    found = compare_sessions(session(), session(slower=slower), noise=known, figures=COMPARED)
    return {one.figure: one for one in found.changes}


def test_each_figure_has_its_own_words() -> None:
    found = changes(1.5)
    assert found["decode_tps"].word == "practically_equal"
    assert found["cold_again_ms"].word == "later"
    assert found["follow_up_ttft_ms"].word == "later"
    assert found["memory_peak_bytes"].word == "more"
    assert (found["cold_first_ms"].word, found["cold_first_ms"].why) == ("no_verdict", "one_per_session")
    assert found["cold_first_ms"].ratio == pytest.approx(1.5)
    assert found["vram_bytes"].why == "not_measured"
    told = {figure: mark_of(one) for figure, one in found.items() if one.word != "no_verdict"}
    assert told == {
        "decode_tps": "equal", "ttft_ms": "equal", "cold_again_ms": "worse", "follow_up_ttft_ms": "worse",
        "memory_peak_bytes": "worse", "prefill_tps": "open",
    }  # fmt: skip


def test_a_wait_that_nobody_notices_is_no_difference() -> None:
    assert changes(1.1)["follow_up_ttft_ms"].word == "no_noticeable_difference"
    assert changes(0.5)["follow_up_ttft_ms"].word == "sooner"


def test_models_that_only_one_session_has_are_named() -> None:
    found = compare_sessions(session(), session(name="b"))
    assert found.gone == ("a",)
    assert found.changes[0].why == "not_there_before"


def test_more_comparisons_widen_the_interval() -> None:
    one = compare_sessions(session(), session())
    two = compare_sessions(session(), session(), comparisons=2)
    assert (two.changes[0].high or 0) > (one.changes[0].high or 0)


def test_an_imported_file_has_no_rounds() -> None:
    made = session()
    imported = msgspec.structs.replace(made, plan=msgspec.structs.replace(made.plan, preset="imported"))
    assert compare_sessions(imported, imported).changes[0].why in ("not_rounds", "not_measured")
