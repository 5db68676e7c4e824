"""Two sessions compared, in words."""

from __future__ import annotations

from datetime import datetime

from llmtui.core.across import Aspect, Change, Comparison, Difference
from llmtui.core.session import Session
from llmtui.words import _
from llmtui.words.figures import percent, significant
from llmtui.words.reasons import reason
from llmtui.words.verdicts import factor


def since_last_sentence(comparison: Comparison, session: Session) -> str:
    """Gives what changed since the earlier session, and what else was not the same."""
    day = datetime.fromtimestamp(comparison.before_wall_ns / 1e9).astimezone()
    said = [_("Compared with {day}:").format(day=f"{day:%Y-%m-%d %H:%M}")]
    said += [_change(one, session) for one in comparison.changes]
    if comparison.differences:
        said.append(
            _("Not the same: {differences}.").format(differences="; ".join(map(_difference, comparison.differences)))
        )
    if any(one.low is not None for one in comparison.changes):
        said.append(
            _("Differences under {margin} count as equal; day-to-day change is not included.").format(
                margin=percent(comparison.margin)
            )
        )
    return " ".join(said)


def _change(one: Change, session: Session) -> str:
    pattern = {
        "faster": _("{model} writes faster, {ratio} times ({range})."),
        "slower": _("{model} writes slower, {ratio} times ({range})."),
        "practically_equal": _("{model} writes practically as fast, {ratio} times ({range})."),
        "not_resolved": _("{model}: not told apart, {ratio} times ({range})."),
    }.get(one.word)
    name = session.plan.contenders[one.contender].label
    if pattern is not None and one.ratio is not None and one.low is not None and one.high is not None:
        return pattern.format(model=name, ratio=factor(one.ratio), range=f"{factor(one.low)}–{factor(one.high)}")
    if one.before_tps is not None and one.after_tps is not None:
        return _("{model} {before} → {after} tok/s, no verdict: {why}.").format(
            model=name,
            before=significant(one.before_tps),
            after=significant(one.after_tps),
            why=reason(one.why or "needs_rounds"),
        )
    return _("{model}: nothing to compare, {why}.").format(model=name, why=reason(one.why or "no_common_rows"))


def _difference(one: Difference) -> str:
    aspects: dict[Aspect, str] = {
        "server": _("server"),
        "server_version": _("server's version"),
        "machine": _("machine"),
        "power": _("power"),
        "num_ctx": _("context length"),
        "num_predict": _("limit of tokens"),
        "temperature": _("temperature"),
        "model_build": _("model's build"),
    }
    return f"{aspects[one.aspect]} {one.before} → {one.after}"
