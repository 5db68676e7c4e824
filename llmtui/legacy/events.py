"""An old file as a session: its rows become the events that a run would have left, as far as the file tells."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from llmtui.core.events import SCHEMA, Noted, SessionEvent, SessionFinished, SessionStarted, TrialFinished, TrialStarted
from llmtui.core.facts import Fingerprint, Problem, Recorded, ServerCounters, Timeline
from llmtui.core.plan import IMPORTED, Contender, Kind, Model, Plan, PlannedPrompt, Trial, TrialKey, Variant
from llmtui.legacy.table import HEADER, LegacyRow

BACKEND = "imported"


def legacy_events(
    rows: Sequence[LegacyRow], *, name: str, session_id: str, wall_ns: int, version: str
) -> tuple[SessionEvent, ...]:
    """Gives the events of an imported session, in order. Every row becomes a trial, whatever is wrong with it.

    Args:
        rows: of the file.
        name: the file's, for the note that says where the session comes from.
        session_id: of the session to be made.
        wall_ns: when the file was written: the first row is put there, since it tells no times itself.
        version: of the program that imports.
    """
    plan = legacy_plan(rows, name)
    models = [contender.label for contender in plan.contenders]
    prompts = [(prompt.category, prompt.text) for prompt in plan.prompts]
    events: list[SessionEvent] = [
        SessionStarted(
            schema=SCHEMA,
            session_id=session_id,
            t_ns=0,
            wall_ns=wall_ns,
            fingerprint=Fingerprint(llmtui=version, python="", os=""),
            plan=plan,
        ),
        _note(
            "imported",
            f"Imported from {name}: one round in an order that is not balanced; machine and settings are not known.",
        ),
    ]
    seen: dict[tuple[int, int], int] = {}
    at_ns = 0
    for order, row in enumerate(rows, 1):
        who, which = models.index(row.model), prompts.index((row.category, row.prompt))
        seen[who, which] = seen.get((who, which), 0) + 1
        trial = _trial(plan, row, who, which, seen[who, which])
        events.append(TrialStarted(t_ns=at_ns, trial=trial, order=order, total=len(rows)))
        finished = _finished(row, trial, order, t0_ns=at_ns, wall_ns=wall_ns + at_ns)
        at_ns = finished.t_ns
        events.append(finished)
    events.extend(_oddities(rows, at_ns))
    events.append(SessionFinished(t_ns=at_ns, wall_ns=wall_ns + at_ns, how="complete"))
    return tuple(events)


def legacy_plan(rows: Sequence[LegacyRow], name: str) -> Plan:
    """Gives the plan that the rows would have followed: models and questions in the order of the file."""
    models = tuple(dict.fromkeys(row.model for row in rows))
    questions = tuple(dict.fromkeys((row.category, row.prompt) for row in rows))
    kinds: tuple[Kind, ...] = ("cold", "warm") if any(row.cold for row in rows) else ("warm",)
    return Plan(
        preset=IMPORTED,
        server="",
        contenders=tuple(
            Contender(model=Model(name=model, digest="", backend=BACKEND), variant=Variant(), label=model)
            for model in models
        ),
        prompts=tuple(_prompt(category, text, at) for at, (category, text) in enumerate(questions, 1)),
        cold_text="",
        follow_up_text="",
        kinds=kinds,
        pack=name,
        language="",
    )


def _prompt(category: str, text: str, at: int) -> PlannedPrompt:
    return PlannedPrompt(
        id=f"{category or 'question'}-{at}",
        category=category,
        title=category,
        text=text,
        # Without its text a question is known by its category alone.
        sha256=hashlib.sha256((text or category).encode()).hexdigest(),
    )


def _trial(plan: Plan, row: LegacyRow, who: int, which: int, round_number: int) -> Trial:
    kind: Kind = "cold" if row.cold else "warm"
    contender = plan.contenders[who]
    return Trial(
        id=f"r{round_number}-m{who + 1}-{kind}-p{which + 1}",
        key=TrialKey(
            round=round_number,
            backend=contender.model.backend,
            digest=contender.model.digest,
            variant=contender.variant.canonical,
            prompt_sha256=plan.prompts[which].sha256,
            kind=kind,
        ),
        contender=who,
        prompt=which,
    )


def _finished(row: LegacyRow, trial: Trial, order: int, *, t0_ns: int, wall_ns: int) -> TrialFinished:
    """A row as a trial of which only the first and the last moment and the number of tokens are known."""
    bad = [what for code, what in row.problems if code == "not_a_number" and not what.startswith(("usual_", "ram_"))]
    ttft_ns, total_ns = _ns(row.ttft_s), _ns(row.total_s)
    if ttft_ns is not None and total_ns is not None and ttft_ns >= total_ns:
        ttft_ns = None
    known = not bad and ttft_ns is not None and total_ns is not None
    return TrialFinished(
        t_ns=t0_ns + (total_ns or ttft_ns or 0),
        trial=trial,
        order=order,
        outcome="ok" if known else "error",
        wall_ns=wall_ns,
        t0_ns=t0_ns,
        done_ns=total_ns if known else None,
        problem=None if known else _bad_row(row, bad),
        counters=None if row.tokens is None else _counters(row.tokens),
        timeline=Timeline() if ttft_ns is None else Timeline(t_ns=(ttft_ns,), chars=(0,), channels="a"),
        recorded=Recorded(line=row.line, usual_tps=row.usual_tps, ram_change_mb=row.ram_mb),
    )


def _counters(tokens: int) -> ServerCounters:
    return ServerCounters(output_tokens=tokens, output_steps=max(tokens - 1, 0))


def _ns(over_s: float | None) -> int | None:
    return None if over_s is None or over_s < 0 else round(over_s * 1e9)


def _bad_row(row: LegacyRow, cells: Sequence[str]) -> Problem:
    names = dict(
        zip(("model", "category", "prompt", "ttft_s", "total_s", "usual_tps", "ram_mb", "tokens"), HEADER, strict=True)
    )
    told = ", ".join(f"{names[name]} is {cell!r}" for name, _, cell in (what.partition("=") for what in cells))
    return Problem(
        code="bad_row",
        what=f"Line {row.line} cannot be measured: {told or _bad_times(row)}.",
        remedy="The row is kept; correct the file and import it again to have it counted.",
    )


def _bad_times(row: LegacyRow) -> str:
    below_zero = any(time_s is not None and time_s < 0 for time_s in (row.ttft_s, row.total_s))
    return "a time is below zero" if below_zero else "its first word is not before its end"


def _oddities(rows: Sequence[LegacyRow], at_ns: int) -> list[Noted]:
    told = {
        "usual_off": "tokens ÷ total time is not the recorded rate",
        "ttft_not_below_total": "the first word is not before the end",
        "tokens_below_2": "fewer than two tokens",
    }
    found: list[Noted] = []
    for code, what in told.items():
        lines = [str(row.line) for row in rows if code in dict(row.problems)]
        if lines:
            found.append(_note(code, f"In line {', '.join(lines)}: {what}.", level_ns=at_ns))
    return found


def _note(code: str, what: str, *, level_ns: int = 0) -> Noted:
    return Noted(
        t_ns=level_ns, level="info" if code == "imported" else "warning", problem=Problem(code=code, what=what)
    )
