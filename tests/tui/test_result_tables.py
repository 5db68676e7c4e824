"""Cells of the tables of Results: rounded, aligned, and honest about what is only a lower bound."""

from __future__ import annotations

import msgspec
import pytest

from llmtui.core.summary import CategorySummary, Spread
from llmtui.tui.text.numbers import aligned
from llmtui.tui.widgets.result_tables import category_columns, column_texts


def line(e2e_ms: float | None, *, capped: bool) -> CategorySummary:
    whole = None if e2e_ms is None else Spread(e2e_ms, e2e_ms, e2e_ms, 1)
    return CategorySummary(
        contender=0, label="a", category="coding", finished=1, failed=0, ttft=None, ttfo=None, decode_tps=None,
        decode_cps=None, e2e_ms=whole, capped=capped, answer_tokens=None, why={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [(0.0266, 3, "0.027"), (0.00987, 2, "0.01"), (0.0996, 2, "0.10"), (19.1, 3, "19.1  ")],
)
def test_a_number_without_room_for_all_its_digits_is_rounded(value: float, decimals: int, shown: str) -> None:
    assert aligned(value, decimals) == shown


def test_an_answer_that_reached_the_limit_would_have_taken_longer() -> None:
    (whole,) = [one for one in category_columns() if one.id == "e2e_ms"]
    lines = [line(13200.0, capped=True), line(1520.0, capped=False), line(None, capped=True)]
    assert column_texts(whole, lines) == ["≥ 13.2 ", "1.52", ""]
    assert column_texts(whole, [msgspec.structs.replace(lines[0], capped=False)]) == ["13.2"]
