"""The line above the results, which names the session, and the badges after it, which count its flags."""

from __future__ import annotations

import platform
from collections import Counter
from datetime import datetime
from typing import Final, NamedTuple

from llmtui.core.flags import CONDITIONS, DISTURBANCES, READING
from llmtui.core.pairing import is_imported
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.words import _, plural
from llmtui.words.evidence import evidence_text
from llmtui.words.figures import Spoken
from llmtui.words.flags import flag_mark, flag_sentence
from llmtui.words.outcomes import outcome_word
from llmtui.words.problems import whole_problem
from llmtui.words.trials import trial_name

FAILED: Final = "failed"
BUSY: Final = ("busy", "noisy_start", "busy_machine")
"""Flags that share one badge: other programs used the CPU."""
NO_BADGE: Final = ("outlier", "thinking_inline")
"""Flags that are not shown as a badge after the line above the results.

An outlier without another flag has no known cause, and thinking inside the answer changes no speed.
"""
MOST_TRIALS: Final = 40
"""Maximum number of trials listed under one badge."""


class Badge(NamedTuple):
    """One flag of a session, with the trials that have it."""

    flag: str
    said: str
    """Text of the badge: ``14 busy``."""
    rows: tuple[TrialRow, ...]


class Fact(NamedTuple):
    """One part of the line above the results."""

    said: str
    rank: int
    """If the line is too long, parts with the highest rank are left out first; parts of rank 0 are never left out."""


def session_head(session: Session, *, is_live: bool) -> tuple[Fact, ...]:
    """Return the parts of the line in order: date, machine, server, models and prompts, options, trials so far.

    Args:
        session: the session as known so far.
        is_live: whether more trials can come.
    """
    plan = session.plan
    begun = datetime.fromtimestamp(session.wall_ns / 1e9).astimezone()
    models, prompts = len(plan.contenders), len(plan.prompts)
    size = [
        plural("{n} model", "{n} models", models).format(n=models),
        plural("{n} prompt", "{n} prompts", prompts).format(n=prompts),
    ]
    facts = [
        Fact(f"{begun:%Y-%m-%d %H:%M}", 0),
        *_elsewhere(session),
        Fact(_server(session), 3),
        Fact(" × ".join(size), 2),
    ]
    if not is_imported(plan):
        facts += [
            Fact(_rounds(session), 1),
            Fact(_("≤ {n} tok").format(n=plan.options.num_predict), 4),
            Fact(_("temp {t}").format(t=f"{Spoken(plan.options.temperature):g}"), 5),
        ]
    return (*facts, Fact(_state(session, is_live=is_live), 0))


def machine_title(session: Session) -> str:
    """Return the title for the measured machine's figures, with its name if it is not this machine."""
    host = other_host(session)
    return _("Machine") if host is None else _("Machine {host}").format(host=host)


def other_host(session: Session) -> str | None:
    """Return the name of the machine that was measured; None if it is this machine or is not known."""
    host = session.fingerprint.host
    return None if host is None or host == platform.node() else host


def badges(session: Session) -> tuple[Badge, ...]:
    """Return the badges of a session: failed trials first, then the flags, the most frequent first."""
    failed = tuple(row for row in session.rows if row.outcome != "ok")
    busy = tuple(row for row in session.rows if set(BUSY).intersection(row.flags))
    found = [Badge(FAILED, _("{n} failed").format(n=len(failed)), failed)] if failed else []
    if busy:
        found.append(Badge(BUSY[0], _("{n} busy").format(n=len(busy)), busy))
    seen = Counter(flag for row in session.rows for flag in row.flags)
    for flag, count in seen.most_common():
        if flag in (*CONDITIONS, *READING, *DISTURBANCES) and flag not in (*BUSY, *NO_BADGE):
            rows = tuple(row for row in session.rows if flag in row.flags)
            found.append(Badge(flag, f"{count} {flag_mark(flag)}", rows))
    return tuple(found)


def badge_lines(badge: Badge, session: Session) -> tuple[str, ...]:
    """Return a sentence on the meaning of a badge, then one line per trial with the evidence for its flag."""
    if badge.flag == FAILED:
        head = _("These trials did not complete. Each has a reason, and none of its figures counts as 0.")
    else:
        head = flag_sentence(badge.flag)
    lines = [f"{_where(row, session)}: {_why(row, badge.flag)}" for row in badge.rows[:MOST_TRIALS]]
    if len(badge.rows) > MOST_TRIALS:
        lines.append(_("and {n} more").format(n=len(badge.rows) - MOST_TRIALS))
    return (head, *lines)


def _elsewhere(session: Session) -> tuple[Fact, ...]:
    host = other_host(session)
    return () if host is None else (Fact(_("on {host}").format(host=host), 1),)


def _state(session: Session, *, is_live: bool) -> str:
    """Return how many of the planned trials completed, and whether more can come: ``72/72``, ``running 34/90``."""
    done = f"{sum(row.outcome == 'ok' for row in session.rows)}/{max(session.total, len(session.rows))}"
    if session.finished is None:
        return f"{_('running') if is_live else _('interrupted')} {done}"
    return done if session.finished == "complete" else f"{_('stopped')} {done}"


def _server(session: Session) -> str:
    if is_imported(session.plan):
        return session.plan.server
    names = {"ollama": "Ollama", "openai": _("OpenAI-compatible"), "builtin": _("built-in server")}
    return " ".join(filter(None, (names[session.fingerprint.server_kind], session.fingerprint.server_version)))


def _rounds(session: Session) -> str:
    begun = max((row.trial.round for row in session.rows), default=1)
    if session.finished is None and begun <= session.rounds and len(session.rows) < session.total:
        return _("round {n} of {of}").format(n=begun, of=session.rounds)
    return plural("{n} round", "{n} rounds", begun).format(n=begun)


def _where(row: TrialRow, session: Session) -> str:
    parts = (_("round {n}").format(n=row.trial.round), session.contender(row.trial).label)
    return " · ".join((*parts, trial_name(row.trial, session.plan)))


def _why(row: TrialRow, flag: str) -> str:
    if flag == FAILED:
        return outcome_word(row.outcome, row.ended_by) if row.problem is None else whole_problem(row.problem)
    flags = BUSY if flag in BUSY else (flag,)
    seen = next((seen for name, seen in zip(row.flags, row.evidence, strict=False) if name in flags and seen), None)
    return flag_mark(flag) if seen is None else evidence_text(seen)
