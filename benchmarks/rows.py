"""One line of the page: what was measured, the result, and the limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """A figure with its limit.

    Attributes:
        what: What was measured, and how.
        measured: The figure with its unit, as it is printed.
        bar: The limit; empty if there is none.
        met: Whether the figure is within the limit; None if there is none.
    """

    what: str
    measured: str
    bar: str = ""
    met: bool | None = None

    @property
    def word(self) -> str:
        """``met``, ``**missed**``, or empty if there is no limit."""
        return {None: "", True: "met", False: "**missed**"}[self.met]


@dataclass(frozen=True)
class Benchmark:
    """A named measurement that yields rows; ``quick`` makes it short and inaccurate."""

    name: str
    title: str
    measure: Callable[[bool], Iterable[Row]]


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of ``numerators`` ÷ the median of ``denominators``."""
    return median(numerators) / median(denominators)


def p99(values: Iterable[float]) -> float:
    """Return the 99th percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median, with the smallest and the largest value in parentheses."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"
