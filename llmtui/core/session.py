"""The only state: a session folded from its events.

``SessionBuilder.apply`` takes events in order; ``snapshot`` hands out a frozen Session at any time. A Session keeps
figures, not texts and timelines: those stay on disk and are read when looked at.
"""

from __future__ import annotations

import msgspec

from llmtui.core.facts import (
    ColdSource,
    EndedBy,
    Fingerprint,
    MachineFigures,
    Outcome,
    Phase,
    Problem,
    ResidentModel,
)
from llmtui.core.metrics import Figures
from llmtui.core.plan import Contender, Plan, Trial


class TrialRow(msgspec.Struct, frozen=True, kw_only=True):
    """One finished trial, without its text."""

    trial: Trial
    order: int
    outcome: Outcome
    figures: Figures
    wall_ns: int
    t0_ns: int | None
    t_ns: int
    """When it was over, on the engine's clock."""
    ended_by: EndedBy | None = None
    problem: Problem | None = None
    flags: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    """One sentence a flag, in the order of ``flags``; empty text where there is nothing to add."""
    machine: MachineFigures | None = None
    resident: ResidentModel | None = None
    cold_source: ColdSource | None = None
    num_predict: int | None = None
    repeats: str | None = None


class SamplePoint(msgspec.Struct, frozen=True):
    """What plots need of one look at the machine."""

    t_ns: int
    cores_busy: float
    runner_cores: float | None
    llmtui_cores: float | None
    runner_bytes: int | None
    """RssFile + RssAnon of the runner."""
    used_bytes: int | None
    """RAM of the machine − available."""
    swap_used_bytes: int | None
    gpu_busy: float | None
    vram_bytes: int | None


class PhaseMark(msgspec.Struct, frozen=True):
    """From ``t_ns`` on the engine was in ``phase``."""

    t_ns: int
    phase: Phase
    trial_id: str | None
    detail: str | None


class Note(msgspec.Struct, frozen=True):
    """A note with its time."""

    t_ns: int
    level: str
    problem: Problem


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is known now."""

    session_id: str
    wall_ns: int
    t_ns: int
    """Start on the engine's clock: subtract it for session time."""
    fingerprint: Fingerprint
    plan: Plan
    rounds: int
    """Promised rounds: the plan's, and what was added since."""
    rows: tuple[TrialRow, ...] = ()
    current: Trial | None = None
    """The trial under way."""
    order: int = 0
    total: int = 0
    phases: tuple[PhaseMark, ...] = ()
    samples: tuple[SamplePoint, ...] = ()
    """Thinned so that they stay few however long the session is; the full series is in samples.csv."""
    latest_sample_t_ns: int | None = None
    per_core: tuple[float, ...] = ()
    notes: tuple[Note, ...] = ()
    finished: str | None = None
    """``complete``, ``cancelled``, ``failed``; None while it runs or where it was interrupted."""
    last_t_ns: int = 0
    """Time of the newest event."""

    def contender(self, trial: Trial) -> Contender:
        """Gives who was asked."""
        return self.plan.contenders[trial.contender]
