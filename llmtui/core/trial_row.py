"""The part of a finished trial that is kept in memory for a session."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from llmtui.core.metrics import Figures
from llmtui.core.plan import Trial
from llmtui.core.records import (
    ColdSource,
    EndedBy,
    FlagEvidence,
    MachineFigures,
    Outcome,
    Problem,
    Recorded,
    ResidentModel,
)


class TrialRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One finished trial, without its text.

    The garbage collector ignores these rows (``gc=False``), because a trend holds a hundred thousand of them.
    """

    trial: Trial
    order: int
    outcome: Outcome
    figures: Figures
    wall_ns: int
    t0_ns: int | None
    t_ns: int
    """End of the trial in ns, on the engine's clock."""
    ended_by: EndedBy | None = None
    problem: Problem | None = None
    flags: tuple[str, ...] = ()
    evidence: tuple[FlagEvidence, ...] = ()
    """One entry per flag, in the order of ``flags``; an empty string for a flag without evidence."""
    machine: MachineFigures | None = None
    resident: ResidentModel | None = None
    cold_source: ColdSource | None = None
    num_predict: int | None = None
    repeats: str | None = None
    recorded: Recorded | None = None


def replaced_trials(rows: Iterable[TrialRow]) -> frozenset[str]:
    """Return the ids of the disturbed trials that were replaced by a repetition."""
    return frozenset(row.repeats for row in rows if row.repeats is not None)
