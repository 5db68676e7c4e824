"""Pairs of answers to show side by side."""

from __future__ import annotations

from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow


def rivals(session: Session, chosen: TrialRow | None) -> tuple[TrialRow, TrialRow] | None:
    """Return two models' answers to one prompt: the chosen trial and another model's, else the newest such pair.

    None where no prompt was answered by two models.
    """
    complete = [row for row in session.rows if row.figures.chunks]
    candidates = [chosen] if chosen is not None else [row for row in reversed(complete) if row.trial.kind == "warm"]
    for row in candidates:
        others = [
            other
            for other in complete
            if (other.trial.kind, other.trial.prompt) == (row.trial.kind, row.trial.prompt)
            and other.trial.contender != row.trial.contender
        ]
        if others:
            same_round = [other for other in others if other.trial.round == row.trial.round]
            return tuple(sorted((row, (same_round or others)[-1]), key=lambda one: one.trial.contender))  # type: ignore[return-value]  # two of two
    return None
