"""Numbers in a column: three significant digits, aligned decimal points, blank where unknown."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from llmtui.words.figures import decimal_mark, fixed, significant


def aligned(value: float | None, decimals: int, digits: int = 3) -> str:
    """Return a number with blanks behind it, so that right-justified its point is ``decimals`` from the right.

    Decimals without room are rounded: 0.0266 is 0.027 with three decimals.
    """
    if value is None:
        return ""
    mark = decimal_mark()
    whole, point, behind = significant(value, digits).partition(mark)
    if len(behind) > decimals:
        whole, point, behind = fixed(value, decimals).partition(mark)
    return f"{whole}{point if behind else ' ' * bool(decimals)}{behind:<{decimals}}"


def right(text: str, width: int, style: str = "") -> Text:
    """Return a cell with its text at the right."""
    # Rich's own justification would remove the blanks behind the number.
    return Text(" " * (width - cell_len(text)) + text, style=style, no_wrap=True)


def left(text: str, width: int, style: str = "") -> Text:
    """Return a cell with its text at the left, cut with an ellipsis where it is longer."""
    cut = text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
    return Text(cut, style=style, no_wrap=True)
