"""Sessions as one HTML file, readable without network and scripts, in print, and in a light or a dark theme.

A content security policy in the file forbids everything except its own styles and its own two scripts, listed by their
hashes. A model's text could therefore not run or load anything even if it were not escaped.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Final

from llmtui.core.events import TrialFinished
from llmtui.core.measures import Measure, measure_of, reading
from llmtui.core.position import speed_over_position
from llmtui.core.reading import answer_of, own_text
from llmtui.core.session import SamplePoint, Session
from llmtui.core.shown import lines_without_controls
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread, Summary, summarise
from llmtui.core.trial_row import TrialRow
from llmtui.report.charts import Curve, Range, Stretch, colour, curves, escaped, ranges
from llmtui.report.rows import Row
from llmtui.report.saved import Saved
from llmtui.report.sections import Entry, Section, sections, title_of, when_of
from llmtui.words import _
from llmtui.words.cells import value_words
from llmtui.words.flags import flag_mark
from llmtui.words.measures import short_title
from llmtui.words.trials import category_words
from llmtui.words.verdicts import banners

MOST_CHARS: Final = 20_000
"""Maximum number of characters of an answer; a longer answer is cut."""
_CHARTED: Final = ("decode_tps", "ttft_ms")
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src {scripts}; form-action 'none'; base-uri 'none'"
)
_STYLES: Final = ("page.css", "uplot/uPlot.min.css")
_SCRIPTS: Final = ("uplot/uPlot.iife.min.js", "charts.js")


def html(sessions: Sequence[Saved]) -> bytes:
    """Return the HTML file of the sessions, as bytes.

    Raises:
        OSError: a session's file cannot be read.
    """
    style = "\n".join(map(_part, _STYLES))
    scripts = [_part(name) for name in _SCRIPTS]
    policy = _POLICY.format(scripts=" ".join(map(_hash, scripts)))
    title = escaped(" · ".join(title_of(saved.session) for saved in sessions) or "llmtui")
    head = (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head><body>'
    )
    body = (part for saved in sessions for part in _session(saved))
    foot = (*(f"<script>{script}</script>" for script in scripts), "</body></html>\n")
    return "\n".join([head, *body, *foot]).encode("utf-8", "replace")


def _part(name: str) -> str:
    return files("llmtui.report").joinpath(name).read_text("utf-8")


def _hash(script: str) -> str:
    """Return a script's hash as a content security policy lists it (CSP Level 2, section 4.2.5)."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _session(saved: Saved) -> Iterator[str]:
    session = saved.session
    summary = summarise(session)
    yield f"<article><h1>{escaped(title_of(session))}</h1>"
    yield f'<p class="quiet">{escaped(when_of(session))} · {escaped(session.session_id)} · {escaped(_state(saved))}</p>'
    yield from (f'<p class="banner">{escaped(banner)}</p>' for banner in banners(session))
    for section in sections(session, saved.earlier):
        if section.part == "words":
            yield from _machine(session)
            yield from _answers(saved)
        yield from _section(section)
        if section.part == "models":
            yield from _by_model(summary)
        elif section.part == "categories":
            yield from _by_category(summary, session)
    yield from _flags(session)
    yield "</article>"


def _state(saved: Saved) -> str:
    return {
        "running": _("still running"),
        "interrupted": _("interrupted"),
        "complete": _("complete"),
        "cancelled": _("stopped"),
        "failed": _("failed"),
    }[saved.state]


def _section(section: Section) -> Iterator[str]:
    yield f"<h2>{escaped(section.title)}</h2>"
    if section.lead:
        yield f'<p class="quiet">{escaped(section.lead)}</p>'
    if section.rows:
        yield _table(section.rows)
    if section.entries:
        items = "".join(f"<li>{_entry(entry)}</li>" for entry in section.entries)
        yield f'<ul class="{section.part}">{items}</ul>'


def _entry(entry: Entry) -> str:
    code = f" (<code>{escaped(entry.code)}</code>)" if entry.code else ""
    return (
        f"<strong>{escaped(entry.strong)}</strong>{code}: {escaped(entry.text)}"
        if entry.strong
        else escaped(entry.text)
    )


def _table(rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{escaped(name)}</th>" for name in rows[0])
    body = "".join(f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in row.values())}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _measure(figure: str) -> Measure:
    found = measure_of(figure)
    assert found is not None
    return found


def _by_model(summary: Summary) -> Iterator[str]:
    for one in map(_measure, _CHARTED):
        rows = [row for line in summary.lines if (row := _range(one, line, line.label)) is not None]
        if rows:
            yield _figure(ranges(rows, short_title(one)), _caption(one))


def _by_category(summary: Summary, session: Session) -> Iterator[str]:
    names = tuple(dict.fromkeys(prompt.category for prompt in session.plan.prompts))
    for one in map(_measure, _CHARTED):
        rows = [
            row
            for name in names
            for line in summary.categories
            if line.category == name
            and (row := _range(one, line, f"{category_words(name)} · {line.label}")) is not None
        ]
        if rows:
            yield _figure(ranges(rows, short_title(one)), _caption(one))


def _caption(one: Measure) -> str:
    over = _("rounds") if one.id == "decode_tps" else _("trials")
    return _("{figure}: the dot is the value; the line goes from the lowest to the highest of its {over}.").format(
        figure=short_title(one), over=over
    )


def _range(one: Measure, line: ContenderSummary | CategorySummary, name: str) -> Range | None:
    found = reading(one, line)
    if not isinstance(found, Spread):
        return None
    return Range(name, found.value, found.low, found.high, value_words(one, found.value), line.contender)


def _figure(chart: str, caption: str, key: str = "") -> str:
    return f"<figure>{chart}<figcaption>{escaped(caption)}{key}</figcaption></figure>"


def _key(named: Iterable[tuple[str, int]]) -> str:
    return "".join(f'<span class="key" style="background:{colour(at)}"></span>{escaped(name)}' for name, at in named)


def _machine(session: Session) -> Iterator[str]:
    """Yield charts of CPU, memory and GPU over time, with the trials marked."""
    if not session.samples:
        return
    bands = [
        Stretch(*_seconds(session, row.t0_ns, row.t_ns), f"{row.trial.id} {_label(session, row)}", row.trial.contender)
        for row in session.rows
        if row.t0_ns is not None
    ]
    charts = (
        (_("CPU cores busy"), [(_("machine"), _series(session, "cores_busy")),
                                      (_("model"), _series(session, "runner_cores"))]),
        (_("Memory, GB"), [(_("machine"), _series(session, "used_bytes", 1e9)),
                           (_("model"), _series(session, "runner_bytes", 1e9))]),
        (_("GPU utilization"), [(_("machine"), _series(session, "gpu_busy"))]),
        (_("GPU memory, GB"), [(_("machine"), _series(session, "vram_bytes", 1e9))]),
    )  # fmt: skip
    yield f"<h2>{escaped(_('Machine'))}</h2>"
    yield f'<p class="quiet">{escaped(_("Trials are marked in the colour of their model."))}'
    yield f"{_key((contender.label, at) for at, contender in enumerate(session.plan.contenders))}</p>"
    for title, series in charts:
        known = [
            Curve(name, points, (7, 0)[at])
            for at, (name, points) in enumerate(series)
            if any(y is not None for _, y in points)
        ]
        if known:
            key = _key((line.name, line.colour) for line in known)
            yield _figure(curves(known, title, "s", bands), title, key)


def _series(session: Session, name: str, per: float = 1.0) -> list[tuple[float, float | None]]:
    def value(point: SamplePoint) -> float | None:
        found = getattr(point, name)
        return None if found is None else found / per

    return [((point.t_ns - session.t_ns) / 1e9, value(point)) for point in session.samples]


def _seconds(session: Session, begin_ns: int, end_ns: int) -> tuple[float, float]:
    return (begin_ns - session.t_ns) / 1e9, (end_ns - session.t_ns) / 1e9


def _label(session: Session, row: TrialRow) -> str:
    return session.contender(row.trial).label


def _answers(saved: Saved) -> Iterator[str]:
    """Yield the answers to each prompt, with charts of how they arrived, from each model's last finished trial."""
    session = saved.session
    last: dict[tuple[int, int], TrialFinished] = {}
    for row, event in saved.finished():
        if row.trial.kind == "warm" and row.outcome == "ok" and row.trial.prompt is not None:
            last[row.trial.prompt, row.trial.contender] = event
    if not last:
        return
    yield f"<h2>{escaped(_('Answers side by side'))}</h2>"
    yield f'<p class="quiet">{escaped(_("The last finished trial of each model."))}</p>'
    for at, prompt in enumerate(session.plan.prompts):
        mine = {contender: own_text(event) for (which, contender), event in sorted(last.items()) if which == at}
        if not mine:
            continue
        yield f"<h3>{escaped(category_words(prompt.category))} · {escaped(prompt.id)}</h3>"
        if prompt.text:
            yield f"<p>{escaped(prompt.text)}</p>"
        labels = [(session.plan.contenders[contender].label, contender) for contender in mine]
        came = [Curve(label, _came(mine[contender]), contender) for label, contender in labels]
        title = _("Characters over the time since the request")
        yield _figure(curves(came, title, "s"), title, _key(labels))
        speeds = [Curve(label, speed_over_position(mine[contender].timeline), contender) for label, contender in labels]
        if any(curve.points for curve in speeds):
            title = _("Speed in characters per second by characters written so far")
            yield _figure(curves(speeds, title, _("characters")), title, _key(labels))
        if not saved.anonymous:
            answers = "".join(_answer(label, contender, mine[contender]) for label, contender in labels)
            yield f'<div class="side">{answers}</div>'


def _came(event: TrialFinished) -> list[tuple[float, float | None]]:
    points: list[tuple[float, float | None]] = []
    chars = 0
    for t_ns, more in zip(event.timeline.t_ns, event.timeline.chars, strict=True):
        chars += more
        points.append((t_ns / 1e9, chars))
    return points


def _answer(label: str, contender: int, event: TrialFinished) -> str:
    said = lines_without_controls(answer_of(event))
    cut = "…" if len(said) > MOST_CHARS else ""
    shown = "\n".join(map(escaped, said[:MOST_CHARS].split("\n")))
    return (
        f'<section class="answer" style="border-top-color:{colour(contender)}"><strong>{escaped(label)}</strong>'
        f'<pre tabindex="0">{shown}{cut}</pre></section>'
    )


def _flags(session: Session) -> Iterator[str]:
    """Yield a section that lists each flag with the ids of its trials."""
    found: dict[str, list[str]] = {}
    for row in session.rows:
        for flag in row.flags:
            found.setdefault(flag, []).append(row.trial.id)
    if found:
        entries = tuple(Entry(", ".join(ids), flag_mark(flag), flag) for flag, ids in found.items())
        yield from _section(Section(part="flags", title=_("Flags of trials"), entries=entries))
