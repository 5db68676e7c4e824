"""How a test ended, in a word or two and in a sentence."""

from __future__ import annotations

from llmtui.words import _


def outcome_word(outcome: str, ended_by: str | None = None) -> str:
    """Gives a word for a table's cell: ``complete``, ``complete (at the limit)``, ``only thinking``.

    Args:
        outcome: of core.facts.Outcome; one of a newer version is given as it is.
        ended_by: ``length`` where the cap on tokens ended the answer.
    """
    if outcome == "ok" and ended_by == "length":
        return _("complete (at the limit)")
    return _word_of().get(outcome, outcome)


def outcome_sentence(outcome: str, ended_by: str | None = None) -> str:
    """Gives what the outcome means, for the row's details."""
    if outcome == "ok" and ended_by == "length":
        return _("The answer reached the limit of tokens that was asked for, as planned.")
    if outcome == "ok" and ended_by == "stop":
        return _("The answer ended by itself.")
    return _sentence_of().get(outcome, outcome)


def _word_of() -> dict[str, str]:
    return {
        "ok": _("complete"),
        "no_final": _("no last line"),
        "thinking_only": _("only thinking"),
        "empty": _("no text"),
        "error": _("failed"),
        "stalled": _("went silent"),
        "cancelled": _("stopped"),
        "skipped": _("skipped"),
    }


def _sentence_of() -> dict[str, str]:
    return {
        "ok": _("The answer came to its end."),
        "no_final": _("The text stopped without the server's last line: its tokens were not counted."),
        "thinking_only": _("The model thought and then stopped without an answer."),
        "empty": _("The model stopped without any text."),
        "error": _("The server reported an error or the connection broke."),
        "stalled": _("Nothing came for so long that the test was given up."),
        "cancelled": _("The test was stopped while it ran."),
        "skipped": _("The test was skipped."),
    }
