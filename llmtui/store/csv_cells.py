r"""CSV cells: RFC 4180, UTF-8, line ends ``\n``, decimal points; missing values are empty.

Texts that a spreadsheet would run as a formula are disarmed by an apostrophe.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_DIGITS: Final = 6
"""Significant digits of a float: finer than the noise of any figure, and short enough to read."""
_BREAKS: Final = str.maketrans({"\r": " ", "\n": " ", "\0": " "})


def csv_line(cells: Iterable[str]) -> bytes:
    r"""Return one record with its ``\n``. It is always a single line, since no cell has a line break."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode("utf-8", "replace")


def text_cell(text: str | None) -> str:
    """Return a text without line breaks. A text that a spreadsheet would run as a formula gets a leading apostrophe."""
    if text is None:
        return ""
    text = text.translate(_BREAKS)
    return f"'{text}" if text.startswith(_FORMULA) else text


def number_cell(value: float | None) -> str:
    """Return an integer unchanged and a float with six significant digits, never with an exponent."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    decimals = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    text = f"{round(value, decimals):.{max(decimals, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def cell(value: str | float | None) -> str:
    """Return the cell for a text or a number; empty for None."""
    return text_cell(value) if isinstance(value, str) else number_cell(value)


def utc_cell(wall_ns: int) -> str:
    """Return a time as ``2026-11-22T22:41:07.123456Z``.

    Args:
        wall_ns: nanoseconds since 1970 UTC.
    """
    moment = datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC).replace(microsecond=wall_ns // 1000 % 1_000_000)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
