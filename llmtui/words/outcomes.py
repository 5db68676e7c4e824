"""The outcome of a trial, such as complete or failed, as a word or as a sentence."""

from __future__ import annotations

from llmtui.words import _


def outcome_word(outcome: str, ended_by: str | None = None) -> str:
    """Return the outcome in one to three words, for a table cell: ``complete``, ``only thinking``.

    Args:
        outcome: a ``core.records.Outcome``; an unknown one is returned unchanged.
        ended_by: why the answer ended; ``length`` if it reached the limit on tokens.
    """
    if outcome == "ok" and ended_by == "length":
        return _("complete (length limit)")
    return _word_of().get(outcome, outcome)


def outcome_sentence(outcome: str, ended_by: str | None = None) -> str:
    """Return a sentence on what an outcome means, for the trial's details; an unknown outcome is returned unchanged."""
    if outcome == "ok" and ended_by == "length":
        return _("The answer reached the maximum length, as planned.")
    if outcome == "ok" and ended_by == "stop":
        return _("The model ended the answer itself.")
    return _sentence_of().get(outcome, outcome)


def _word_of() -> dict[str, str]:
    return {
        "ok": _("complete"),
        "no_final": _("incomplete"),
        "thinking_only": _("only thinking"),
        "empty": _("no text"),
        "error": _("failed"),
        "stalled": _("went silent"),
        "cancelled": _("stopped"),
        "skipped": _("skipped"),
    }


def _sentence_of() -> dict[str, str]:
    return {
        "ok": _("The answer is complete."),
        "no_final": _("The text ended without the server's final message, so the tokens were not counted."),
        "thinking_only": _("The model thought and then stopped without an answer."),
        "empty": _("The model stopped without writing any text."),
        "error": _("The server reported an error, or the connection was lost."),
        "stalled": _("No data arrived for too long, so the trial was abandoned."),
        "cancelled": _("The trial was stopped before it ended."),
        "skipped": _("The trial was skipped."),
    }
