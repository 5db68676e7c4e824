"""Values in other programs' JSON, of any type."""

from __future__ import annotations

import math


def number_of(of: object) -> float | None:
    """Return a finite number, also one in a text; None for anything else."""
    if isinstance(of, bool) or not isinstance(of, int | float | str):
        return None
    try:
        value = float(of)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def positive(of: object) -> float | None:
    """Return a number above 0: programs write 0 for what they did not measure."""
    value = number_of(of)
    return value if value is not None and value > 0 else None


def count_of(of: object) -> int | None:
    """Return a whole number of at least 0; None for anything else."""
    value = number_of(of)
    return int(value) if value is not None and value >= 0 and value.is_integer() else None


def inside(of: object, *path: str) -> object:
    """Return the value under a path of keys; None where a part of it is missing."""
    for key in path:
        of = of.get(key) if isinstance(of, dict) else None
    return of


def list_of(of: object) -> list[object]:
    """Return a list; an empty one for anything else."""
    return of if isinstance(of, list) else []


def scaled(of: float | None, factor: float) -> float | None:
    """Return a number in another unit; None for None."""
    return None if of is None else of * factor
