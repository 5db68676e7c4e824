"""Conversion of values in other programs' JSON, which may have any type."""

from __future__ import annotations

import math


def number_of(of: object) -> float | None:
    """Return the value as a finite number, even if it is written as text; None for anything else."""
    if isinstance(of, bool) or not isinstance(of, int | float | str):
        return None
    try:
        value = float(of)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def positive(of: object) -> float | None:
    """Return the value as a number above 0; None for anything else.

    Programs write 0 for figures that they did not measure.
    """
    value = number_of(of)
    return value if value is not None and value > 0 else None


def count_of(of: object) -> int | None:
    """Return the value as a whole number of at least 0; None for anything else."""
    value = number_of(of)
    return int(value) if value is not None and value >= 0 and value.is_integer() else None


def inside(of: object, *path: str) -> object:
    """Return the value under a path of keys; None if a part of the path is missing."""
    for key in path:
        of = of.get(key) if isinstance(of, dict) else None
    return of


def list_of(of: object) -> list[object]:
    """Return the value if it is a list; an empty list for anything else."""
    return of if isinstance(of, list) else []


def scaled(of: float | None, factor: float) -> float | None:
    """Return a number multiplied by a unit's factor; None if the number is None."""
    return None if of is None else of * factor
