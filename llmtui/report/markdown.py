"""A session as Markdown: conclusions, tables, conditions, and how the figures are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from llmtui.core.across import Earlier
from llmtui.core.measures import Table, measures
from llmtui.core.pairing import is_imported
from llmtui.core.plan import Contender
from llmtui.core.session import Session
from llmtui.core.verdict import Verdict, verdicts
from llmtui.core.waits import WAITS, wait_verdicts
from llmtui.report.rows import Row, by_category, by_model
from llmtui.words import _, plural
from llmtui.words.conclusions import headed
from llmtui.words.figures import gigabytes
from llmtui.words.measures import words_of
from llmtui.words.problems import problem_what
from llmtui.words.trials import note_words
from llmtui.words.verdicts import banners, verdict_sentence
from llmtui.words.waits import wait_sentence


def markdown(session: Session, earlier: Earlier | None = None) -> str:
    """Gives the whole report.

    Args:
        session: what is reported.
        earlier: the last session of the same plan, for "since last time".
    """
    parts = [
        _heading(session),
        *banners(session),
        "## " + _("Conclusions"),
        _list(f"**{plain(line.heading)}**: {plain(line.said)}" for line in headed(session, earlier)),
        "## " + _("By model"),
        _table(by_model(session)),
    ]
    if len(session.plan.prompts) > 1:
        warm = "" if is_imported(session.plan) else _("Warm tests only.")
        parts += ["## " + _("By category"), warm, _table(by_category(session))]
    # The audit of an imported file has its pairs already.
    pairs = () if is_imported(session.plan) else verdicts(session)
    if pairs:
        parts += ["## " + _("Pair by pair"), _list(map(plain, _pair_by_pair(session, pairs)))]
    parts += ["## " + _("Conditions"), _list(map(plain, _conditions(session)))]
    problems = [problem_what(note.problem) for note in session.notes]
    problems += [f"{row.trial.id}: {problem_what(row.problem)}" for row in session.rows if row.problem is not None]
    if problems:
        parts += ["## " + _("Notes"), _list(map(plain, problems))]
    parts += ["## " + _("How the figures are made"), _list(_formulas())]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_markdown(session: Session, target: Path, earlier: Earlier | None = None) -> None:
    """Writes the report.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(markdown(session, earlier), "utf-8")


def _heading(session: Session) -> str:
    names = ", ".join(contender.label for contender in session.plan.contenders)
    when = datetime.fromtimestamp(session.wall_ns // 10**9, UTC)
    return f"# {plain(names)}\n\n{when:%Y-%m-%d %H:%M} UTC · `{session.session_id}`"


def _pair_by_pair(session: Session, pairs: Sequence[Verdict]) -> Iterable[str]:
    for one in pairs:
        yield verdict_sentence(one, session)
    for figure in WAITS:
        yield from (said for wait in wait_verdicts(session, figure) if (said := wait_sentence(wait, session, figure)))


def _conditions(session: Session) -> Iterable[str]:
    seen, plan = session.fingerprint, session.plan
    if is_imported(plan):
        yield _("Imported from {name}: machine, server and settings are not known.").format(name=plan.pack)
    else:
        yield from _measured_under(session)
    for prompt in plan.prompts:
        yield _("Question {id}: {text}").format(id=prompt.id, text=prompt.text or prompt.category)
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
    yield _("Plan: {preset}, {rounds}, order's seed {seed}").format(
        preset=plan.preset, rounds=plural("{n} round", "{n} rounds", rounds).format(n=rounds), seed=plan.seed
    )
    yield _("Answers: up to {n} tokens, temperature {t}, seed {seed}").format(
        n=plan.options.num_predict, t=f"{plan.options.temperature:g}", seed=plan.options.seed
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


def _formulas() -> Iterable[str]:
    """Return how the figures of the tables and the conclusions are made."""
    tables: tuple[Table, ...] = ("models", "categories")
    shown = {one.id for table in tables for one in measures(table)} | {"ratio", "usual_tps"}
    for one in measures():
        words = words_of(one.id)
        if one.id in shown and words is not None:
            excluded = _("Left out: {excluded}").format(excluded=words.excluded)
            yield f"**{words.title}** (`{one.id}`): {words.formula} {excluded}"


def _list(entries: Iterable[str]) -> str:
    return "\n".join(f"- {entry}" for entry in entries)


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(plain(cell) for cell in line)} |" for line in lines)


def plain(text: str) -> str:
    """Return the text without anything that Markdown or HTML would take for its own."""
    for sign in "\\`*_[]<>|":
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.split())
