"""Cells of the tables of Results: rounded, aligned, and marked where they are lower bounds."""

from __future__ import annotations

import math

import msgspec
import pytest

from llmtui.core.measures import measure_of
from llmtui.core.summary import CategorySummary, Spread
from llmtui.tui.text.board_bars import bar_blocks, bar_scale, bar_with_interval
from llmtui.tui.text.numbers import aligned
from llmtui.tui.widgets.category_table import category_cells
from llmtui.tui.widgets.result_table import table_figures
from llmtui.words.cells import figure_column


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
    (whole,) = [one for one in table_figures("categories") if one.id == "e2e_ms"]
    lines = [line(13200.0, capped=True), line(1520.0, capped=False), line(None, capped=True)]
    assert category_cells(whole, lines)[1] == ["≥ 13.2 ", "1.52", ""]
    assert category_cells(whole, [msgspec.structs.replace(lines[0], capped=False)])[1] == ["13.2"]


@pytest.mark.parametrize(("share", "bar"), [(0.5, "█████"), (0.5125, "█████▏"), (0.0001, "▏")])
def test_a_bar_is_as_long_as_its_share_to_an_eighth(share: float, bar: str) -> None:
    assert bar_blocks(share, 10) == bar


def test_the_interval_is_at_the_end_of_its_bar_and_wide_ones_have_two_ends() -> None:
    narrow = bar_with_interval(50.0, 0.001, 100.0, 20, "red").plain
    assert narrow == "██████████╂"
    wide = bar_with_interval(50.0, math.log(1.4), 100.0, 20, "red").plain
    assert wide.startswith("███████├")
    assert wide.endswith("──┤")
    assert bar_with_interval(50.0, None, 100.0, 20, "red").plain == "█" * 10


def test_the_scale_holds_the_interval_that_reaches_furthest() -> None:
    assert bar_scale([100.0, 90.0], [None, math.log(1.5)]) == pytest.approx(135.0)


def test_a_column_is_in_the_unit_of_its_largest_value_with_three_decimals_at_most() -> None:
    ttft = measure_of("ttft_ms")
    assert ttft is not None
    assert figure_column(ttft, [83.9, 134.0, 560.0]) == ("ms", ["83.9", "134  ", "560  "])
    assert figure_column(ttft, [83.9, 1010.0, None]) == ("s", ["0.084", "1.01 ", ""])
