"""The model list as text: columns by width, order, and whether a model fits in one word."""

from __future__ import annotations

from typing import Any

import pytest

from llmtui.core.estimate import PastSpeed
from llmtui.core.events import ListedModel
from llmtui.core.fit import Fit
from llmtui.core.records import Problem
from llmtui.tui.text.model_columns import ColumnId, ListedFacts, fit_cell, in_order, layout
from tests.tui.fakes import a_model

GB = 10**9


def facts(
    name: str, size_gb: float = 4.0, *, speed: float | None = None, why: bool = False, **model: Any
) -> ListedFacts:
    return ListedFacts(
        listed=ListedModel(
            model=a_model(name, size_gb, **model), why_not=Problem(code="makes_embeddings") if why else None
        ),
        fit=Fit(word="fits"),
        past=None if speed is None else PastSpeed(decode_tps=speed),
    )


SOME = (
    facts("mistral:7b", 4.1, speed=24.3, parameters="7.2B"),
    facts("embed", 0.2, why=True),
    facts("Gemma:2b", 1.6, parameters="2.6B"),
    facts("qwen3:4b", 2.6, speed=41.0, parameters="135M"),
)


@pytest.mark.parametrize(
    ("by", "reverse", "order"),
    [
        (None, False, ["mistral:7b", "Gemma:2b", "qwen3:4b", "embed"]),
        ("name", False, ["Gemma:2b", "mistral:7b", "qwen3:4b", "embed"]),
        ("size", False, ["Gemma:2b", "qwen3:4b", "mistral:7b", "embed"]),
        ("size", True, ["mistral:7b", "qwen3:4b", "Gemma:2b", "embed"]),
        ("parameters", False, ["qwen3:4b", "Gemma:2b", "mistral:7b", "embed"]),
        ("speed", True, ["qwen3:4b", "mistral:7b", "Gemma:2b", "embed"]),
        ("speed", False, ["mistral:7b", "qwen3:4b", "Gemma:2b", "embed"]),
    ],
)
def test_rows_are_sorted_by_value_with_what_is_not_known_behind(
    by: ColumnId | None, reverse: bool, order: list[str]
) -> None:
    assert [one.name for one in in_order(SOME, by, reverse=reverse)] == order


@pytest.mark.parametrize("width", [30, 40, 50, 60, 70, 80, 100, 140])
def test_columns_never_take_more_than_the_width(width: int) -> None:
    assert layout(SOME, width).width <= width


def test_at_80_columns_a_long_name_is_told_apart_and_size_fit_and_quantisation_stay() -> None:
    long = facts("deepseek-r1:7b-qwen-distill-q4_K_M", quantisation="Q4_K_M", speed=20.0)
    shown = layout((long, *SOME), 71)
    assert [column.id for column in shown.figures] == ["size", "parameters", "quantisation", "fits", "speed"]
    assert shown.name.width >= 26


def test_one_unit_for_all_sizes_chosen_by_the_largest() -> None:
    [size] = [column for column in layout(SOME, 100).figures if column.id == "size"]
    assert (size.title, size.cells["mistral:7b"]) == ("size GB", "4.10")
    tiny = (facts("a", 0.002), facts("b", 0.03))
    [size] = [column for column in layout(tiny, 100).figures if column.id == "size"]
    assert (size.title, size.cells["a"], size.cells["b"]) == ("size MB", "2.00", "30.00")


def test_a_column_in_which_nothing_is_known_is_not_there() -> None:
    assert "speed" not in {column.id for column in layout((facts("a"),), 120).figures}


@pytest.mark.parametrize(
    ("fit", "cell"),
    [
        (Fit(word="fits"), "✓"),
        (Fit(word="tight"), "tight"),
        (Fit(word="too_large", need_bytes=42 * GB, room_bytes=23 * GB), "✗ 42 > 23"),
        (Fit(word="too_large", need_bytes=9_600_000_000, room_bytes=9_400_000_000), "✗ 9.6 > 9.4"),
        (Fit(word=None, why_not="no_shape"), ""),
    ],
)
def test_fit_is_a_word_a_sum_or_nothing(fit: Fit, cell: str) -> None:
    assert fit_cell(fit) == cell
