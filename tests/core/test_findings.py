"""Figures of the conclusions that no table has."""

from __future__ import annotations

import pytest

from llmtui.core.findings import seconds_a_round
from llmtui.core.plan import Plan
from llmtui.core.session import Session
from tests.core.compared import compared, compared_plan, warm

S = 10**9


def timed(*ends_s: tuple[int, int], of: Plan) -> Session:
    """Return a session whose trials (round, second of the end) end at given times."""
    rows = [warm(of, 0, number, at % 3, 10.0, t_ns=1_000 + end * S) for at, (number, end) in enumerate(ends_s)]
    return compared({"a": []}, *rows, of=of)


def test_a_round_takes_from_the_end_of_the_one_before() -> None:
    of = compared_plan("a", kinds=("warm",))
    whole = timed((1, 10), (1, 20), (1, 30), (2, 45), (2, 60), (2, 70), of=of)
    assert seconds_a_round(whole) == pytest.approx(35)


def test_a_round_that_is_not_over_does_not_count() -> None:
    of = compared_plan("a", kinds=("warm",))
    assert seconds_a_round(timed((1, 10), (1, 20), of=of)) is None
    assert seconds_a_round(timed((1, 10), (1, 20), (1, 30), (2, 31), of=of)) == pytest.approx(30)
    assert seconds_a_round(timed(of=of)) is None
