"""Names for the parts of a trial on screens and in reports: kind, category, reason for the end of its answer."""

from __future__ import annotations

from llmtui.core.plan import DEMO_NOTE, SPEED_NOTE, Kind, Plan, Trial
from llmtui.words import _


def kind_words(kind: Kind) -> str:
    """Return the name of a kind of trial: ``cold start``, ``trial`` or ``follow-up``."""
    return {"cold": _("cold start"), "warm": _("trial"), "follow_up": _("follow-up")}[kind]


def note_words(note: str) -> str:
    """Return the note shown beside a model's name, such as ``built-in demo``; an unknown note is returned unchanged."""
    return {DEMO_NOTE: _("built-in demo"), SPEED_NOTE: _("speed only, text is noise")}.get(note, note)


def category_words(category: str) -> str:
    """Return a category's name: translated if it is one of the program's own, else unchanged."""
    known = {
        "creativity": _("Creativity"),
        "reasoning": _("Reasoning"),
        "coding": _("Coding"),
        "summary": _("Summary"),
        "free": _("Your prompt"),
    }
    return known.get(category, category)


def trial_name(trial: Trial, plan: Plan) -> str:
    """Return a trial's name: its category, preceded by its kind if it is not warm, as in ``cold start: Coding``."""
    if trial.prompt is None:
        return kind_words(trial.kind)
    category = category_words(plan.prompts[trial.prompt].category)
    return category if trial.kind == "warm" else f"{kind_words(trial.kind)}: {category}"


def ended_words(ended_by: str | None) -> str | None:
    """Return the reason why an answer ended: ``by the model``; None if it is not known."""
    known = {"stop": _("by the model"), "length": _("at the length limit"), "other": _("for another reason")}
    return None if ended_by is None else known.get(ended_by)
