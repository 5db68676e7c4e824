"""The bars of the scoreboard: they begin at 0, with a resolution of 1/8 cell, and show the interval at their end."""

from __future__ import annotations

import math

from textual.content import Content

from llmtui.words.figures import significant

EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar_blocks(share: float, room: int) -> str:
    """Return a bar whose length is a share of ``room`` (cells), in steps of 1/8 cell and at least 1/8 cell."""
    eighths = max(1, round(share * room * 8))
    return "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")


def bar_scale(values: list[float], halves: list[float | None]) -> float:
    """Return the value of a bar of full width: the largest value, or the largest upper end of an interval if greater.

    Args:
        values: the values.
        halves: half the width of each value's interval on the log scale; None for a value without an interval.
    """
    ends = [value * math.exp(half or 0.0) for value, half in zip(values, halves, strict=True)]
    return max(ends, default=0.0)


def bar_with_interval(value: float, half: float | None, scale: float, room: int, colour: str) -> Content:
    """Return a bar and, at its end, the interval: ``╂`` if that is narrower than one cell, else ``├──┤``.

    Args:
        value: the value that the bar shows.
        half: half the interval's width on the log scale; None without an interval.
        scale: value of a bar of full width.
        room: full width in cells.
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
    """Return the header above bars: a text at the left, the value of a bar of full width at the right."""
    end = significant(scale)
    return begin + end.rjust(room - len(begin)) if room > len(begin) + len(end) else begin[:room]
