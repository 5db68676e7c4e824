"""Verdicts on decode speed as sentences. ``core.verdict`` alone decides which verdict a pair of models gets."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmtui.core.conditions import Condition
from llmtui.core.interval import MIN_ROUNDS
from llmtui.core.not_counted import not_counted
from llmtui.core.session import Session
from llmtui.core.steadiness import Drift, drift
from llmtui.core.verdict import SpeedVerdict
from llmtui.words import _, plural
from llmtui.words.figures import duration, significant
from llmtui.words.flags import conditions_clause
from llmtui.words.ratios import factor, factor_range
from llmtui.words.reasons import reason

CLOSE = 1.10
"""A pair that is not settled is called "too close to tell yet" only if its ratio is below this."""


def verdict_word(word: str, ratio: float | None = None) -> str:
    """Return a verdict in one to five words, for a table cell; an unknown code is returned unchanged.

    Args:
        word: a code of core.verdict, such as ``too_close``.
        ratio: speed ratio of the pair; a pair that is too close but has 1.10 or more is called "not settled yet".
    """
    if word == "too_close" and ratio is not None and ratio >= CLOSE:
        return _("not settled yet")
    return {
        "faster": _("faster"),
        "slower": _("slower"),
        "slightly_faster": _("slightly faster"),
        "seems_faster": _("seems faster"),
        "practically_equal": _("practically equal"),
        "ahead": _("ahead"),
        "leads_in_this_round": _("leads in this round"),
        "too_close": _("too close to tell yet"),
        "too_few_rounds": _("too few rounds to tell"),
        "too_few_prompts": _("too few prompts to tell"),
        "no_verdict": _("no verdict"),
    }.get(word, word)


def verdict_sentence(verdict: SpeedVerdict, session: Session, *, round_s: float | None = None) -> str:
    """Return one pair's verdict on decode speed, with ratio, interval, number of rounds and conditions.

    Args:
        verdict: the verdict of core.verdict.
        session: the session, for the names of its models.
        round_s: duration of one more round in seconds, if known.
    """
    first, second = (session.plan.contenders[index].label for index in (verdict.first, verdict.second))
    names = {"first": first, "second": second, "ratio": "", "range": "", "base": base_words(verdict)}
    if verdict.ratio is not None:
        names["ratio"] = factor(verdict.ratio)
    if verdict.low is not None and verdict.high is not None:
        names["range"] = factor_range(verdict.low, verdict.high)
    said = [_sentence_of(verdict, names)]
    if verdict.is_open and verdict.word != "no_verdict":
        said.append(price(verdict, round_s))
    if verdict.conditions:
        said.append(under_conditions(verdict.conditions))
    return " ".join(said)


def under_conditions(conditions: Sequence[Condition]) -> str:
    """Return sentences on conditions: first those that lasted, then each other one with the number of its trials."""
    said: list[str] = []
    lasting = [one.flag for one in conditions if one.lasting]
    if lasting:
        said.append(_("Under these conditions: {conditions}.").format(conditions=conditions_clause(lasting)))
    said += [
        _("In {n} of {of} trials: {condition}.").format(n=one.rows, of=one.of, condition=conditions_clause((one.flag,)))
        for one in conditions
        if not one.lasting
    ]
    return " ".join(said)


def price(verdict: SpeedVerdict, round_s: float | None) -> str:
    """Return a sentence on how many more rounds may settle a pair: ``To settle it: about 3 more rounds, …``."""
    if verdict.unit != "round":
        return _("An imported file cannot be given more rounds.")
    if verdict.more_rounds is None:
        return _("To settle it: many more rounds, if it can be settled at all.")
    rounds = plural("{n} more round", "{n} more rounds", verdict.more_rounds).format(n=verdict.more_rounds)
    if verdict.rounds < MIN_ROUNDS:
        said = plural("{rounds} until there is an interval", "{rounds} until there is an interval", verdict.more_rounds)
        sentence = said.format(rounds=rounds)
    else:
        sentence = _("To settle it: about {rounds}, perhaps twice that").format(rounds=rounds)
    time = "" if round_s is None else f" ({duration(round_s * verdict.more_rounds)})"
    return f"{sentence}{time}."


def drift_sentence(session: Session) -> str:
    """Return the warning that the machine's speed changed during the session; empty if it did not."""
    found: Drift | None = drift(session)
    if found is None:
        return ""
    share = significant(100 * abs(found.share), 2)
    if not found.of_the_machine:
        slower = _("Later trials were {share} % slower than earlier ones.")
        faster = _("Later trials were {share} % faster than earlier ones.")
        return (slower if found.share > 0 else faster).format(share=share)
    slowed = _("The machine slowed by {share} % during the session.")
    sped_up = _("The machine sped up by {share} % during the session.")
    said = (slowed if found.share > 0 else sped_up).format(share=share)
    if found.contenders > 1:
        said += " " + _(
            "The comparison allows for that because the models took turns; each model's own figures do not."
        )
    return said


def busy_sentence(session: Session) -> str:
    """Return the warning that the session was measured on a busy machine; empty if it was not."""
    found = not_counted(session)
    if not found.busy_lasts:
        return ""
    return _("Measured on a busy machine: other programs were busy in {n} of {of} trials.").format(
        n=found.busy, of=found.warm
    )


def banners(session: Session) -> tuple[str, ...]:
    """Return the warnings above the conclusions: for a busy machine, and for a machine whose speed changed."""
    return tuple(said for said in (busy_sentence(session), drift_sentence(session)) if said)


def open_pairs(found: Sequence[SpeedVerdict]) -> tuple[SpeedVerdict, ...]:
    """Return the pairs that more rounds may settle; the pair that needs the fewest rounds comes first."""
    pairs = [one for one in found if one.is_open and one.word != "no_verdict" and one.unit == "round"]
    return tuple(sorted(pairs, key=lambda one: math.inf if one.more_rounds is None else one.more_rounds))


def base_words(verdict: SpeedVerdict) -> str:
    """Return the number of observations of a verdict: ``3 rounds``, ``4 categories``."""
    if verdict.unit == "category":
        return plural("{n} category", "{n} categories", verdict.rounds).format(n=verdict.rounds)
    if verdict.unit == "run":
        return plural("{n} repetition", "{n} repetitions", verdict.rounds).format(n=verdict.rounds)
    return plural("{n} round", "{n} rounds", verdict.rounds).format(n=verdict.rounds)


def _sentence_of(verdict: SpeedVerdict, names: dict[str, str]) -> str:
    if verdict.word == "no_verdict":
        return _("{first} and {second}: no verdict: {why}.").format(
            **{**names, "why": reason(verdict.why or "no_common_rows")}
        )
    lead = "" if verdict.smallest_lead is None else factor(verdict.smallest_lead)
    if verdict.word == "too_close" and (verdict.ratio or 1.0) >= CLOSE:
        words = _("{first} measured {ratio} times as fast as {second}: not settled yet ({range}, {base}).")
        return words.format(**names)
    return {
        "faster": _("{first} is faster than {second}: {ratio} times as fast ({range}, {base})."),
        "slightly_faster": _("{first} is slightly faster than {second}: {ratio} times as fast ({range}, {base})."),
        "seems_faster": _(
            "{first} seems faster than {second}: {ratio} times as fast ({range}, {base}); chance alone shows this "
            "in up to 5 of 100 sessions."
        ),
        "practically_equal": _("{first} and {second} are practically equally fast: {ratio} ({range}, {base})."),
        "ahead": _("{first} is ahead of {second}: at least {lead} times as fast on every prompt, in {base}."),
        "leads_in_this_round": _(
            "{first} leads {second} in this round: at least {lead} times as fast on every prompt. One round cannot "
            "separate a slow moment from a slow model; run another."
        ),
        "too_close": _("{first} and {second}: too close to tell yet, {ratio} times as fast ({range}, {base})."),
        "too_few_rounds": _("{first} and {second}: too few rounds to tell ({ratio} times as fast in {base})."),
        "too_few_prompts": _("{first} and {second}: too few prompts to tell ({ratio} times as fast in {base})."),
    }[verdict.word].format(**names, lead=lead)
