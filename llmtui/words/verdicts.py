"""Verdicts in sentences. Every ordering word stands here, and only core.verdict decides which one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llmtui.core.session import Session
from llmtui.core.verdict import Drift, TtftVerdict, Verdict, drift
from llmtui.words import _, plural
from llmtui.words.figures import duration, seconds, significant
from llmtui.words.flags import conditions_clause
from llmtui.words.reasons import reason


def verdict_word(word: str) -> str:
    """Gives the verdict in a table's cell; one of a newer version is given as it is."""
    return {
        "faster": _("faster"),
        "slower": _("slower"),
        "slightly_faster": _("slightly faster"),
        "practically_equal": _("practically equal"),
        "ahead": _("ahead"),
        "too_close": _("too close to call in one round"),
        "too_few_prompts": _("too few questions to tell"),
        "not_resolved": _("not told apart yet"),
        "no_verdict": _("no verdict"),
    }.get(word, word)


def verdict_sentence(verdict: Verdict, session: Session, *, round_s: float | None = None) -> str:
    """Gives one pair's verdict on writing speed, with ratio, interval, what it rests on and its conditions.

    Args:
        verdict: of core.verdict.
        session: for the names.
        round_s: seconds that one more round takes, where that is known.
    """
    first, second = (session.plan.contenders[index].label for index in (verdict.first, verdict.second))
    names = {"first": first, "second": second, "ratio": "", "range": "", "base": _base(verdict)}
    if verdict.ratio is not None:
        names["ratio"] = factor(verdict.ratio)
    if verdict.low is not None and verdict.high is not None:
        names["range"] = f"{factor(verdict.low)}–{factor(verdict.high)}"
    said = _sentence_of(verdict, names)
    if verdict.word == "not_resolved":
        said += " " + price(verdict, round_s)
    if verdict.conditions:
        said += " " + under_conditions(verdict.conditions)
    return said


def under_conditions(flags: Sequence[str]) -> str:
    """Gives the sentence that names lasting conditions."""
    return _("Under these conditions: {conditions}.").format(conditions=conditions_clause(flags))


def price(verdict: Verdict, round_s: float | None) -> str:
    """Gives what it would take to tell two contenders apart: ``about 3 more rounds, 6 min``."""
    if verdict.unit != "round":
        return _("No more rounds can be added to a file.")
    if verdict.more_rounds is None:
        return _("It would take more than 20 more rounds.")
    rounds = plural("about {n} more round", "about {n} more rounds", verdict.more_rounds).format(n=verdict.more_rounds)
    if round_s is None:
        return _("To tell: {rounds}.").format(rounds=rounds)
    return _("To tell: {rounds}, {time}.").format(rounds=rounds, time=duration(round_s * verdict.more_rounds))


def ttft_sentence(verdict: TtftVerdict, session: Session) -> str:
    """Gives one pair's verdict on the first word."""
    first, second = (session.plan.contenders[index].label for index in (verdict.first, verdict.second))
    pattern = {
        "sooner": _("{first} starts sooner than {second}, by {difference}."),
        "equal": _("{first} and {second} start practically at the same time."),
        "not_told_apart": _("{first} and {second}: not told apart yet."),
    }.get(verdict.word, _("{first} and {second}: nothing to compare."))
    return pattern.format(first=first, second=second, difference=seconds(verdict.difference_ms))


def drift_sentence(session: Session) -> str:
    """Gives the banner for a machine that changed its speed; empty where it did not."""
    found: Drift | None = drift(session)
    if found is None:
        return ""
    share = significant(100 * abs(found.share), 2)
    if found.share > 0:
        return _(
            "The machine slowed by {share} % during the session. The comparison allows for it, since the models took "
            "turns; the figures by themselves do not."
        ).format(share=share)
    return _(
        "The machine became {share} % faster during the session. The comparison allows for it, since the models took "
        "turns; the figures by themselves do not."
    ).format(share=share)


def open_pairs(found: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Gives the pairs that more rounds would tell apart, the cheapest first."""
    pairs = [one for one in found if one.word == "not_resolved" and one.unit == "round"]
    return tuple(sorted(pairs, key=lambda one: math.inf if one.more_rounds is None else one.more_rounds))


def factor(ratio: float) -> str:
    """Return a ratio with three decimals below 1.10, where two would hide on which side of 1 it is, else with two."""
    if ratio < 1.10:
        return f"{ratio:.3f}"
    return f"{ratio:.2f}" if ratio < 10 else significant(ratio)


def _base(verdict: Verdict) -> str:
    if verdict.unit == "category":
        return plural("{n} category", "{n} categories", verdict.rounds).format(n=verdict.rounds)
    if verdict.unit == "run":
        return plural("{n} repetition", "{n} repetitions", verdict.rounds).format(n=verdict.rounds)
    return plural("{n} round", "{n} rounds", verdict.rounds).format(n=verdict.rounds)


def _sentence_of(verdict: Verdict, names: dict[str, str]) -> str:
    if verdict.word == "no_verdict":
        return _("{first} and {second}: no verdict, {why}.").format(
            **{**names, "why": reason(verdict.why or "no_common_rows")}
        )
    if verdict.word == "ahead":
        assert verdict.smallest_lead is not None, "a lead has a size"
        return _("{first} is ahead of {second}: at least {lead} times as fast on every question, in {base}.").format(
            **names, lead=factor(verdict.smallest_lead)
        )
    return {
        "faster": _("{first} writes faster than {second}: {ratio} times as fast ({range}, {base})."),
        "slightly_faster": _("{first} writes slightly faster than {second}: {ratio} times as fast ({range}, {base})."),
        "practically_equal": _("{first} and {second} write practically equally fast: {ratio} ({range}, {base})."),
        "too_close": _("{first} and {second}: too close to call in {base} ({ratio} times as fast)."),
        "too_few_prompts": _("{first} and {second}: too few questions to tell ({ratio} times as fast in {base})."),
        "not_resolved": _("{first} and {second}: not told apart yet, {ratio} times as fast ({range}, {base})."),
    }[verdict.word].format(**names)
