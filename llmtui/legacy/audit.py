"""The audit of an imported file: what it can show, and which of its usual claims hold.

Claims are computed from the file and returned as codes with figures; their sentences are in ``llmtui.words.audit``. The
unit is the file's own repetition, or its category where it has one round only. Rules: docs/method.md, "Old results".
"""

from __future__ import annotations

import msgspec

from llmtui.core.recorded_pairs import recorded_cells
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.legacy.claims import Claim, claims_of
from llmtui.legacy.model_audit import Layout, ModelAudit, audited_model, layout_of


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """The audit of a whole file."""

    layout: Layout
    models: tuple[ModelAudit, ...]
    """In the order of the file."""
    verdicts: tuple[SpeedVerdict, ...]
    """The verdict on each pair, with indices into ``models``."""
    claims: tuple[Claim, ...]
    """Only claims that a reader could make from this file."""


def audit(session: Session) -> Audit:
    """Return the audit of an imported session."""
    levels, cells = _memory_levels(session), recorded_cells(session)
    models = tuple(audited_model(session, at, levels.get(at), cells) for at in range(len(session.plan.contenders)))
    found = verdicts(session)
    layout = layout_of(session, cells)
    return Audit(layout=layout, models=models, verdicts=found, claims=claims_of(session, layout, models, found))


def _memory_levels(session: Session) -> dict[int, list[float]]:
    """Return the running sums of the memory changes: memory above the start's after each row, by model."""
    total = 0.0
    levels: dict[int, list[float]] = {}
    for row in session.rows:
        if row.recorded is not None and row.recorded.ram_change_mb is not None:
            total += row.recorded.ram_change_mb
            levels.setdefault(row.trial.contender, []).append(total)
    return levels
