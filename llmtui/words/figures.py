"""Numbers as text: three significant digits and the unit; empty if nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmtui.words import _

if TYPE_CHECKING:  # importing statistics would delay the first screen
    from llmtui.core.summary import Spread

NOTHING = ""
GIGABYTE = 1e9


def significant(value: float, digits: int = 3) -> str:
    """Return a number with ``digits`` significant digits and no exponent: ``0.908``, ``19.1``, ``1800``."""
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
    # Rounding can add a digit (9.996 → 10.00); one decimal is then dropped.
    shown = text.replace("-", "").replace(".", "").lstrip("0")
    return with_mark(text[:-1].rstrip(".") if "." in text and len(shown) > digits else text)


def fixed(value: float, decimals: int, sign: str = "") -> str:
    """Return a number with ``decimals`` decimals; ``sign`` is a sign as in format specifications, such as ``+``."""
    return with_mark(f"{value:{sign}.{decimals}f}")


def decimal_mark() -> str:
    """Return the decimal mark of the user's language: ``.`` or ``,``."""
    return _("1.5")[1]


def thousands_mark() -> str:
    """Return what separates thousands: a comma, or a no-break space in languages with the decimal comma."""
    return "," if decimal_mark() == "." else "\N{NO-BREAK SPACE}"


def with_mark(number: str) -> str:
    """Replace the decimal point of a number by the decimal mark of the user's language."""
    return number.replace(".", decimal_mark())


def decimals_aligned(numbers: Sequence[str]) -> list[str]:
    """Return the numbers padded with trailing blanks, so that their decimal marks align if they are right-justified."""
    mark = decimal_mark()
    behind = [len(number.partition(mark)[2]) + (mark in number) for number in numbers]
    most = max(behind, default=0)
    return [number + " " * (most - has) if number else "" for number, has in zip(numbers, behind, strict=True)]


class Spoken(float):
    """A number that formats itself with the decimal mark of the user's language, for templates such as ``{s:.1f}``."""

    def __format__(self, specification: str) -> str:
        """Return the number formatted by ``specification``, with the decimal mark of the user's language."""
        return with_mark(super().__format__(specification))


class SpokenCount(int):
    """A whole number that formats itself with the language's marks, for patterns such as ``{n:,}``."""

    def __format__(self, specification: str) -> str:
        """Return the formatted number."""
        return with_mark(super().__format__(specification).replace(",", thousands_mark()))


def seconds(ms: float | None) -> str:
    """Return a time given in ms: ``0.908 s``, or ``12.3 ms`` below 0.1 s; empty for None."""
    if ms is None:
        return NOTHING
    return f"{significant(ms)} ms" if abs(ms) < 100 else f"{significant(ms / 1000)} s"


def rate(value: float | None) -> str:
    """Return a rate without its unit, which is in the column head; empty for None."""
    return NOTHING if value is None else significant(value)


def gigabytes(value: int | None) -> str:
    """Return an amount of memory given in bytes: ``4.15 GB``, or in MB below 0.1 GB; empty for None."""
    if value is None:
        return NOTHING
    return f"{significant(value / GIGABYTE)} GB" if value >= GIGABYTE / 10 else f"{significant(value / 1e6)} MB"


def rate_range(spread: Spread | None) -> str:
    """Return the lowest and highest value of several rounds: ``5.82–5.99``; empty for fewer than two rounds."""
    if spread is None or spread.n < 2:
        return NOTHING
    return f"{significant(spread.low)}–{significant(spread.high)}"


def duration(over_s: float | None) -> str:
    """Return a time given in seconds, rounded to whole seconds or minutes: ``42 s``, ``3 min 20 s``, ``1 h 5 min``."""
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
    """Return a share (0 to 1) with two significant digits: ``1.4 %``; empty for None."""
    return NOTHING if share is None else f"{significant(100 * share, 2)} %"
