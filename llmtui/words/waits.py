"""Verdicts on waiting times as sentences. ``core.waits`` alone decides which verdict a pair of models gets."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.session import Session
from llmtui.core.waits import WaitFigure, WaitVerdict
from llmtui.words import _, plural
from llmtui.words.figures import seconds
from llmtui.words.ratios import factor, factor_range
from llmtui.words.verdicts import CLOSE


def wait_title(figure: WaitFigure) -> str:
    """Return the name of the compared waiting time, for the beginning of a sentence."""
    return {
        "ttft_ms": _("TTFT"),
        "ttfo_ms": _("TTFO"),
        "cold_ttft_ms": _("Cold start"),
        "follow_up_ttft_ms": _("Follow-up"),
        "cold_answer_ms": _("Cold start and answer"),
    }[figure]


def wait_sentence(verdict: WaitVerdict, session: Session, figure: WaitFigure) -> str:
    """Return one pair's verdict on a waiting time; empty if the pair has no verdict or fewer than three rounds."""
    patterns = {
        "sooner": _(
            "{what}: {first} responds sooner than {second}, which takes {ratio} times as long ({range}, {base})."
        ),
        "seems_sooner": _(
            "{what}: {first} seems to respond sooner than {second}, which takes {ratio} times as long ({range}, "
            "{base}); chance alone shows this in up to 5 of 100 sessions."
        ),
        "equal": _("{what}: {first} and {second} are practically equal: {ratio} ({range}, {base})."),
        "no_noticeable_difference": _("{what}: no noticeable difference between {first} and {second} ({difference})."),
        "too_close": _("{what}: {first} and {second} are too close to tell yet: {ratio} ({range}, {base})."),
    }
    pattern = patterns.get(verdict.word, "")
    if verdict.word == "too_close" and (verdict.ratio or 1.0) >= CLOSE:
        pattern = _("{what}: {first} and {second}, not settled yet: {ratio} ({range}, {base}).")
    known = verdict.low is not None and verdict.high is not None
    return pattern.format(
        what=wait_title(figure),
        first=session.plan.contenders[verdict.first].label,
        second=session.plan.contenders[verdict.second].label,
        ratio="" if verdict.ratio is None else factor(verdict.ratio),
        range=factor_range(verdict.low or 0.0, verdict.high or 0.0) if known else "",
        base=plural("{n} round", "{n} rounds", verdict.rounds).format(n=verdict.rounds),
        difference=seconds(abs(verdict.difference_ms or 0.0)),
    )


def wait_sentences(found: Sequence[WaitVerdict], session: Session, figure: WaitFigure, most: int) -> tuple[str, ...]:
    """Return the sentences of all pairs, at most ``most``.

    If several pairs are judged and none differs noticeably, return one sentence for all of them.
    """
    judged = [one for one in found if one.word not in ("no_verdict", "too_few_rounds")]
    if len(judged) > 1 and all(one.word == "no_noticeable_difference" for one in judged):
        return (_("{what}: no noticeable difference (under 50 ms).").format(what=wait_title(figure)),)
    order = ("sooner", "seems_sooner", "too_close", "equal", "no_noticeable_difference")
    told = sorted(judged, key=lambda one: order.index(one.word))
    return tuple(wait_sentence(one, session, figure) for one in told[:most])
