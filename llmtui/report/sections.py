"""The sections of a session's report before formatting, shared by Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from llmtui.core.across import Earlier
from llmtui.core.measures import Table, measures
from llmtui.core.pairing import is_imported
from llmtui.core.plan import Contender
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.core.waits import WAITS, wait_verdicts
from llmtui.core.what_holds import what_holds
from llmtui.report.rows import Row, by_category, by_model
from llmtui.words import _, plural
from llmtui.words.conclusions import telling
from llmtui.words.figures import Spoken, gigabytes
from llmtui.words.measures import words_of
from llmtui.words.problems import problem_what
from llmtui.words.trials import note_words
from llmtui.words.verdicts import verdict_sentence
from llmtui.words.waits import wait_sentence
from llmtui.words.what_holds import holding_words


class Entry(NamedTuple):
    """One line of a list; its texts are not yet escaped."""

    text: str
    strong: str = ""
    """Text in bold at the beginning of the line."""
    code: str = ""
    """A name in files, shown between ``strong`` and ``text``."""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A heading with its content: a sentence, a table and a list, each of which may be empty."""

    part: Literal["holds", "models", "categories", "words", "pairs", "conditions", "notes", "figures", "flags"]
    title: str
    lead: str = ""
    rows: tuple[Row, ...] = ()
    entries: tuple[Entry, ...] = ()


def title_of(session: Session) -> str:
    """Return the report's title: the labels of the models."""
    return ", ".join(contender.label for contender in session.plan.contenders)


def when_of(session: Session) -> str:
    """Return when the session began, in UTC: ``2026-11-26 10:38 UTC``."""
    return f"{datetime.fromtimestamp(session.wall_ns // 10**9, UTC):%Y-%m-%d %H:%M} UTC"


def sections(session: Session, earlier: Earlier | None = None) -> Iterator[Section]:
    """Yield the sections of a report in order, the main findings first; sections without content are left out.

    Args:
        session: the session.
        earlier: the previous session of the same plan, for the conclusion "Since last time".
    """
    names = {contender.label: contender.label for contender in session.plan.contenders}
    found = () if is_imported(session.plan) else what_holds(session)
    holds = (holding_words(one, session, names) for one in found)
    if entries := tuple(Entry(words.after_topic, f"{words.sign} {words.topic}") for words in holds):
        yield Section(part="holds", title=_("Conclusions"), entries=entries)
    yield Section(part="models", title=_("By model"), rows=tuple(by_model(session)))
    if len(session.plan.prompts) > 1:
        warm = "" if is_imported(session.plan) else _("Warm trials only.")
        yield Section(part="categories", title=_("By category"), lead=warm, rows=tuple(by_category(session)))
    conclusions = tuple(Entry(line.said, line.heading) for line in telling(session, earlier))
    if conclusions:
        yield Section(part="words", title=_("In words"), entries=conclusions)
    # The audit of an imported file already lists the pairs.
    pairs = () if is_imported(session.plan) else verdicts(session)
    if pairs:
        yield Section(part="pairs", title=_("Pair by pair"), entries=tuple(map(Entry, _pair_by_pair(session, pairs))))
    yield Section(part="conditions", title=_("Conditions"), entries=tuple(map(Entry, _conditions(session))))
    problems = [problem_what(note.problem) for note in session.notes]
    problems += [f"{row.trial.id}: {problem_what(row.problem)}" for row in session.rows if row.problem is not None]
    if problems:
        yield Section(part="notes", title=_("Notes"), entries=tuple(map(Entry, problems)))
    yield Section(part="figures", title=_("How the figures are made"), entries=tuple(_formulas()))


def _pair_by_pair(session: Session, pairs: Sequence[SpeedVerdict]) -> Iterable[str]:
    for one in pairs:
        yield verdict_sentence(one, session)
    for figure in WAITS:
        yield from (said for wait in wait_verdicts(session, figure) if (said := wait_sentence(wait, session, figure)))


def _conditions(session: Session) -> Iterable[str]:
    seen, plan = session.fingerprint, session.plan
    if is_imported(plan):
        yield _("Imported from {name}: machine, server and settings are unknown.").format(name=plan.pack)
    else:
        yield from _measured_under(session)
    for prompt in plan.prompts:
        yield _("Prompt {id}: {text}").format(id=prompt.id, text=prompt.text or prompt.category)
    yield _("Written by llmtui {version}").format(version=seen.llmtui)


def _measured_under(session: Session) -> Iterable[str]:
    seen, plan = session.fingerprint, session.plan
    kinds = dict.fromkeys(one.model.backend for one in plan.contenders)
    for server in filter(None, map(seen.server_of, kinds)):
        where = {True: _("on this machine"), False: _("on another machine"), None: ""}[server.local]
        words = (server.product or server.kind, server.version, server.address, where)
        yield _("Server: {server}").format(server=", ".join(word for word in words if word))
    if plan.options.extra_fields:
        fields = msgspec.json.encode(plan.options.extra_fields, order="sorted").decode()
        yield _("Fields in every request: {fields}").format(fields=fields)
    machine = [
        seen.os,
        seen.cpu,
        None if seen.cores_physical is None else _("{n} cores").format(n=seen.cores_physical),
        None if seen.ram_total_bytes is None else _("{ram} RAM").format(ram=gigabytes(seen.ram_total_bytes)),
        seen.gpu,
        _("on battery") if seen.on_battery else None,
    ]
    yield _("Machine: {parts}").format(parts=", ".join(part for part in machine if part))
    rounds = len({row.trial.round for row in session.rows})
    yield _("Plan: {preset}, {rounds}, order seed {seed}").format(
        preset=plan.preset, rounds=plural("{n} round", "{n} rounds", rounds).format(n=rounds), seed=plan.seed
    )
    yield _("Answers: up to {n} tokens, temperature {t}, seed {seed}").format(
        n=plan.options.num_predict, t=f"{Spoken(plan.options.temperature):g}", seed=plan.options.seed
    )
    yield from map(_model, plan.contenders)


def _model(contender: Contender) -> str:
    model = contender.model
    parts = [
        model.parameters,
        model.quantisation,
        None if model.size_bytes is None else gigabytes(model.size_bytes),
        contender.variant.canonical,
        model.digest[:12],
        note_words(model.note or ""),
    ]
    return _("Model {name}: {parts}").format(name=contender.label, parts=", ".join(part for part in parts if part))


def _formulas() -> Iterable[Entry]:
    """Yield one entry per figure of the tables and the conclusions: how it is computed, and what is left out."""
    tables: tuple[Table, ...] = ("models", "categories")
    shown = {one.id for table in tables for one in measures(table)} | {"ratio", "usual_tps"}
    for one in measures():
        words = words_of(one.id)
        if one.id in shown and words is not None:
            excluded = _("Left out: {excluded}").format(excluded=words.excluded)
            yield Entry(f"{words.formula} {excluded}", words.title, one.id)
