"""Ratios and their intervals as text, with enough decimals to see whether they are above or below 1 and 1.03."""

from __future__ import annotations

from llmtui.words.figures import fixed, significant

_FEW, _MANY, _MOST = 2, 3, 6
_SAME = 1e-7
_NEAR = 1.10
"""Ratios below this get a third decimal."""
_EDGES = (1.0, 1.03, 1 / 1.03, 1.10, 1 / 1.10)
"""Limits used by the verdicts; rounding must not move a ratio across one."""


def factor(ratio: float) -> str:
    """Return a ratio with three decimals below 1.10, two below 10, and three significant digits above.

    More decimals are used if rounding would move the ratio across one of ``_EDGES``.
    """
    if ratio >= 10:
        return significant(ratio)
    decimals = _MANY if ratio < _NEAR else _FEW
    while decimals < _MOST and any(_side(ratio, edge) != _side(round(ratio, decimals), edge) for edge in _EDGES):
        decimals += 1
    return fixed(ratio, decimals)


def _side(ratio: float, edge: float) -> int:
    """Return 1 if a ratio is above a limit, −1 if it is below, and 0 if both are equal up to rounding errors."""
    return 0 if abs(ratio - edge) < _SAME else 1 if ratio > edge else -1


def factor_range(low: float, high: float) -> str:
    """Return the interval of a ratio: ``0.941–1.21``."""
    return f"{factor(low)}–{factor(high)}"
