"""Numbers are read in any country's spreadsheet notation, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.legacy.columns import SECONDS
from llmtui.legacy.numbers import decimal_sign, read_count, read_number


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("19.1477", None, 19.1477),
        ("19,1477", None, 19.1477),
        ("19.147,7", None, 19147.7),
        ("19,147.7", None, 19147.7),
        ("1.234.567", None, 1234567.0),
        ("19 147,7", None, 19147.7),
        ("19\u00a0147,7", None, 19147.7),
        ("1'234.5", None, 1234.5),
        ("1.234", ".", 1.234),
        ("1.234", ",", 1234.0),
        ("0,868", None, 0.868),
        ("−3.30", ".", -3.3),
        ("+5", None, 5.0),
        ("1e3", ".", 1000.0),
        ("12.", ".", 12.0),
        (".5", ".", 0.5),
    ],
)
def test_numbers(cell: str, decimal: Any, value: float) -> None:
    assert read_number(cell, decimal) == value


@pytest.mark.parametrize(
    "cell", ["", "error", "1.234", "1,23,4.5", "12.34.56", "inf", "nan", "1e999", "--3", "3 apples"]
)
def test_what_is_no_number_or_can_be_read_in_two_ways(cell: str) -> None:
    assert read_number(cell, None) is None


def test_a_unit_behind_the_number() -> None:
    assert read_number("908 ms", ".", SECONDS) == pytest.approx(0.908)
    assert read_number("19,1 s", None, SECONDS) == 19.1
    assert read_number("19 weeks", ".", SECONDS) is None


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        (["19.1"], "."),
        (["19,1"], ","),
        (["1,234", "5"], None),
        (["1,234", "0,5"], ","),
        (["1.5", "1,5"], None),
        ([], None),
    ],
)
def test_the_files_own_decimal_sign(cells: list[str], sign: str | None) -> None:
    assert decimal_sign(cells) == sign


@pytest.mark.parametrize(
    ("cell", "count"), [("281", 281), ("1.281", 1281), ("1,281", 1281), ("12.5", None), ("-3", None)]
)
def test_counts_are_whole(cell: str, count: int | None) -> None:
    assert read_count(cell, ".") == count
    assert read_count(cell, ",") == count


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 4)))
def test_either_way_of_writing_comes_back(value: float) -> None:
    english = f"{value:,.4f}"
    spanish = english.translate(str.maketrans(",.", ".,"))
    assert read_number(english, ".") == read_number(spanish, ",") == value
