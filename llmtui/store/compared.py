"""Saved sessions compared with each other, with what is known of their plan's change from day to day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from llmtui.core.across import COMPARED, Comparison, compare_sessions
from llmtui.core.day_noise import day_noises
from llmtui.core.session import Session
from llmtui.store.earlier import sessions_before


class ComparedSessions(msgspec.Struct, frozen=True, kw_only=True):
    """A later session beside the one that it is compared with."""

    before: Session
    after: Session
    comparison: Comparison


def compare_saved(
    results_dir: Path, sessions: Sequence[Session], figures: Collection[str] = COMPARED
) -> tuple[ComparedSessions, ...]:
    """Return each session but the first compared with the first.

    Args:
        results_dir: where earlier sessions of the same plans are looked for: they tell the change from day to day.
        sessions: at least two.
        figures: ids of measures.

    Raises:
        OSError: the results folder is there but cannot be read.
    """
    before, *later = sessions
    return tuple(
        ComparedSessions(
            before=before,
            after=after,
            comparison=compare_sessions(
                before,
                after,
                noise=day_noises(sessions_before(results_dir, after), figures),
                figures=figures,
                comparisons=len(later),
            ),
        )
        for after in later
    )
