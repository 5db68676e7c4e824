"""Bar plots made of block characters: values over time in one or several rows, on a scale from 0."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

EIGHTHS = " ▁▂▃▄▅▆▇█"
LOWEST = EIGHTHS[1]


def spark(values: Sequence[float], width: int, top: float) -> str:
    """Return values as one row of block characters, at most ``width`` columns, the newest at the right.

    Args:
        values: values from oldest to newest, one per column; if there are more than ``width``, neighbours are averaged.
        width: number of columns.
        top: value of a full block.
    """
    if top <= 0:
        return ""
    shown = squeezed(values, width)
    return "".join(EIGHTHS[max(1, min(8, round(8 * value / top)))] for value in shown)


def bars(values: Sequence[float], width: int, height: int, top: float) -> list[str]:
    """Return values as rows of block characters, top row first; parameters as for ``spark``."""
    if top <= 0 or height < 1:
        return [""] * height
    eighths = [max(1, min(8 * height, round(8 * height * value / top))) for value in squeezed(values, width)]
    return [
        "".join(EIGHTHS[max(0, min(8, high - 8 * (height - 1 - row)))] for high in eighths) for row in range(height)
    ]


def height_of(value: float, height: int, top: float) -> int:
    """Return the index, from the top, of the row that contains a value."""
    return max(0, min(height - 1, height - 1 - int(height * value / top - 1e-9)))


def squeezed(values: Sequence[float], width: int) -> list[float]:
    """Return the values; if there are more than ``width``, the means of ``width`` groups of neighbours instead."""
    if width < 1:
        return []
    if len(values) <= width:
        return list(values)
    edges = [at * len(values) // width for at in range(width + 1)]
    return [sum(values[start:end]) / (end - start) for start, end in pairwise(edges) if end > start]
