"""Sentences on the trials that a session's conclusions leave out."""

from __future__ import annotations

from collections.abc import Iterable

from llmtui.core.not_counted import NotCounted, Uncounted
from llmtui.core.session import Session
from llmtui.words import _, plural
from llmtui.words.flags import flag_mark
from llmtui.words.lists import few
from llmtui.words.outcomes import outcome_word
from llmtui.words.reasons import not_available, reason


def not_counted_sentences(line: NotCounted, session: Session) -> Iterable[str]:
    """Yield sentences on which trials and models do not count, and why."""
    if line.why is not None:
        yield (
            _("Nothing: {why}.").format(why=reason(line.why)) if line.why == "all_counted" else not_available(line.why)
        )
        return
    if line.trials:
        yield few([_left_out(one, session) for one in line.trials], most=8) + "."
    for index, code in line.contenders:
        yield _("{model}: no verdict: {why}.").format(model=session.plan.contenders[index].label, why=reason(code))
    if line.busy:
        said = _("Other programs were busy in {n} of {of} trials; those trials still count.")
        lasting = _("The machine was busy in {n} of {of} trials: all figures here were measured that way.")
        yield (lasting if line.busy_lasts else said).format(n=line.busy, of=line.warm)
    if line.noisy_starts:
        starts = plural(
            "{n} cold start began on a busy machine and still counts.",
            "{n} cold starts began on a busy machine and still count.",
            line.noisy_starts,
        )
        yield starts.format(n=line.noisy_starts)


def _left_out(one: Uncounted, session: Session) -> str:
    """Return how many trials of a model do not count, and why: ``qwen3:4b 2 trials (disturbed and repeated)``."""
    count = plural("{n} trial", "{n} trials", one.count).format(n=one.count)
    return f"{session.plan.contenders[one.contender].label} {count} ({_left_out_why(one.code, one.what)})"


def _left_out_why(code: str, what: str) -> str:
    if code == "repeated":
        return _("disturbed and repeated")
    if code == "repeated_busy":
        return _("repeated because other programs were busy")
    why = outcome_word(code.removeprefix("outcome_")) if code.startswith("outcome_") else flag_mark(code)
    why = reason(code) if why == code else why
    return {
        "speed": _("{why}: speed not counted"),
        "ttft": _("{why}: TTFT not counted"),
    }.get(what, "{why}").format(why=why)
