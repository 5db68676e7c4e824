"""Conversion of an imported file into the events of a session, as far as its data allows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import get_args

from llmtui.core.events import SCHEMA, Noted, SessionEvent, SessionFinished, SessionStarted, TrialFinished, TrialStarted
from llmtui.core.plan import IMPORTED, Contender, Kind, Model, Plan, PlannedPrompt, Trial, TrialKey, Variant
from llmtui.core.records import Fingerprint, Problem, Recorded
from llmtui.legacy.rows import FileRow, ImportedFile, Oddity

BACKEND = "imported"


def legacy_events(
    made: ImportedFile, *, name: str, session_id: str, wall_ns: int, version: str
) -> tuple[SessionEvent, ...]:
    """Return the events of an imported session, in order. Every row becomes a trial, even a malformed one.

    Args:
        made: the imported file.
        name: the file's name, for the note about the session's origin.
        session_id: id of the new session.
        wall_ns: time of the file in ns since 1970 UTC, used for the first row, since rows have no times.
        version: version of the importing program.
    """
    rows = made.rows
    plan = legacy_plan(rows, name)
    events: list[SessionEvent] = [
        SessionStarted(
            schema=SCHEMA,
            session_id=session_id,
            t_ns=0,
            wall_ns=wall_ns,
            fingerprint=Fingerprint(llmtui=version, python="", os=""),
            plan=plan,
        ),
        Noted(t_ns=0, level="info", problem=_imported(name)),
        *(Noted(t_ns=0, level="info", problem=Problem(code=code, args={"n": n})) for code, n in made.left_out.items()),
    ]
    at_ns = 0
    for order, (row, trial) in enumerate(zip(rows, _trials(plan, rows), strict=True), 1):
        events.append(TrialStarted(t_ns=at_ns, trial=trial, order=order, total=len(rows)))
        finished = _finished(row, trial, order, t0_ns=at_ns, wall_ns=wall_ns + at_ns)
        at_ns = finished.t_ns
        events.append(finished)
    events.extend(Noted(t_ns=at_ns, level="warning", problem=problem) for problem in _oddities(rows))
    events.append(SessionFinished(t_ns=at_ns, wall_ns=wall_ns + at_ns, how="complete"))
    return tuple(events)


def legacy_plan(rows: Sequence[FileRow], name: str) -> Plan:
    """Return a plan with the models and prompts of the rows, in the order of the file."""
    models = tuple(dict.fromkeys(row.model for row in rows))
    prompts = tuple(dict.fromkeys((row.category, row.prompt) for row in rows))
    kinds: tuple[Kind, ...] = ("cold", "warm") if any(row.cold for row in rows) else ("warm",)
    return Plan(
        preset=IMPORTED,
        server="",
        contenders=tuple(
            Contender(model=Model(name=model, digest="", backend=BACKEND), variant=Variant(), label=model)
            for model in models
        ),
        prompts=tuple(_prompt(category, text, at) for at, (category, text) in enumerate(prompts, 1)),
        cold_text="",
        follow_up_text="",
        kinds=kinds,
        pack=name,
        language="",
    )


def _prompt(category: str, text: str, at: int) -> PlannedPrompt:
    return PlannedPrompt(
        id=f"{category or 'prompt'}-{at}",
        category=category,
        title=category,
        text=text,
        # Without its text a prompt is identified by its category alone.
        sha256=hashlib.sha256((text or category).encode()).hexdigest(),
    )


def _trials(plan: Plan, rows: Sequence[FileRow]) -> Iterator[Trial]:
    """Yield a trial for each row.

    Its round is the run stated in the file. If no run is stated, or there is already such a trial, the round is the
    next free number for this model and prompt.
    """
    models = {contender.label: at for at, contender in enumerate(plan.contenders)}
    prompts = {(prompt.category, prompt.text): at for at, prompt in enumerate(plan.prompts)}
    taken: dict[tuple[int, int], set[int]] = {}
    for row in rows:
        index, which = models[row.model], prompts[row.category, row.prompt]
        used = taken.setdefault((index, which), set())
        number = row.run if row.run is not None and row.run > 0 and row.run not in used else len(used) + 1
        while number in used:
            number += 1
        used.add(number)
        yield _trial(plan, row, index, which, number)


def _trial(plan: Plan, row: FileRow, index: int, which: int, round_number: int) -> Trial:
    kind: Kind = "cold" if row.cold else "warm"
    contender = plan.contenders[index]
    return Trial(
        id=f"r{round_number}-m{index + 1}-{kind}-p{which + 1}",
        key=TrialKey(
            round=round_number,
            backend=contender.model.backend,
            digest=contender.model.digest,
            variant=contender.variant.canonical,
            prompt_sha256=plan.prompts[which].sha256,
            kind=kind,
        ),
        contender=index,
        prompt=which,
    )


def _finished(row: FileRow, trial: Trial, order: int, *, t0_ns: int, wall_ns: int) -> TrialFinished:
    problem = _why_bad(row)
    recorded = row.recorded
    times = (recorded.ttft_s, recorded.total_s, recorded.decode_s)
    length_s = recorded.total_s or sum(time_s for time_s in times if time_s)
    return TrialFinished(
        t_ns=t0_ns + max(round(length_s * 1e9), 0),
        trial=trial,
        order=order,
        outcome="ok" if problem is None else "error",
        wall_ns=wall_ns,
        t0_ns=t0_ns,
        problem=problem,
        recorded=recorded if problem is None else _without_times(recorded),
    )


def _without_times(of: Recorded) -> Recorded:
    """Return the data kept from a malformed row: line number, memory change, and tokens ÷ total time as recorded."""
    return Recorded(line=of.line, overall_tps=of.overall_tps, ram_change_mb=of.ram_change_mb)


def can_be_measured(row: FileRow) -> bool:
    """Return whether a row has a figure to compare."""
    return _why_bad(row) is None


def _why_bad(row: FileRow) -> Problem | None:
    of = row.recorded
    if row.failed:
        return Problem(code="bad_row_failed", args={"line": of.line})
    needed = {name: cell for name, cell in row.unreadable.items() if name not in ("usual_tps", "ram", "run")}
    if needed:
        told = ", ".join(f"{name}={cell!r}" for name, cell in needed.items())
        return Problem(code="bad_row_cells", args={"line": of.line, "cells": told})
    if any(time_s is not None and time_s < 0 for time_s in (of.ttft_s, of.total_s, of.decode_s, of.load_s)):
        return Problem(code="bad_row_below_zero", args={"line": of.line})
    if of.ttft_s is not None and of.total_s is not None and of.ttft_s >= of.total_s:
        return Problem(code="bad_row", args={"line": of.line})
    has_rate = bool(of.tokens) and bool(of.total_s or of.decode_s)
    has_prompt = bool(of.prompt_tokens) and bool(of.prompt_s)
    return (
        None
        if has_rate or has_prompt or of.overall_tps or of.decode_tps or of.ttft_s
        else Problem(code="bad_row_empty", args={"line": of.line})
    )


def _imported(name: str) -> Problem:
    return Problem(code="imported", args={"file": name})


def _oddities(rows: Sequence[FileRow]) -> Iterator[Problem]:
    for code in get_args(Oddity):
        lines = [str(row.recorded.line) for row in rows if code in row.oddities]
        if lines:
            shown = ", ".join(lines[:20]) + (", …" if len(lines) > 20 else "")
            yield Problem(code=code, args={"lines": shown})
