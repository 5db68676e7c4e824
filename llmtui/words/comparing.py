"""The comparison of two sessions as texts: the rows of its table, and the notes below the table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from llmtui.core.across import Comparison, FigureChange, Mark, is_unnoticed, mark_of, only_seems
from llmtui.core.differences import Difference
from llmtui.core.gate import BadLimit, Gated
from llmtui.core.measures import measure_of
from llmtui.core.names import nearest_names
from llmtui.core.session import Session
from llmtui.core.waits import NOTICEABLE_MS
from llmtui.words import _, plural
from llmtui.words.cells import column_unit, value_in
from llmtui.words.lists import and_list, few
from llmtui.words.measures import short_title
from llmtui.words.ratios import factor, factor_range
from llmtui.words.reasons import reason
from llmtui.words.session_head import other_host
from llmtui.words.since_last import day_words, difference_words, reservations

MARKS: Final[dict[Mark, str]] = {"better": "▲", "worse": "▼", "equal": "=", "open": "~", "none": ""}


class ComparedRow(NamedTuple):
    """The table cells for one figure of one model in two sessions."""

    model: str
    figure: str
    """Title of the figure, with its unit."""
    before: str
    after: str
    ratio: str
    interval: str
    mark: str


def comparison_rows(comparison: Comparison, after: Session) -> tuple[ComparedRow, ...]:
    """Return the rows of the table, grouped by model; figures missing in both sessions are left out."""
    shown = [one for one in comparison.changes if one.before is not None or one.after is not None]
    return tuple(
        _row(one, contender.label)
        for index, contender in enumerate(after.plan.contenders)
        for one in shown
        if one.contender == index
    )


def comparison_notes(comparison: Comparison, after: Session) -> tuple[str, ...]:
    """Return the notes below the table: changed conditions, missing verdicts, and what the intervals include."""
    said = [_conditions(comparison.differences)]
    if comparison.gone:
        said.append(_("Only in the earlier session: {models}.").format(models=few(comparison.gone)))
    said += _without_word(comparison, after)
    return (*said, *reservations(comparison))


def legend() -> str:
    """Return the line that explains the marks of the table."""
    return _("▲ better  ▼ worse  = practically equal  ~ too close to tell yet  ? seems changed")


def session_line(letter: str, session: Session) -> str:
    """Return the heading's line for session A or B: its letter, id, date, machine, server and llmtui version."""
    seen = session.fingerprint
    server = " ".join(part for part in (seen.server_kind, seen.server_version) if part)
    parts = (session.session_id, day_words(session.wall_ns), other_host(session), server, f"llmtui {seen.llmtui}")
    return f"{letter}  {' · '.join(part for part in parts if part)}"


def change_mark(one: FigureChange) -> str:
    """Return the mark for the verdict on a change, such as ``▲``; empty if there is no verdict."""
    return MARKS[mark_of(one)] + ("?" if only_seems(one.word) else "")


def gate_sentence(one: Gated, session: Session) -> str:
    """Return a sentence on whether a limit (--fail-if) is kept, with the interval that decided.

    Args:
        one: the result of checking a limit on one model's figure.
        session: the later session, for the names of its models.
    """
    model = session.plan.contenders[one.change.contender].label
    if one.low is None or one.high is None:
        price = _price(one) or reason(one.change.why or "not_measured")
        return _("{limit}: cannot tell for {model}: {price}.").format(limit=one.limit.text, model=model, price=price)
    patterns = {
        "beyond": _("{limit}: {model} is beyond the limit, {shown}."),
        "within": _("{limit}: {model} is within the limit, {shown}."),
        "cannot_tell": _("{limit}: cannot tell for {model}, {shown}: {price}."),
    }
    price = _price(one) or _("more rounds would hardly help")
    shown = _shown(one, one.low, one.high)
    said = patterns[one.held].format(limit=one.limit.text, model=model, shown=shown, price=price)
    if one.held == "beyond" and one.limit.ratio is not None and one.change.noise is None:
        said = f"{said[:-1]}; {_('day-to-day variation not included')}."
    return said


def limit_refusal(text: str, error: BadLimit, known: Sequence[str]) -> str:
    """Return why a limit (--fail-if) cannot be used, with a valid example.

    Args:
        text: the limit as written on the command line.
        error: the fault found in it.
        known: ids of all figures.
    """
    if error.fault == "figure":
        near = nearest_names(error.figure, known)
        there = _("Similar names: {names}.") if near else _("Available: {names}.")
        said = _("--fail-if {text}: there is no figure {figure}.").format(text=text, figure=error.figure)
        return f"{said} {there.format(names=', '.join(near or known))}"
    why = {
        "form": _("needs a figure, < or >, and a number or a percentage"),
        "sign": _("a number without % is the value itself and has no sign; use % for a change"),
        "unit": _("the unit of {figure} is {unit}"),
        "impossible": _("nothing falls by 100 % or more"),
    }[error.fault].format(figure=error.figure, unit=error.unit or _("none"))
    return _("--fail-if {text}: {why}. Example: --fail-if 'decode_tps < -5%'").format(text=text, why=why)


def _row(one: FigureChange, label: str) -> ComparedRow:
    measure = measure_of(one.figure)
    assert measure is not None, one.figure
    unit = column_unit(measure, (one.before, one.after))
    cells = ["" if value is None else value_in(measure, value, unit) for value in (one.before, one.after)]
    ratio, interval = "", ""
    if is_unnoticed(one):
        interval = _("< {ms} ms").format(ms=f"{NOTICEABLE_MS:.0f}")
    elif one.ratio is not None:
        ratio = factor(one.ratio)
        interval = "" if one.low is None or one.high is None else factor_range(one.low, one.high)
    return ComparedRow(
        model=label,
        figure=f"{short_title(measure)} {unit}".rstrip(),
        before=cells[0],
        after=cells[1],
        ratio=ratio,
        interval=interval,
        mark=change_mark(one),
    )


def _conditions(found: Sequence[Difference]) -> str:
    if not found:
        return _("No change in what both sessions recorded.")
    return _("Changed: {differences}.").format(differences="; ".join(map(difference_words, found)))


def _without_word(comparison: Comparison, after: Session) -> list[str]:
    """Return the reasons why figures have no verdict, each reason once."""
    by_why: dict[str, list[FigureChange]] = {}
    for one in comparison.changes:
        if one.why is not None and (one.why != "not_measured" or (one.before is None) != (one.after is None)):
            by_why.setdefault(one.why, []).append(one)
    said: list[str] = []
    for why, changes in by_why.items():
        if why in ("not_there_before", "no_common_prompts"):
            models = dict.fromkeys(after.plan.contenders[one.contender].label for one in changes)
            said += [_("{model}: nothing to compare: {why}.").format(model=model, why=reason(why)) for model in models]
            continue
        titles = dict.fromkeys(short_title(found) for one in changes if (found := measure_of(one.figure)) is not None)
        said.append(_("No verdict on {figures}: {why}.").format(figures=and_list(list(titles)), why=reason(why)))
    return said


def _shown(one: Gated, low: float, high: float) -> str:
    """Return the figure by which a limit was decided, with its interval."""
    if one.limit.ratio is not None:
        ratio = "" if one.change.ratio is None else factor(one.change.ratio)
        return _("× {ratio} ({range})").format(ratio=ratio, range=factor_range(low, high))
    measure = measure_of(one.limit.figure)
    assert measure is not None, one.limit.figure
    unit = column_unit(measure, (one.change.after,))
    value, least, most = (value_in(measure, each, unit) for each in (one.change.after or low, low, high))
    return f"{value} {unit}".rstrip() + f" ({least}–{most})"


def _price(one: Gated) -> str:
    """Return how many more rounds a decision on a limit would need; empty if that is not known."""
    if one.rounds is None:
        return ""
    said = plural(
        "would need about {n} round in each session", "would need about {n} rounds in each session", one.rounds
    )
    return said.format(n=one.rounds)
