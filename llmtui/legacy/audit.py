"""The audit of an imported file: which of the claims commonly made from such files are supported by its figures.

Claims are computed from the file and returned as codes with figures. Their sentences are in ``llmtui.words.audit``.
Statistics are over the file's rounds, or over its categories if it has only one round. Rules: docs/method.md, "Old
results".
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
    """The models in the order of the file."""
    verdicts: tuple[SpeedVerdict, ...]
    """The verdict on each pair of models, with indices into ``models``."""
    claims: tuple[Claim, ...]
    """The claims that a reader could make from this file, and whether they hold."""


def audit(session: Session) -> Audit:
    """Return the audit of an imported session."""
    levels, cells = _memory_levels(session), recorded_cells(session)
    models = tuple(audited_model(session, at, levels.get(at), cells) for at in range(len(session.plan.contenders)))
    found = verdicts(session)
    layout = layout_of(session, cells)
    return Audit(layout=layout, models=models, verdicts=found, claims=claims_of(session, layout, models, found))


def _memory_levels(session: Session) -> dict[int, list[float]]:
    """Return the machine's memory after each row, relative to the start of the file, in MB by model.

    The file has only changes of memory; they are added up over all rows.
    """
    total = 0.0
    levels: dict[int, list[float]] = {}
    for row in session.rows:
        if row.recorded is not None and row.recorded.ram_change_mb is not None:
            total += row.recorded.ram_change_mb
            levels.setdefault(row.trial.contender, []).append(total)
    return levels
