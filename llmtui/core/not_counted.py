"""Trials that figures of a session leave out, with the reasons."""

from __future__ import annotations

import msgspec

from llmtui.core.conditions import is_busy_machine
from llmtui.core.flags import counts_for_speed, counts_for_ttft, why_not_compared
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow, replaced_trials
from llmtui.core.verdict import disturbed_contenders

BUSY = "busy"
NOISY_START = "noisy_start"


class Uncounted(msgspec.Struct, frozen=True, kw_only=True):
    """A number of trials of one contender that a figure leaves out for the same reason."""

    contender: int
    code: str
    """Code of the reason: a flag, ``repeated``, ``repeated_busy`` or ``outcome_…``."""
    what: str
    """Figures that leave out the trials: ``speed``, ``ttft`` or ``all``."""
    count: int


class NotCounted(msgspec.Struct, frozen=True, kw_only=True):
    """Conclusion 8 of 8: the trials that were left out, with the reasons."""

    trials: tuple[Uncounted, ...]
    contenders: tuple[tuple[int, str], ...]
    """Contenders without a verdict, each with the code of the reason."""
    busy: int
    """Number of warm trials that count although other programs were busy."""
    warm: int
    """Number of warm trials that were not replaced by a repetition."""
    noisy_starts: int
    """Number of cold starts that count although other programs were busy just before."""
    busy_lasts: bool
    """Whether other programs were busy in more than half of the warm trials, which makes this a condition instead of a
    disturbance."""
    why: str | None = None


def not_counted(session: Session) -> NotCounted:
    """Return the trials left out, those that count although disturbed, and the contenders without a verdict."""
    repeated = replaced_trials(session.rows)
    counts: dict[tuple[int, str, str], int] = {}
    for row in session.rows:
        reason = _reason(row, repeated=row.trial.id in repeated)
        if reason is not None:
            key = (row.trial.contender, *reason)
            counts[key] = counts.get(key, 0) + 1
    trials = tuple(
        Uncounted(contender=contender, code=code, what=what, count=count)
        for (contender, code, what), count in sorted(counts.items())
    )
    without = tuple((index, "disturbed") for index in sorted(disturbed_contenders(session)))
    warm = [row for row in session.rows if row.trial.kind == "warm" and row.trial.id not in repeated]
    busy = sum(BUSY in row.flags for row in warm)
    noisy = sum(NOISY_START in row.flags for row in session.rows if row.trial.id not in repeated)
    why = None if trials or without or busy or noisy else ("all_counted" if session.rows else "not_yet")
    return NotCounted(
        trials=trials,
        contenders=without,
        busy=busy,
        warm=len(warm),
        noisy_starts=noisy,
        busy_lasts=is_busy_machine(session.rows),
        why=why,
    )


def _reason(row: TrialRow, *, repeated: bool) -> tuple[str, str] | None:
    """Return why a trial is left out, as (code, figures that leave it out); None if all figures count.

    Only the first reason that applies is returned. The figures are ``speed``, ``ttft`` or ``all``.
    """
    if repeated:
        return "repeated_busy" if BUSY in row.flags else "repeated", "all"
    if row.outcome == "no_final":
        return "outcome_no_final", "speed"
    if row.outcome != "ok":
        return f"outcome_{row.outcome}", "all"
    flags = set(row.flags)
    if row.trial.kind == "warm" and not counts_for_speed(row):
        for code in ("unexpected_reload", "outlier", "short_output"):
            if code in flags:
                return code, "all" if code == "unexpected_reload" else "speed"
        return why_not_compared(row), "speed"
    if not counts_for_ttft(row):
        for code in ("unexpected_reload", "queued", "cached_prompt", "prompt_cut", "outlier"):
            if code in flags:
                return code, "ttft"
    return None
