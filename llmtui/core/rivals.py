"""Selection of two models' answers to show side by side."""

from __future__ import annotations

from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow


def rivals(session: Session, chosen: TrialRow | None) -> tuple[TrialRow, TrialRow] | None:
    """Return answers of two models to the same prompt: the chosen trial's and another model's.

    Without a chosen trial, the newest such pair of warm trials is returned. None if there is no such pair.
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
            return tuple(sorted((row, (same_round or others)[-1]), key=lambda one: one.trial.contender))  # type: ignore[return-value]  # a tuple of two
    return None
