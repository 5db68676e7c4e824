"""The eight conclusions on a session as sentences, for the Results screen, ``llmtui run`` and every export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from llmtui.core.across import Earlier
from llmtui.core.conclusions import (
    Conclusion,
    FirstToken,
    MemoryUse,
    OverallSpeed,
    SinceLast,
    Stability,
    WhichForWhat,
    WritingSpeed,
    conclude,
)
from llmtui.core.findings import Amount
from llmtui.core.not_counted import NotCounted
from llmtui.core.pairing import is_imported
from llmtui.core.session import Session
from llmtui.core.uses import Recommendation
from llmtui.core.verdict import SpeedVerdict
from llmtui.core.waits import ANSWER_CHARS
from llmtui.words import _
from llmtui.words.audit import audit_lines
from llmtui.words.figures import percent, seconds, significant
from llmtui.words.lists import and_list, few, or_list
from llmtui.words.memory import memory_figures, most_memory
from llmtui.words.not_counted import not_counted_sentences
from llmtui.words.reasons import not_available, reason
from llmtui.words.since_last import since_last_sentence
from llmtui.words.verdicts import under_conditions, verdict_sentence
from llmtui.words.waits import wait_sentences

MOST_VERDICTS = 3
"""Maximum number of verdicts written out in one conclusion; the others are in the table."""


class ConclusionSentence(NamedTuple):
    """A conclusion as text, in three parts."""

    heading: str
    lead: str
    """The main finding in one sentence, such as which model is the fastest; empty if there is none."""
    figures: str
    """The figures that the conclusion is based on."""

    @property
    def said(self) -> str:
        """The lead and the figures, without the heading."""
        return f"{self.lead} {self.figures}".strip()


def sentences(session: Session, earlier: Earlier | None = None) -> tuple[str, ...]:
    """Return the conclusions, each with its heading: ``Writing speed: …``.

    Args:
        session: a finished or a running session.
        earlier: the previous session of the same plan, for the conclusion "Since last time".
    """
    return tuple(f"{line.heading}: {line.said}" for line in headed(session, earlier))


def headed(session: Session, earlier: Earlier | None = None) -> tuple[ConclusionSentence, ...]:
    """Return the conclusions in parts, for panels that show the heading and the text separately.

    A session of this program has eight conclusions. An imported file has its audit instead, because single trials in an
    unknown order cannot support them.
    """
    if is_imported(session.plan):
        return tuple(ConclusionSentence(claim, "", finding) for claim, finding in audit_lines(session))
    return tuple(_line(one, session) for one in conclude(session, earlier))


def telling(session: Session, earlier: Earlier | None = None) -> tuple[ConclusionSentence, ...]:
    """Return the conclusions that say something about this session, for readers rather than programs.

    Left out are the choice among models if there is none or if any will do, the comparison with an earlier session if
    there is none, and the trials left out if all count.
    """
    if is_imported(session.plan):
        return headed(session, earlier)
    return tuple(_line(one, session) for one in conclude(session, earlier) if not _says_nothing(one))


def _says_nothing(conclusion: Conclusion) -> bool:
    match conclusion:
        case WhichForWhat(choices=choices, why=why):
            return why is not None or all(one.is_open and len(one.contenders) > 2 for one in choices)
        case SinceLast(comparison=None, why=why):
            return why in (None, "no_earlier")
        case NotCounted(why="all_counted"):
            return True
    return False


def heading(conclusion: Conclusion) -> str:
    """Return the heading of a conclusion, such as ``Writing speed``."""
    return {
        WritingSpeed: _("Decode speed"),
        FirstToken: _("TTFT and cold start"),
        Stability: _("Variation and cost"),
        MemoryUse: _("Memory"),
        WhichForWhat: _("Which model for what"),
        OverallSpeed: _("Usual formula"),
        SinceLast: _("Since last time"),
        NotCounted: _("Not counted"),
    }[type(conclusion)]


def _line(conclusion: Conclusion, session: Session) -> ConclusionSentence:
    lead: dict[type, Callable[..., str]] = {
        WritingSpeed: _fastest,
        FirstToken: _soonest,
        Stability: _steadiest,
        MemoryUse: most_memory,
    }
    say: dict[type, Callable[..., Iterable[str]]] = {
        WritingSpeed: _writing_speed,
        FirstToken: _first_word,
        Stability: _stability,
        MemoryUse: memory_figures,
        WhichForWhat: _which,
        OverallSpeed: _overall,
        SinceLast: _since_last,
        NotCounted: not_counted_sentences,
    }
    kind = type(conclusion)
    return ConclusionSentence(
        heading(conclusion),
        lead[kind](conclusion, session) if kind in lead else "",
        " ".join(said for said in say[kind](conclusion, session) if said),
    )


def _name(session: Session, index: int) -> str:
    return session.plan.contenders[index].label


def _each(session: Session, amounts: Sequence[Amount], show: Callable[[float], str]) -> str:
    return few([f"{_name(session, one.contender)} {show(one.value)}" for one in amounts])


# --- 1 writing speed ----------------------------------------------------------------------------------------------


def _writing_speed(line: WritingSpeed, session: Session) -> Iterable[str]:
    if line.tps:
        yield _speeds(line, session) + "."
        for verdict in _told(line):
            yield verdict_sentence(verdict, session, round_s=line.round_s)
        yield _text_or_tokens(line, session)
        if line.conditions:
            yield under_conditions(line.conditions)
    elif line.why is not None and not line.missing:
        yield not_available(line.why)
    for index, code in line.missing:
        yield _("{model}: speed not available: {why}.").format(
            model=_name(session, index), why=reason(code, num_predict=session.plan.options.num_predict)
        )


def _fastest(line: WritingSpeed, session: Session) -> str:
    if line.lead is None or len(line.tps) < 2:
        return ""
    names = [_name(session, index) for index in line.leaders]
    if line.lead == "open":
        if len(names) == len(line.tps):
            return _("No model is clearly the fastest yet.") if len(names) > 2 else ""
        return _("Not settled yet which is fastest: {models}.").format(models=or_list(names))
    whole, among = {
        "fastest": (_("{model} writes fastest."), _("Of those compared, {model} writes fastest.")),
        "ahead": (_("{model} is ahead."), _("Of those compared, {model} is ahead.")),
        "shared": (_("{model} share the lead."), _("Of those compared, {model} share the lead.")),
    }[line.lead]
    all_compared = len(line.compared) == len(session.plan.contenders)
    if line.more_text is not None and len(names) == 1:
        whole = _("{model} writes the most tokens per second, but {other} writes more text.")
        among = _("Of those compared, {model} writes the most tokens per second, but {other} writes more text.")
        return (whole if all_compared else among).format(model=names[0], other=_name(session, line.more_text))
    return (whole if all_compared else among).format(model=and_list(names))


def _speeds(line: WritingSpeed, session: Session) -> str:
    chars = {one.contender: one.value for one in line.cps}
    reading = {one.contender: one.value for one in line.reading_x}
    entries: list[str] = []
    for index, tps in line.tps:
        said = _("{model} {tps} tok/s").format(model=_name(session, index), tps=significant(tps))
        beside: list[str] = []
        if index in chars:
            beside.append(_("{cps} chars/s").format(cps=significant(chars[index])))
        if index in reading:
            beside.append(_("{x}× reading speed").format(x=significant(reading[index], 2)))
        if line.compared and index not in line.compared:
            beside.append(_("not compared"))
        entries.append(f"{said} ({', '.join(beside)})" if beside else said)
    return few(entries)


def _told(line: WritingSpeed) -> tuple[SpeedVerdict, ...]:
    """Return the verdicts to write out, ordered by speed and at most ``MOST_VERDICTS``.

    If there are more, only those between leading models, or between the first leader and another model, are considered.
    """
    rank = {one.contender: at for at, one in enumerate(line.tps)}
    lead = set(line.leaders) or set(rank)
    pairs = [one for one in line.verdicts if one.first in rank and one.second in rank]
    if len(pairs) <= MOST_VERDICTS:
        return tuple(sorted(pairs, key=lambda one: sorted((rank[one.first], rank[one.second]))))
    among = [one for one in pairs if {one.first, one.second} <= lead]
    behind = [one for one in pairs if line.leaders and one.first == line.leaders[0] and one.second not in lead]
    in_order = sorted([*among, *behind], key=lambda one: sorted((rank[one.first], rank[one.second])))
    return tuple(in_order[:MOST_VERDICTS])


def _text_or_tokens(line: WritingSpeed, session: Session) -> str:
    if line.more_text is None:
        return ""
    chars = {one.contender: one.value for one in line.cps}
    first = line.tps[0].contender
    return _("More tokens, less text: {first} writes {a} chars/s, {other} {b}.").format(
        first=_name(session, first),
        other=_name(session, line.more_text),
        a=significant(chars[first]),
        b=significant(chars[line.more_text]),
    )


# --- 2 TTFT and cold start ----------------------------------------------------------------------------------------


def _first_word(line: FirstToken, session: Session) -> Iterable[str]:
    if line.why is not None:
        yield not_available(line.why)
        return
    if line.ttft:
        yield _("TTFT once loaded: {times}.").format(times=_each(session, line.ttft, seconds))
        yield from wait_sentences(line.verdicts, session, "ttft_ms", MOST_VERDICTS)
    if line.ttfo:
        yield _("Time to first output token, after thinking (TTFO): {times}.").format(
            times=_each(session, line.ttfo, seconds)
        )
    if line.unanswered:
        yield _("Only thinking, no answer, within {n} tokens: {models}.").format(
            n=session.plan.options.num_predict, models=and_list([_name(session, index) for index in line.unanswered])
        )
    if line.cold:
        yield _("Cold start: {times}.").format(times=few(_starts(line, session)))
    if line.saving:
        saved = sorted(one.value for one in line.saving)
        low, high = seconds(saved[0]), seconds(saved[-1])
        about = low if low == high else _("{low} to {high}").format(low=low, high=high)
        words = _("Keeping a model loaded saves about {time} for each later cold start that it avoids.")
        yield words.format(time=about)


def _soonest(line: FirstToken, session: Session) -> str:
    if line.why is not None or len(line.leaders) != 1 or len(line.compared) < 2:
        return ""
    whole, among = _("{model} has the shortest TTFT."), _("Of those compared, {model} has the shortest TTFT.")
    all_compared = len(line.compared) == len(session.plan.contenders)
    return (whole if all_compared else among).format(model=_name(session, line.leaders[0]))


def _starts(line: FirstToken, session: Session) -> list[str]:
    loading = {one.contender: one.value for one in line.loading}
    again = {one.contender: one.value for one in line.later_cold}
    entries: list[str] = []
    for index, cold in line.cold:
        beside: list[str] = []
        if index in loading:
            beside.append(_("of which {time} loading").format(time=seconds(loading[index])))
        if index in again:
            beside.append(_("later {time}").format(time=seconds(again[index])))
        said = f"{_name(session, index)} {seconds(cold)}"
        entries.append(f"{said} ({', '.join(beside)})" if beside else said)
    return entries


# --- 3 variation and cost -----------------------------------------------------------------------------------------


def _stability(line: Stability, session: Session) -> Iterable[str]:
    if line.why is not None:
        yield _("Variation between rounds is not available: {why}.").format(why=reason(line.why))
    if line.spread:
        yield _("The same prompt varies between rounds by {spreads}.").format(
            spreads=_each(session, line.spread, lambda share: f"± {percent(share)}")
        )
    if line.pauses:
        yield _("Trials with a pause of more than a second: {counts}.").format(
            counts=_each(session, line.pauses, lambda count: f"{count:.0f}")
        )
    elif line.pauses_known:
        yield _("No pause lasted more than a second.")
    yield from _cost(line, session)


def _steadiest(line: Stability, session: Session) -> str:
    if line.steadiest is None:
        return ""
    return _("{model} is the steadiest.").format(model=_name(session, line.steadiest))


def _cost(line: Stability, session: Session) -> Iterable[str]:
    """Yield sentences on CPU time and energy per token, and on the delay and the CPU use of llmtui itself."""
    if line.cpu_s_per_token:
        yield _("CPU time per token: {times}.").format(
            times=_each(session, line.cpu_s_per_token, lambda over_s: seconds(1000 * over_s))
        )
    if line.joules_per_token:
        yield _("Energy per token: {amounts}.").format(
            amounts=_each(session, line.joules_per_token, lambda joules: f"{significant(joules, 2)} J")
        )
    if line.lag_ms is not None:
        lag = seconds(line.lag_ms)
        here = _("llmtui received chunks {lag} (median) after the server sent them.")
        elsewhere = _("llmtui received chunks {lag} late (median), not counting the network.")
        yield (elsewhere if line.lag_beyond_network else here).format(lag=lag)
    if line.llmtui_cores is not None:
        yield _("llmtui used {share} of a CPU core.").format(share=percent(line.llmtui_cores))


# --- 5 which for what ---------------------------------------------------------------------------------------------


def _which(line: WhichForWhat, session: Session) -> Iterable[str]:
    if line.why is not None:
        yield not_available(line.why)
        return
    for choice in line.choices:
        yield _suits(choice, session)
    yield _("Based on speed, waiting time and memory only; the quality of the answers was not judged.")


def _suits(choice: Recommendation, session: Session) -> str:
    """Return a sentence that names a use, such as long answers, and the models that suit it."""
    use = {
        "long_answers": _("Long answers (chars/s, up to {n} tokens)").format(n=session.plan.options.num_predict),
        "quick_questions": _("Quick answers (time to first output token)"),
        "rarely_used": _("Occasional use (cold start plus an answer of {n} characters)").format(n=ANSWER_CHARS),
        "little_memory": _("Low memory use (RAM and GPU memory)"),
    }[choice.occasion]
    names = or_list([_name(session, index) for index in choice.contenders])
    all_compared = len(choice.compared) == len(session.plan.contenders)
    if choice.is_open and len(choice.contenders) > 2:
        names = _("any of them") if all_compared else _("any of those compared")
    elif not all_compared:
        names = _("{models}, of those compared").format(models=names)
    said = f"{use}: {names}."
    if choice.unanswered:
        never = and_list([_name(session, index) for index in choice.unanswered])
        said += " " + _("{models} never reached an answer.").format(models=never)
    return said


# --- 6 overall speed ----------------------------------------------------------------------------------------------


def _overall(line: OverallSpeed, session: Session) -> Iterable[str]:
    if line.why is not None:
        yield not_available(line.why)
        return
    yield _("Tokens ÷ total time over the same warm trials: {speeds} tok/s.").format(
        speeds=_each(session, line.overall, significant)
    )
    if line.waiting:
        shares = sorted(one.value for one in line.waiting)
        low, high = percent(shares[0]), percent(shares[-1])
        share = low if low == high else _("{low} to {high}").format(low=low, high=high)
        yield _("It counts waiting as writing: {share} of that time passed before the first token.").format(share=share)
    if line.cold:
        yield _("Cold starts only: {speeds} tok/s.").format(speeds=_each(session, line.cold, significant))
    if line.eval_rate:
        yield _(
            "Ollama's eval rate would be {speeds} tok/s: it also counts the first token, which prefill produces."
        ).format(speeds=_each(session, line.eval_rate, significant))
    if line.other_winner:
        yield _("The usual formula would put {model} first.").format(model=_name(session, line.overall[0].contender))


# --- 7 since last time --------------------------------------------------------------------------------------------


def _since_last(line: SinceLast, session: Session) -> Iterable[str]:
    if line.comparison is None:
        yield not_available(line.why or "no_earlier")
        return
    yield since_last_sentence(line.comparison, session)
