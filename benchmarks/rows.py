"""One line of the page: what was measured, what came out, what was promised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """A figure beside its bar.

    Attributes:
        what: What was measured, and how.
        measured: The figure with its unit, as it is printed.
        bar: What was promised; empty where nothing was.
        met: Whether it was kept; None where nothing was promised.
    """

    what: str
    measured: str
    bar: str = ""
    met: bool | None = None

    @property
    def word(self) -> str:
        """Kept, missed, or nothing to keep."""
        return {None: "", True: "met", False: "**missed**"}[self.met]


@dataclass(frozen=True)
class Benchmark:
    """A named measurement that yields rows; ``quick`` makes it short and rough."""

    name: str
    title: str
    measure: Callable[[bool], Iterable[Row]]


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the quotient of two medians."""
    return median(numerators) / median(denominators)


def p99(values: Iterable[float]) -> float:
    """Return the value that one in a hundred exceeds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median with the smallest and largest value."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"
