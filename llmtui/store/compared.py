"""Comparisons of saved sessions, with the day-to-day noise of their plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from llmtui.core.across import COMPARED, Comparison, compare_sessions
from llmtui.core.day_noise import day_noises
from llmtui.core.session import Session
from llmtui.store.earlier import sessions_before


class ComparedSessions(msgspec.Struct, frozen=True, kw_only=True):
    """A later session with the one it is compared to."""

    before: Session
    after: Session
    comparison: Comparison


def compare_saved(
    results_dir: Path, sessions: Sequence[Session], figures: Collection[str] = COMPARED
) -> tuple[ComparedSessions, ...]:
    """Compare each session except the first with the first.

    Args:
        results_dir: folder of earlier sessions of the same plans, for the day-to-day noise.
        sessions: at least two.
        figures: ids of the measures to compare.

    Raises:
        OSError: the results folder exists but cannot be read.
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
