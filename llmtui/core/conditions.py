"""Conditions: flags that lasted during a session. Rules: docs/method.md, "Flags".

A condition is lasting where at least a fifth of the compared trials have it; otherwise the number of trials is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from llmtui.core.flags import CONDITIONS, counts_for_speed
from llmtui.core.trial_row import TrialRow

LASTING = 0.20
BUSY_MACHINE = "busy_machine"


class Condition(NamedTuple):
    """A condition, with the number of compared trials that have it."""

    flag: str
    rows: int
    of: int
    lasting: bool
    """At least a fifth of one contender's compared trials have it."""


def is_busy_machine(rows: Sequence[TrialRow]) -> bool:
    """Return whether other programs were busy in most of the warm trials, which makes it a condition of the session."""
    return any(BUSY_MACHINE in row.flags for row in rows)


def conditions_of(rows: Sequence[TrialRow], contenders: Iterable[int]) -> tuple[Condition, ...]:
    """Return the conditions of the compared trials of some contenders, in the order of the flags.

    Args:
        rows: trials of the whole session.
        contenders: whose trials to use.
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
    """Return the conditions of two contenders' compared trials together."""
    return conditions_of(rows, (first, second))
