"""Ratios and their intervals as text: as many decimals as it takes to see which side of 1 and of 1.03 they are on."""

from __future__ import annotations

from llmtui.words.figures import fixed, significant

_FEW, _MANY, _MOST = 2, 3, 6
_SAME = 1e-7
_NEAR = 1.10
"""Below, a third decimal is shown."""
_EDGES = (1.0, 1.03, 1 / 1.03, 1.10, 1 / 1.10)
"""Bounds of the verdicts."""


def factor(ratio: float) -> str:
    """Return a ratio: ``1.034`` below 1.10, ``1.46`` below ten, three significant digits above."""
    if ratio >= 10:
        return significant(ratio)
    decimals = _MANY if ratio < _NEAR else _FEW
    while decimals < _MOST and any(_side(ratio, edge) != _side(round(ratio, decimals), edge) for edge in _EDGES):
        decimals += 1
    return fixed(ratio, decimals)


def _side(ratio: float, edge: float) -> int:
    """Return whether a ratio is above an edge (1), below it (−1), or equal but for its last digits (0)."""
    return 0 if abs(ratio - edge) < _SAME else 1 if ratio > edge else -1


def factor_range(low: float, high: float) -> str:
    """Return an interval of a ratio: ``0.941–1.21``."""
    return f"{factor(low)}–{factor(high)}"
