"""Why a figure is missing: a clause for each code of core.metrics, core.summary, core.conclusions and core.across."""

from __future__ import annotations

from llmtui.words import _
from llmtui.words.outcomes import outcome_word

_OUTCOME = "outcome_"


def reason(code: str, *, num_predict: int | None = None) -> str:
    """Gives the reason as a clause without a full stop; a code of a newer version is given as it is.

    Args:
        code: from ``why``.
        num_predict: the test's cap on tokens, where it is known: it is named where it was what stood in the way.
    """
    if code.startswith(_OUTCOME):
        return _("its trials ended otherwise: {how}").format(how=outcome_word(code.removeprefix(_OUTCOME)))
    if code == "still_thinking" and num_predict is not None:
        return _("still thinking after {n} tokens").format(n=num_predict)
    return _clauses().get(code, code)


def known_codes() -> tuple[str, ...]:
    """Gives all codes that have a clause."""
    return tuple(_clauses())


def _clauses() -> dict[str, str]:
    return {
        "nothing_sent": _("the prompt was never sent"),
        "no_text": _("no text came"),
        "no_answer": _("no answer came"),
        "still_thinking": _("still thinking when the limit of tokens was reached"),
        "not_finished": _("the answer did not end"),
        "no_count": _("the server did not count its tokens"),
        "not_a_number": _("the server's count is not a number"),
        "zero": _("the server counted 0"),
        "cap_ignored": _("more tokens came than were allowed"),
        "impossible": _("the figure cannot be right"),
        "coarse_stamps": _("the server's times are too coarse"),
        "clocks_apart": _("the server's clock is set otherwise"),
        "counts_disagree": _("the server's counts disagree with their total"),
        "buffered": _("the answer did not come as a stream"),
        "unseen_text": _("part of the text came in a field that is not known"),
        "too_short": _("the text is too short"),
        "too_short_to_compare": _("the answers are too short to compare speeds (under 64 tokens)"),
        "all_at_once": _("the whole text came at once"),
        "no_words": _("the text is not made of words with spaces between them"),
        "cache_unknown": _("the server does not say how much it remembered"),
        "cached": _("the server had read this prompt before"),
        "not_local": _("the server is not on this machine"),
        "few_pieces": _("the text came in too few chunks"),
        "not_recorded": _("it was not recorded"),
        "not_yet": _("nothing is measured yet"),
        "disturbed": _("too many trials were disturbed"),
        "needs_3_rounds": _("it takes 3 rounds"),
        "needs_rounds": _("it takes 2 rounds in each session"),
        "not_visible": _("the model's process cannot be seen from here"),
        "one_model": _("there is one model only"),
        "nothing_known": _("nothing is known that could tell them apart"),
        "no_earlier": _("this plan has not run before"),
        "all_counted": _("every trial counts"),
        "no_common_rows": _("there is no prompt that both answered at length"),
        "few_pairs": _("fewer than half of the prompts can be compared in any round"),
        "not_there_before": _("it was not in the earlier session"),
        "no_common_prompts": _("the prompts were others"),
        "several_differences": _("more than one thing differs between the sessions"),
        "not_measured": _("it was not measured in both sessions"),
        "one_per_session": _("a session has one such value"),
        "other_trials": _("it was measured in other kinds of trials"),
        "not_rounds": _("an imported file has no rounds"),
        "day_noise_unknown": _("how much this machine changes from day to day is not known yet"),
    }


def cannot_be_told(code: str) -> str:
    """Gives the sentence that stands for a conclusion."""
    return _("Cannot be told: {why}.").format(why=reason(code))
