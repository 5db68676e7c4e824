"""Bars of the scoreboard: from 0, to an eighth of a cell, with the interval at the end."""

from __future__ import annotations

import math

from textual.content import Content

from llmtui.words.figures import significant

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar_blocks(share: float, room: int) -> str:
    """Return a bar for a share of the room, to an eighth of a cell; never empty for a value above 0."""
    eighths = max(1, round(share * room * 8))
    return "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def bar_scale(values: list[float], halves: list[float | None]) -> float:
    """Return the value of the whole room: the largest value, or the end of the interval that reaches furthest."""
    ends = [value * math.exp(half or 0.0) for value, half in zip(values, halves, strict=True)]
    return max(ends, default=0.0)


def bar_with_interval(value: float, half: float | None, scale: float, room: int, colour: str) -> Content:
    """Return a bar and, at its end, the interval: ``╂`` within one cell, else ``├──┤``.

    Args:
        value: the bar's length.
        half: half the interval's width on the log scale; None: there is none.
        scale: value of the whole room.
        room: width in cells.
        colour: colour of the bar.
    """
    blocks = bar_blocks(value / scale, room)
    if half is None:
        return Content.styled(blocks, colour)
    low = min(int(value * math.exp(-half) / scale * room), room - 1)
    high = min(int(value * math.exp(half) / scale * room), room - 1)
    if value * (math.exp(half) - math.exp(-half)) / scale * room < 1:
        low = high = min(int(value / scale * room), room - 1)
    whisker = "╂" if low == high else "├" + "─" * (high - low - 1) + "┤"
    inside = max(0, min(len(blocks.rstrip(EIGHTHS[1:8])), high + 1) - low)
    return Content.assemble(
        (blocks[:low].ljust(low), colour),
        (whisker[:inside], f"$background on {colour}"),
        (whisker[inside:], colour),
    )


def bar_head(scale: float, begin: str, room: int) -> str:
    """Return the head above bars: their beginning at the left, the end of the scale at the right."""
    end = significant(scale)
    return begin + end.rjust(room - len(begin)) if room > len(begin) + len(end) else begin[:room]
