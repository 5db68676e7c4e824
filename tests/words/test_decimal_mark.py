"""Figures have the decimal mark of the person's language; files keep the point."""

from __future__ import annotations

import pytest

from llmtui.core.records import Evidence, Problem
from llmtui.selftest.cost import Cost
from llmtui.selftest.running import cost_verdict
from llmtui.tui.text.numbers import aligned
from llmtui.words.evidence import evidence_text
from llmtui.words.figures import decimals_aligned, fixed, gigabytes, seconds, significant
from llmtui.words.problems import problem_what
from llmtui.words.ratios import factor_range


@pytest.fixture(autouse=True)
def _spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")


def test_figures_in_spanish() -> None:
    assert significant(41.04) == "41,0"
    assert significant(9.996) == "10,0"
    assert significant(1234) == "1230"
    assert fixed(2, 1) == "2,0"
    assert seconds(908) == "0,908 s"
    assert gigabytes(4_150_000_000) == "4,15 GB"
    assert factor_range(0.941, 1.21) == "0,941–1,21"


def test_the_marks_are_below_each_other() -> None:
    assert decimals_aligned(["41,0", "9,88", "", "120"]) == ["41,0 ", "9,88", "", "120   "]
    assert aligned(9.88, 3) == "9,88 "
    assert aligned(0.0266, 3) == "0,027"


def test_evidence_in_spanish() -> None:
    said = evidence_text(Evidence(code="busy", args={"others": 1.7, "cores": 2}))
    assert "1,7" in said
    assert "1.7" not in said


def test_problems_in_spanish() -> None:
    said = problem_what(Problem(code="stalled", args={"name": "a", "seconds": 2.5}))
    assert "2,5 s" in said
    said = problem_what(Problem(code="truncated", args={"name": "a", "size": 1000, "needed": 2_000_000}))
    assert "1\N{NO-BREAK SPACE}000 bytes" in said
    assert "2\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000" in said


def test_the_cost_of_the_screens_in_spanish() -> None:
    cost = Cost(share=0.0123, low=0.011, high=0.0136, headless_tps=41.2, turns=3)
    said = cost_verdict(cost).sentence
    assert "1,2 % ± 0,1 %" in said
    assert "." not in said.split("tok/s")[0]
