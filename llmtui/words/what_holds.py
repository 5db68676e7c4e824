"""Texts of the findings at the top of the results, such as the fastest model, and of the evidence for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from llmtui.core.not_counted import not_counted
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, Word
from llmtui.core.waits import WaitVerdict, WaitWord
from llmtui.core.what_holds import Holding, Mark, Topic
from llmtui.words import _, plural
from llmtui.words.figures import gigabytes, percent, seconds
from llmtui.words.more_rounds import rounds_price
from llmtui.words.not_counted import not_counted_sentences
from llmtui.words.ratios import factor, factor_range
from llmtui.words.reasons import reason
from llmtui.words.verdicts import base_words, verdict_sentence, verdict_word
from llmtui.words.waits import wait_sentence

SIGNS: Final[Mapping[Mark, str]] = {"told": "●", "ahead": "◐", "equal": "=", "open": "○"}


class HoldingWords(NamedTuple):
    """One finding as text, in parts; a missing part is empty."""

    sign: str
    topic: str
    subject: str
    word: str
    claim: str
    interval: str
    base: str
    price: str

    @property
    def said(self) -> str:
        """All parts in one line."""
        return "  ".join(part for part in self if part)

    @property
    def after_topic(self) -> str:
        """All parts after the topic, in one line."""
        return " · ".join(part for part in self[2:] if part)


def holding_words(one: Holding, session: Session, names: Mapping[str, str], *, key: str = "") -> HoldingWords:
    """Return a finding as text, in parts.

    Args:
        one: a finding of core.what_holds.
        session: the session it is about.
        names: contender's label → the form to show, for example a shortened one.
        key: the key that starts further rounds; empty if none can be run.
    """
    label = {
        index: names.get(contender.label, contender.label) for index, contender in enumerate(session.plan.contenders)
    }
    leaders = [label[index] for index in one.leaders]
    other = "" if one.other is None else label[one.other]
    is_open = one.mark == "open"
    return HoldingWords(
        sign=SIGNS[one.mark],
        topic=_topic(one.topic),
        subject="" if is_open else " = ".join(leaders),
        word=_word(one),
        claim=_claim(one, leaders[0], other),
        interval=_interval(one.verdict),
        base=_base(one),
        price=_price(one, session, key),
    )


def evidence_lines(one: Holding, session: Session) -> tuple[str, ...]:
    """Return the evidence for a finding: the verdict in a sentence, its formula, and what was left out."""
    said: list[str] = []
    if isinstance(one.verdict, SpeedVerdict):
        said += [verdict_sentence(one.verdict, session), _speed_formula()]
    elif isinstance(one.verdict, WaitVerdict):
        said += [wait_sentence(one.verdict, session, "ttft_ms"), _wait_formula()]
    elif one.topic == "smallest":
        said.append(
            _("Peak of RAM plus GPU memory, from the same source for all models. Within 3 % no model is named.")
        )
    elif one.topic == "steadiest":
        said.append(
            _("Standard deviation of the speed for the same prompt across rounds. F test at 1 %, Holm-corrected.")
        )
    uncounted = not_counted(session)
    left_out = [] if uncounted.why else [text for text in not_counted_sentences(uncounted, session) if text]
    if one.verdict is not None and left_out:
        said.append(_("Left out: {excluded}").format(excluded=" ".join(left_out)))
    return tuple(text for text in said if text)


def _topic(topic: Topic) -> str:
    return {
        "fastest": _("fastest"),
        "most_text": _("most text"),
        "soonest": _("soonest"),
        "smallest": _("smallest"),
        "steadiest": _("steadiest"),
        "open": _("open"),
    }[topic]


def pair_word(word: Word | WaitWord, ratio: float | None = None) -> str:
    """Return a verdict on speed or on a waiting time in a few words, for a table cell."""
    found = {
        "sooner": _("sooner"),
        "seems_sooner": _("seems sooner"),
        "equal": _("practically equal"),
        "no_noticeable_difference": _("no noticeable difference"),
    }.get(word)
    return found or verdict_word(word, ratio)


def _word(one: Holding) -> str:
    if one.verdict is None:
        return ""
    said = pair_word(one.verdict.word, one.verdict.ratio)
    if isinstance(one.verdict, SpeedVerdict) and one.verdict.word == "no_verdict":
        return f"{said}: {reason(one.verdict.why or 'no_common_rows')}"
    return said


def _claim(one: Holding, leader: str, other: str) -> str:
    verdict = one.verdict
    if verdict is None:
        values = [amount.value for amount in one.amounts]
        in_bytes = one.topic == "smallest"
        first, *rest = [gigabytes(round(value)) if in_bytes else f"± {percent(value)}" for value in values]
        return f"{first}, {other} {rest[0]}" if rest else first
    if verdict.ratio is None:
        ms = verdict.difference_ms if isinstance(verdict, WaitVerdict) else None
        return "" if ms is None else seconds(abs(ms))
    ratio = f"{factor(verdict.ratio)}×"
    if one.mark == "open":
        return f"{leader} {ratio} {other}"
    return ratio if one.mark == "equal" and len(one.leaders) > 1 else f"{ratio} {other}"


def _interval(verdict: SpeedVerdict | WaitVerdict | None) -> str:
    if verdict is None or verdict.low is None or verdict.high is None:
        return ""
    return f"[{factor_range(verdict.low, verdict.high)}]"


def _base(one: Holding) -> str:
    if one.verdict is None or not one.verdict.rounds:
        return ""
    if isinstance(one.verdict, SpeedVerdict):
        said = base_words(one.verdict)
    else:
        said = plural("{n} round", "{n} rounds", one.verdict.rounds).format(n=one.verdict.rounds)
    return said if one.is_of_all else f"{said}, {_('of those compared')}"


def _price(one: Holding, session: Session, key: str) -> str:
    if not key or one.more_rounds is None or (one.mark not in ("open", "ahead")):
        return ""
    return f"{key} {rounds_price(session, one.more_rounds)}"


def _speed_formula() -> str:
    return _(
        "One round is one observation: the log ratio of both models' speeds over the prompts that both answered. "
        "The 95 % interval holds for all pairs of this table together. “Faster” needs the whole interval beyond "
        "1.03."
    )


def _wait_formula() -> str:
    return _(
        "One round is one observation: the mean log ratio of both models' times over the prompts that both "
        "answered. The 95 % interval holds for all pairs together. “Sooner” needs the whole interval beyond 1.10 "
        "and medians at least 50 ms apart."
    )
