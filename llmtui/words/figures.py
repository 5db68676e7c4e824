"""Figures as people read them: three significant digits, the unit beside, nothing where nothing was measured."""

from __future__ import annotations

from llmtui.core.summary import Spread

NOTHING = ""
GIGABYTE = 1e9


def significant(value: float, digits: int = 3) -> str:
    """Gives the number with so many significant digits and no exponent: ``0.908``, ``19.1``, ``1800``."""
    if value == 0:
        return "0"
    decimals = digits - 1
    size = abs(value)
    while size >= 10:
        size /= 10
        decimals -= 1
    while size < 1:
        size *= 10
        decimals += 1
    text = f"{round(value, decimals):.{max(decimals, 0)}f}"
    # Rounding can add a digit (9.996 → 10.00): then one decimal less says the same.
    shown = text.replace("-", "").replace(".", "").lstrip("0")
    return text[:-1].rstrip(".") if "." in text and len(shown) > digits else text


def seconds(ms: float | None) -> str:
    """Gives a time: ``0.908 s`` from milliseconds; under a tenth of a second ``12.3 ms``."""
    if ms is None:
        return NOTHING
    return f"{significant(ms)} ms" if abs(ms) < 100 else f"{significant(ms / 1000)} s"


def rate(value: float | None) -> str:
    """Gives a rate without its unit, which stands in the column's head."""
    return NOTHING if value is None else significant(value)


def gigabytes(value: int | None) -> str:
    """Gives an amount of memory: ``4.15 GB``; under a tenth of a gigabyte in MB."""
    if value is None:
        return NOTHING
    return f"{significant(value / GIGABYTE)} GB" if value >= GIGABYTE / 10 else f"{significant(value / 1e6)} MB"


def rate_range(spread: Spread | None) -> str:
    """Gives lowest and highest of several rounds: ``5.82–5.99``; nothing for fewer than two."""
    if spread is None or spread.n < 2:
        return NOTHING
    return f"{significant(spread.low)}–{significant(spread.high)}"


def duration(over_s: float | None) -> str:
    """Gives a longer time: ``42 s``, ``3 min 20 s``, ``1 h 5 min``."""
    if over_s is None:
        return NOTHING
    whole = round(over_s)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def percent(share: float | None) -> str:
    """Gives a share as ``1.4 %`` with two significant digits."""
    return NOTHING if share is None else f"{significant(100 * share, 2)} %"
