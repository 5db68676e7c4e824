"""Conditions: flags that describe the circumstances of a session. Rules: docs/method.md, "Flags".

Compared trials are those whose decode speed is compared. A condition is lasting if at least a fifth of one contender's
compared trials have it. Other conditions are shown with their number of trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmtui.core.flags import CONDITIONS, counts_for_speed
from llmtui.core.trial_row import TrialRow

LASTING = 0.20
BUSY_MACHINE = "busy_machine"


class Condition(NamedTuple):
    """A flag that describes circumstances, with the number of compared trials that have it."""

    flag: str
    rows: int
    of: int
    lasting: bool
    """Whether at least a fifth of one contender's compared trials have the flag."""


def is_busy_machine(rows: Sequence[TrialRow]) -> bool:
    """Return whether other programs were busy during most warm trials, which makes that a condition of the session."""
    return any(BUSY_MACHINE in row.flags for row in rows)


def conditions_of(rows: Sequence[TrialRow], contenders: Iterable[int]) -> tuple[Condition, ...]:
    """Return the conditions of some contenders' compared trials, in the fixed order of the flags.

    Args:
        rows: the trials of the whole session.
        contenders: indices of the contenders to include.
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
    """Return the conditions of the compared trials of two contenders together."""
    return conditions_of(rows, (first, second))
