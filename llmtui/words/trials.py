"""What screens and reports call a test: its kind, its category, how it ended."""

from __future__ import annotations

from llmtui.core.plan import DEMO_NOTE, SPEED_NOTE, Kind, Plan, Trial
from llmtui.words import _


def kind_words(kind: Kind) -> str:
    """Gives the kind of a test as people say it."""
    return {"cold": _("cold start"), "warm": _("trial"), "follow_up": _("follow-up")}[kind]


def note_words(note: str) -> str:
    """Return what is worth knowing about a model beside its name; one of another version as it is."""
    return {DEMO_NOTE: _("built-in demo"), SPEED_NOTE: _("speed only, text is noise")}.get(note, note)


def category_words(category: str) -> str:
    """Gives a category's name; the pack's own categories are translated, others are shown as they are called."""
    known = {
        "creativity": _("Creativity"),
        "reasoning": _("Reasoning"),
        "coding": _("Coding"),
        "summary": _("Summary"),
        "free": _("Own prompt"),
    }
    return known.get(category, category)


def trial_name(trial: Trial, plan: Plan) -> str:
    """Gives what a test is about: its category, that it is a start or a follow-up, or both."""
    if trial.prompt is None:
        return kind_words(trial.kind)
    category = category_words(plan.prompts[trial.prompt].category)
    return category if trial.kind == "warm" else f"{kind_words(trial.kind)}: {category}"


def ended_words(ended_by: str | None) -> str | None:
    """Gives what ended an answer; None where that is not known."""
    known = {"stop": _("by the model"), "length": _("at the length limit"), "other": _("for another reason")}
    return None if ended_by is None else known.get(ended_by)
