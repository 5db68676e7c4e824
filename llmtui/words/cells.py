"""Column heads and cell texts of figures, for tables on screen, printed tables and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.measures import GIGABYTE, Measure, SummaryLine, is_lower_bound, reading, value_of
from llmtui.core.trial_row import TrialRow
from llmtui.words.figures import decimal_mark, decimals_aligned, fixed, gigabytes, seconds, significant
from llmtui.words.measures import short_title, unit_words

MOST_DECIMALS = 3
"""Largest number of decimals in a cell; further ones do not matter next to the other values of the column."""
_SCALING = ("s", "ms", "GB")
"""Units for which a smaller one is used if the number is small: 0.9 s, but 12 ms."""


def column_head(one: Measure) -> str:
    """Return the head of a column on one line, with the unit of its numbers: "TTFT s"."""
    return " ".join(part for part in (short_title(one), _head_unit(one)) if part)


def printed_head(one: Measure) -> str:
    """Return the head of a printed column; it has no unit for times and memory, because each cell has its own."""
    return short_title(one) if one.unit in _SCALING else column_head(one)


def printed(one: Measure, line: SummaryLine) -> str:
    """Return a cell of a printed table; empty if the figure is missing."""
    return _with_bound(one, line, value_words(one, value_of(reading(one, line)), unit=one.unit in _SCALING))


def trial_words(one: Measure, row: TrialRow) -> str:
    """Return a trial's figure with its unit; empty if the figure is missing."""
    return _with_bound(one, row, value_words(one, None if one.of_trial is None else one.of_trial(row)))


def value_words(one: Measure, value: float | None, *, unit: bool = True) -> str:
    """Return a value for display; empty if it is missing.

    Args:
        one: the figure.
        value: value in the unit used in files, such as ms or bytes.
        unit: whether to append the unit; it is always appended to times and memory.
    """
    if value is None:
        return ""
    if one.unit in ("s", "ms"):
        return seconds(value / one.per * (1000 if one.unit == "s" else 1))
    if one.unit == "GB":
        return gigabytes(round(value / one.per * GIGABYTE))
    number = f"{value:.0f}" if one.unit in ("tok", "") else significant(value / one.per, one.digits)
    return f"{number} {unit_words(one)}".rstrip() if unit else number


def column_unit(one: Measure, values: Sequence[float | None]) -> str:
    """Return the unit for a whole column: ``ms`` or ``MB`` if its largest value is below 1 ``s`` or 1 ``GB``."""
    largest = max((abs(value) / one.per for value in values if value is not None), default=0.0)
    small = {"s": "ms", "GB": "MB"}.get(one.unit)
    return small if small is not None and 0 < largest < 1 else unit_words(one)


def value_in(one: Measure, value: float, unit: str) -> str:
    """Return a value without its unit, with at most three decimals.

    Args:
        one: the figure.
        value: value in the unit used in files, such as ms or bytes.
        unit: the column's unit, from ``column_unit``.
    """
    if one.unit in ("tok", ""):
        return f"{value:.0f}"
    number = value / one.per * (1 if unit == unit_words(one) else 1000)
    text = significant(number, one.digits)
    return fixed(number, MOST_DECIMALS) if len(text.partition(decimal_mark())[2]) > MOST_DECIMALS else text


def figure_column(one: Measure, values: Sequence[float | None]) -> tuple[str, list[str]]:
    """Return the unit of a column and its cells with aligned decimal points; the cell of a missing figure is empty."""
    unit = column_unit(one, values)
    cells = ["" if value is None else value_in(one, value, unit) for value in values]
    return unit, decimals_aligned(cells)


def _with_bound(one: Measure, of: SummaryLine | TrialRow, text: str) -> str:
    return f"≥ {text}" if text and is_lower_bound(one, of) else text


def _head_unit(one: Measure) -> str:
    return "" if one.unit in ("tok", "×") else unit_words(one)
