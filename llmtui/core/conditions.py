"""Conditions: what lasted while a result came about, and how often. Rules: docs/method.md, "Flags".

A condition is lasting where at least a fifth of the compared rows have it; otherwise the number of trials is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmtui.core.flags import CONDITIONS, counts_for_speed
from llmtui.core.trial_row import TrialRow

LASTING = 0.20
BUSY_MACHINE = "busy_machine"


class Condition(NamedTuple):
    """A condition and the compared rows that have it."""

    flag: str
    rows: int
    of: int
    lasting: bool
    """At least a fifth of one contender's compared rows."""


def is_busy_machine(rows: Sequence[TrialRow]) -> bool:
    """Whether other programs were busy in most of the warm trials: then it is a condition of the session."""
    return any(BUSY_MACHINE in row.flags for row in rows)


def conditions_of(rows: Sequence[TrialRow], contenders: Iterable[int]) -> tuple[Condition, ...]:
    """Return the conditions under which the compared rows of some contenders came about, in the order of the flags.

    Args:
        rows: of the whole session.
        contenders: those whose rows count.
    """
    by_contender = {
        index: [row for row in rows if row.trial.contender == index and counts_for_speed(row)] for index in contenders
    }
    compared = sum(map(len, by_contender.values()))
    found: list[Condition] = []
    for flag in CONDITIONS:
        counts = [(sum(flag in row.flags for row in mine), len(mine)) for mine in by_contender.values()]
        total = sum(count for count, _ in counts)
        if total:
            lasting = flag == BUSY_MACHINE or any(count >= LASTING * of for count, of in counts if count)
            found.append(Condition(flag, total, compared, lasting))
    return tuple(found)


def conditions_of_pair(rows: Sequence[TrialRow], first: int, second: int) -> tuple[Condition, ...]:
    """Return the conditions of two contenders' compared rows together."""
    return conditions_of(rows, (first, second))
