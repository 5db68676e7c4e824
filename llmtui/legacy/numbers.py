"""Numbers in the notation of spreadsheets: decimal points or commas, thousands separators, a unit at the end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Literal

Decimal = Literal[".", ","]

_SPACES = re.compile(r"(?<=\d)[\s'’\u00a0\u202f\u2009](?=\d{3}(\D|$))")
_NUMBER = re.compile(r"([-+]?)([\d.,]*\d[.,]?)(e[-+]?\d+)?\s*([^\d\s.,][^\d]*)?", re.IGNORECASE)
_GROUPS: dict[Decimal, re.Pattern[str]] = {
    ".": re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?"),
    ",": re.compile(r"\d{1,3}(\.\d{3})+(,\d*)?"),
}
"""Patterns of numbers with thousands separators, by the decimal sign."""


def decimal_sign(cells: Iterable[str]) -> Decimal | None:
    """Return the decimal sign that the cells show; None if no cell shows one, or if they contradict each other.

    ``19,1477`` can only have a decimal comma. ``1,234`` shows nothing, since its comma may separate thousands.
    """
    shown = {sign for cell in cells if (sign := _shown(cell)) is not None}
    return shown.pop() if len(shown) == 1 else None


def read_number(cell: str, decimal: Decimal | None, units: dict[str, float] | None = None) -> float | None:
    """Return the number in a cell; None if there is none, or if it is ambiguous.

    Args:
        cell: a number, possibly with thousands separators and with a unit at the end.
        decimal: the file's decimal sign; None: the cell must show its own.
        units: factors of the allowed units.
    """
    match = _NUMBER.fullmatch(_bare(cell))
    if match is None:
        return None
    sign, digits, exponent, unit = match.groups()
    factor = 1.0 if unit is None else (units or {}).get(unit.strip().casefold())
    own = _shown(cell)
    mark = own or decimal
    if factor is None or (mark is None and ("." in digits or "," in digits)):
        return None
    plain = _without_groups(digits, mark or ".")
    try:
        value = math.nan if plain is None else float(f"{sign}{plain}{exponent or ''}") * factor
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def read_count(cell: str, decimal: Decimal | None) -> int | None:
    """Return the whole number in a cell; None if there is none. ``1.234`` and ``1,234`` are read as 1234."""
    marks: list[Decimal | None] = [decimal, ".", ","]
    for mark in marks:
        value = read_number(cell, mark)
        if value is not None and value.is_integer() and value >= 0:
            return int(value)
    return None


def _bare(cell: str) -> str:
    return _SPACES.sub("", cell.strip().replace("−", "-"))


def _shown(cell: str) -> Decimal | None:
    match = _NUMBER.fullmatch(_bare(cell))
    if match is None:
        return None
    digits = match.group(2)
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        return "." if digits.rindex(".") > digits.rindex(",") else ","
    if points + commas == 0:
        return None
    if points + commas > 1:
        return "," if points else "."
    mark: Decimal = "." if points else ","
    whole, _, behind = digits.partition(mark)
    may_be_thousands = len(behind) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    return None if may_be_thousands else mark


def _without_groups(digits: str, decimal: Decimal) -> str | None:
    other = "," if decimal == "." else "."
    if other in digits:
        if not _GROUPS[decimal].fullmatch(digits):
            return None
        digits = digits.replace(other, "")
    return digits.replace(decimal, ".") if digits.count(decimal) <= 1 else None
