"""A saved session in a few words: when it began, how it ended, and which model is the fastest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from llmtui.core.pairs import PairVerdict
from llmtui.words import _
from llmtui.words.ratios import factor
from llmtui.words.verdicts import verdict_word

_MARKS = {
    "faster": "●", "slightly_faster": "●", "ahead": "◐", "seems_faster": "◐", "leads_in_this_round": "◐",
    "practically_equal": "=",
}  # fmt: skip


def verdict_cell(verdict: PairVerdict | None, models: Sequence[str]) -> str:
    """Return a mark, and the faster model with the ratio to the next: ``● qwen3:4b 1.69×``.

    If no model is faster, return the mark and the verdict in words. Empty if there is no verdict.
    """
    if verdict is None:
        return ""
    mark = _MARKS.get(verdict.word, "○")
    if mark in "●◐" and verdict.ratio is not None:
        return f"{mark} {models[verdict.first]} {factor(verdict.ratio)}×"
    return f"{mark} {verdict_word(verdict.word, verdict.ratio)}"


def start_words(wall_ns: int) -> str:
    """Return when a session began, in local time: ``26 Nov 10:38``, with the year if it is not the current one.

    Args:
        wall_ns: nanoseconds since 1970 UTC; 0 if the time is not known.
    """
    if not wall_ns:
        return ""
    began = datetime.fromtimestamp(wall_ns / 1e9).astimezone()
    day = f"{began.day} {_month(began.month)}"
    if began.year != datetime.now().astimezone().year:
        day += f" {began.year}"
    return f"{day} {began:%H:%M}"


def state_words(finished: str | None, *, running: bool, ok: int, trials: int) -> tuple[str, str]:
    """Return a mark and the words for the state of a session.

    Args:
        finished: how the session ended, as in ``core.events.SessionFinished``; None if it did not end.
        running: whether its journal is still being written.
        ok: number of trials with a complete answer.
        trials: number of finished trials.
    """
    if running:
        return "▶", _("running")
    if trials and not ok:
        return "✗", _("no answers")
    return {
        "complete": ("✓", _("complete")),
        "cancelled": ("◐", _("stopped early")),
        "failed": ("✗", _("failed")),
        None: ("◐", _("interrupted")),
    }.get(finished, ("?", str(finished)))


def _month(number: int) -> str:
    names = (
        _("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun"),
        _("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec"),
    )  # fmt: skip
    return names[number - 1]
