"""Figures over several sessions as text for a dialog."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from llmtui.core.trend import FigureTrend
from llmtui.words.trending import trend_rows

WIDTH = 68
"""Width of the rows in cells; a dialog with a scrollbar has this many on a screen of 80."""
_CHANGE = "  ──"


def trend_text(found: Sequence[FigureTrend]) -> Content:
    """Return each figure with one row per session; the lines of changed conditions are coloured."""
    lines: list[Content] = []
    for at, one in enumerate(found):
        *rows, _gap, legend = trend_rows(one, WIDTH)
        lines += [Content("")] if at else []
        lines += [Content.styled(row, "bold $warning") if row.startswith(_CHANGE) else Content(row) for row in rows]
        if at == len(found) - 1:
            lines += [Content(""), Content.styled(legend, "$text-muted")]
    return Content("\n").join(lines)
