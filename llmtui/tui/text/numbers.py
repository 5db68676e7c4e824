"""Numbers in a column: three significant digits, aligned decimal points, blank if unknown."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from llmtui.words.figures import decimal_mark, fixed, significant


def aligned(value: float | None, decimals: int, digits: int = 3) -> str:
    """Return a number padded so that right-aligned numbers have their decimal points below each other.

    Args:
        value: the number; None for an empty text.
        decimals: width of the part after the decimal point; a longer one is rounded (0.0266 to 0.027 if three).
        digits: number of significant digits.
    """
    if value is None:
        return ""
    mark = decimal_mark()
    whole, point, behind = significant(value, digits).partition(mark)
    if len(behind) > decimals:
        whole, point, behind = fixed(value, decimals).partition(mark)
    return f"{whole}{point if behind else ' ' * bool(decimals)}{behind:<{decimals}}"


def right(text: str, width: int, style: str = "") -> Text:
    """Return a table cell with right-aligned text, padded to a width in cells."""
    # Rich's own justification would remove the blanks behind the number.
    return Text(" " * (width - cell_len(text)) + text, style=style, no_wrap=True)


def left(text: str, width: int, style: str = "") -> Text:
    """Return a table cell with left-aligned text; text that is too long is cut off with an ellipsis."""
    cut = text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
    return Text(cut, style=style, no_wrap=True)
