"""The comparison of a session with the previous one of the same plan, as sentences."""

from __future__ import annotations

from datetime import datetime

from llmtui.core.across import Comparison, FigureChange
from llmtui.core.differences import Aspect, Difference
from llmtui.core.session import Session
from llmtui.words import _
from llmtui.words.figures import percent, significant
from llmtui.words.ratios import factor, factor_range
from llmtui.words.reasons import reason


def since_last_sentence(comparison: Comparison, session: Session) -> str:
    """Return sentences on the changes since the earlier session, and on the conditions that differ."""
    said = [_("Compared with {day}:").format(day=day_words(comparison.before_wall_ns))]
    said += [_change(one, session) for one in comparison.changes]
    if comparison.differences:
        said.append(
            _("Changed: {differences}.").format(differences="; ".join(map(difference_words, comparison.differences)))
        )
    said += reservations(comparison)
    return " ".join(said)


def reservations(comparison: Comparison) -> list[str]:
    """Return sentences on what the intervals include, and on newer rules being applied to the earlier session."""
    said: list[str] = []
    if any(one.low is not None for one in comparison.changes):
        if comparison.day_noise is None:
            said.append(
                _("The intervals do not include day-to-day variation, which needs 4 earlier sessions of this plan.")
            )
        else:
            said.append(
                _("The intervals include this machine's day-to-day variation, ± {noise}.").format(
                    noise=percent(comparison.day_noise)
                )
            )
    if comparison.older_rules:
        said.append(_("The earlier session was judged again by today's rules."))
    return said


def day_words(wall_ns: int) -> str:
    """Return a time (nanoseconds since 1970 UTC) as local date and time: ``2026-11-26 10:38``."""
    return f"{datetime.fromtimestamp(wall_ns / 1e9).astimezone():%Y-%m-%d %H:%M}"


def _change(one: FigureChange, session: Session) -> str:
    pattern = {
        "faster": _("{model} is faster: × {ratio} ({range})."),
        "slower": _("{model} is slower: × {ratio} ({range})."),
        "seems_faster": _("{model} seems faster: × {ratio} ({range})."),
        "seems_slower": _("{model} seems slower: × {ratio} ({range})."),
        "practically_equal": _("{model} is practically as fast as before: × {ratio} ({range})."),
        "too_close": _("{model}: too close to tell yet: × {ratio} ({range})."),
    }.get(one.word)
    name = session.plan.contenders[one.contender].label
    interval = "" if one.low is None or one.high is None else factor_range(one.low, one.high)
    if pattern is not None and one.ratio is not None:
        return pattern.format(model=name, ratio=factor(one.ratio), range=interval)
    if one.before is not None and one.after is not None:
        before, after = significant(one.before), significant(one.after)
        why = reason(one.why or "needs_rounds")
        if one.ratio is not None and interval:
            return _("{model}: {before} → {after} tok/s, × {ratio} ({range}), no verdict: {why}.").format(
                model=name, before=before, after=after, ratio=factor(one.ratio), range=interval, why=why
            )
        return _("{model}: {before} → {after} tok/s, no verdict: {why}.").format(
            model=name, before=before, after=after, why=why
        )
    return _("{model}: nothing to compare: {why}.").format(model=name, why=reason(one.why or "no_common_rows"))


def difference_words(one: Difference) -> str:
    """Return a changed condition with its earlier and later value: ``context length 4096 → 8192``."""
    aspects: dict[Aspect, str] = {
        "server": _("server"),
        "server_version": _("server's version"),
        "machine": _("machine"),
        "power": _("power"),
        "num_ctx": _("context length"),
        "num_predict": _("answer length"),
        "temperature": _("temperature"),
        "model_build": _("model's build"),
        "llmtui": _("llmtui's version"),
    }
    return f"{aspects[one.aspect]} {one.before} → {one.after}"
