"""Why a figure or a conclusion is missing: a short text for each reason code of the modules in ``core``."""

from __future__ import annotations

from llmtui.words import _
from llmtui.words.outcomes import outcome_word

_OUTCOME = "outcome_"


def reason(code: str, *, num_predict: int | None = None) -> str:
    """Return a reason as text without a full stop; an unknown code is returned unchanged.

    Args:
        code: the reason code, such as ``no_text``.
        num_predict: the trial's limit on tokens, if known; the text states it if thinking reached the limit.
    """
    if code.startswith(_OUTCOME):
        return _("no complete trial ({how})").format(how=outcome_word(code.removeprefix(_OUTCOME)))
    if code == "still_thinking" and num_predict is not None:
        return _("still thinking after {n} tokens").format(n=num_predict)
    return _clauses().get(code, code)


def known_codes() -> tuple[str, ...]:
    """Return all reason codes that have a text."""
    return tuple(_clauses())


def _clauses() -> dict[str, str]:
    return {
        "nothing_sent": _("the prompt was never sent"),
        "no_text": _("no text arrived"),
        "no_answer": _("no answer arrived"),
        "still_thinking": _("still thinking at the length limit"),
        "not_finished": _("the answer was not completed"),
        "no_count": _("the server sent no token count"),
        "not_a_number": _("the server's count is not a number"),
        "zero": _("the server reported 0"),
        "cap_ignored": _("more tokens arrived than allowed"),
        "impossible": _("the figure is impossible"),
        "coarse_stamps": _("the server's timestamps are too coarse"),
        "clocks_apart": _("the server's clock does not agree with this machine's"),
        "counts_disagree": _("the server's counts disagree with their total"),
        "buffered": _("the answer was not streamed"),
        "unseen_text": _("part of the text arrived in an unknown field"),
        "too_short": _("the text is too short"),
        "too_short_to_compare": _("the answers are too short to compare speeds (under 64 tokens)"),
        "all_at_once": _("the whole text arrived at once"),
        "no_words": _("the text has no spaces between words"),
        "cache_unknown": _("the server does not report its prompt cache"),
        "cached": _("the server had this prompt in its cache"),
        "not_local": _("the server is not on this machine"),
        "few_pieces": _("the text arrived in too few chunks"),
        "not_recorded": _("it was not recorded"),
        "not_yet": _("nothing is measured yet"),
        "disturbed": _("too many trials were disturbed"),
        "needs_3_rounds": _("needs 3 rounds"),
        "needs_rounds": _("needs 2 rounds in each session"),
        "not_visible": _("the model's process cannot be seen from here"),
        "one_model": _("there is only one model"),
        "nothing_known": _("there is no figure to compare them by"),
        "no_earlier": _("this plan has not run before"),
        "all_counted": _("every trial counts"),
        "no_common_rows": _("no prompt got a long enough answer from both"),
        "few_pairs": _("fewer than half of the prompts can be compared in any round"),
        "not_there_before": _("it was not in the earlier session"),
        "no_common_prompts": _("the prompts differ"),
        "several_differences": _("more than one thing differs between the sessions"),
        "not_measured": _("it was not measured in both sessions"),
        "one_per_session": _("only one value per session"),
        "other_trials": _("it was measured in other kinds of trials"),
        "not_rounds": _("an imported file has no rounds"),
        "day_noise_unknown": _("the day-to-day variation of this machine is not known yet"),
    }


def not_available(code: str) -> str:
    """Return the sentence shown instead of a conclusion: ``Not available: …``."""
    return _("Not available: {why}.").format(why=reason(code))
