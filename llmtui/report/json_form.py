"""Sessions as one JSON document, whose structure is in ``report.document``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from llmtui import __version__
from llmtui.core.measures import Measure, Reading, SummaryLine, measures, reading, value_of
from llmtui.core.pairing import is_imported
from llmtui.core.pairs import SPEEDS
from llmtui.core.plan import Plan
from llmtui.core.records import Problem, Server
from llmtui.core.session import Session
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread, summarise
from llmtui.core.trial_row import TrialRow
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.core.waits import WAITS, WaitVerdict, wait_verdicts
from llmtui.report.document import (
    AskedPrompt,
    CategoryFigures,
    Failure,
    Figure,
    MachineSeen,
    ModelFacts,
    Over,
    PlanFacts,
    ReportDocument,
    ServerFacts,
    SessionFacts,
    TrialFigures,
    VerdictFacts,
)
from llmtui.report.saved import Saved
from llmtui.store.csv_cells import utc_cell

_OVER_ROUNDS: Final = ("decode_tps", "decode_cps")
"""Figures whose value is all tokens or characters ÷ all time; their lowest and highest value are those of rounds."""
_FILE_UNITS: Final = {("s", 1000.0): "ms", ("ms", 0.001): "s", ("GB", 1e9): "byte"}
"""(unit on screen, divisor) → unit in files, if the two units differ."""
_UNSEEN: Final = ("memory_peak_bytes", "memory_steady_bytes", "vram_bytes")


def json_form(sessions: Sequence[Saved]) -> bytes:
    """Return the JSON document, indented, as bytes."""
    made = ReportDocument(
        written_by=__version__,
        anonymous=any(saved.anonymous for saved in sessions),
        sessions=tuple(map(_session, sessions)),
    )
    return msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n"


def file_unit(one: Measure) -> str:
    """Return a figure's unit in files, such as ``ms`` or ``byte``."""
    return _FILE_UNITS.get((one.unit, one.per), one.unit)


def _session(saved: Saved) -> SessionFacts:
    session = saved.session
    summary = summarise(session)
    return SessionFacts(
        session_id=session.session_id,
        started_utc=utc_cell(session.wall_ns),
        state=saved.state,
        rounds_begun=len({row.trial.round for row in session.rows}),
        machine=msgspec.convert(msgspec.structs.asdict(session.fingerprint), MachineSeen),
        servers=tuple(map(_server, _servers(session))),
        plan=_plan(session.plan),
        models=tuple(_model(session, line, summary.categories) for line in summary.lines),
        verdicts=tuple(_verdicts(session)),
        trials=tuple(_trial(row, session) for row in session.rows),
        failures=tuple(_failures(session)),
    )


def _servers(session: Session) -> tuple[Server, ...]:
    seen = session.fingerprint
    if seen.servers:
        return seen.servers
    main = seen.server_of(seen.server_kind)
    return () if main is None else (main,)


def _server(server: Server) -> ServerFacts:
    return ServerFacts(
        protocol=server.kind,
        product=server.product,
        version=server.version,
        address=server.address or None,
        on_this_machine=server.local,
    )


def _plan(plan: Plan) -> PlanFacts:
    prompts = tuple(
        AskedPrompt(id=one.id, category=one.category, text=one.text or None, sha256=one.sha256 or None)
        for one in plan.prompts
    )
    fields = {name: getattr(plan, name) for name in PlanFacts.__struct_fields__ if name != "prompts"}
    fields |= {"cold_text": plan.cold_text or None, "follow_up_text": plan.follow_up_text or None}
    return PlanFacts(prompts=prompts, **fields)


def _model(session: Session, line: ContenderSummary, categories: Sequence[CategorySummary]) -> ModelFacts:
    contender = session.plan.contenders[line.contender]
    rows = [row for row in session.rows if row.trial.contender == line.contender]
    of_model = {
        name: getattr(contender.model, name)
        for name in (
            "name", "digest", "backend", "size_bytes", "parameters", "quantisation", "family", "format",
            "context_limit", "note",
        )
    }  # fmt: skip
    return ModelFacts(
        label=contender.label,
        variant=contender.variant.canonical,
        thinks=line.thinks,
        finished=line.finished,
        failed=line.failed,
        disturbed=line.disturbed,
        conditions=tuple(one.flag for one in line.conditions if one.lasting),
        figures=_figures(line, rows),
        categories=tuple(
            CategoryFigures(
                category=one.category,
                finished=one.finished,
                failed=one.failed,
                capped=one.capped,
                figures=_figures(one, rows),
            )
            for one in categories
            if one.contender == line.contender
        ),
        **of_model,
    )


def _figures(line: SummaryLine, rows: Sequence[TrialRow]) -> dict[str, Figure]:
    is_model = isinstance(line, ContenderSummary)
    return {
        one.id: _figure(one, reading(one, line), line, rows)
        for one in measures()
        if (one.of_model if is_model else one.of_category) is not None and one.id != "finished"
    }


def _figure(one: Measure, found: Reading, line: SummaryLine, rows: Sequence[TrialRow]) -> Figure:
    unit = file_unit(one)
    if isinstance(found, Spread):
        over: Over = "rounds" if one.id in _OVER_ROUNDS else "trials"
        return Figure(value=found.value, unit=unit, n=found.n, low=found.low, high=found.high, over=over)
    value = value_of(found)
    return Figure(value=value, unit=unit, missing=_why(one, line, rows) if value is None else None)


def _why(one: Measure, line: SummaryLine, rows: Sequence[TrialRow]) -> str:
    """Return the code of the reason why a figure is missing: the summary's, else the most common one of the trials."""
    told = line.why.get(one.reason_key or one.id)
    if told is not None:
        return told
    if one.id in _UNSEEN and rows:
        return "not_visible"
    reasons = Counter(row.figures.why[one.id] for row in rows if one.id in row.figures.why)
    return reasons.most_common(1)[0][0] if reasons else "not_recorded" if rows else "not_yet"


def _verdicts(session: Session) -> Iterator[VerdictFacts]:
    imported = is_imported(session.plan)  # an imported file has only one speed
    for speed in SPEEDS[:1] if imported else SPEEDS:
        for said in verdicts(session, speed):
            yield _verdict(speed, said, session)
    for wait in () if imported else WAITS:
        for found in wait_verdicts(session, wait):
            yield _verdict(wait, found, session)


def _verdict(figure: str, said: SpeedVerdict | WaitVerdict, session: Session) -> VerdictFacts:
    own = ("figure", "first", "second", "conditions")
    same = [name for name in VerdictFacts.__struct_fields__ if name not in own and name in said.__struct_fields__]
    return VerdictFacts(
        figure=figure,
        first=session.plan.contenders[said.first].label,
        second=session.plan.contenders[said.second].label,
        conditions=tuple(one.flag for one in said.conditions) if isinstance(said, SpeedVerdict) else (),
        **{name: getattr(said, name) for name in same},
    )


def _trial(row: TrialRow, session: Session) -> TrialFigures:
    prompt = None if row.trial.prompt is None else session.plan.prompts[row.trial.prompt]
    return TrialFigures(
        trial_id=row.trial.id,
        model=session.contender(row.trial).label,
        round=row.trial.round,
        kind=row.trial.kind,
        category=None if prompt is None else prompt.category,
        prompt_id=None if prompt is None else prompt.id,
        outcome=row.outcome,
        ended_by=row.ended_by,
        started_utc=utc_cell(row.wall_ns),
        flags=row.flags,
        figures={one.trial_column or one.id: one.of_trial(row) for one in measures() if one.of_trial is not None},
        missing=row.figures.why,
    )


def _failures(session: Session) -> Iterator[Failure]:
    for note in session.notes:
        yield _failure(note.problem, note.level)
    for row in session.rows:
        if row.problem is not None:
            yield _failure(row.problem, "error", row.trial.id)


def _failure(problem: Problem, level: str, trial_id: str | None = None) -> Failure:
    return Failure(code=problem.code, args=problem.args, detail=problem.detail, level=level, trial_id=trial_id)
