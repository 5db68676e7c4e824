"""The content of another program's file by model, and how it was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from llmtui.core.recorded import Basis, decode_amount, overall_tps
from llmtui.core.recorded_pairs import RecordedCells, RecordedSpeed, Unit, category_name, recorded_speed
from llmtui.core.session import Session
from llmtui.core.stats import deviation, mean
from llmtui.core.trial_row import TrialRow

Order = Literal["one_after_another", "taking_turns", "mixed", "one_model"]


class Level(msgspec.Struct, frozen=True):
    """A summary of a series."""

    mean: float
    median: float
    low: float
    high: float
    cv: float | None
    """Sample deviation ÷ mean; None for fewer than two values."""
    n: int


class ModelAudit(msgspec.Struct, frozen=True, kw_only=True):
    """One model in the file."""

    model: str
    speed: RecordedSpeed | None
    """Geometric mean over the units: of the speed after the first token, or of tokens ÷ total time."""
    overall: Level | None
    """Tokens ÷ total time: the file's own column, else computed."""
    writing: Level | None
    """Speeds after the first token, over all rows."""
    ttft_s: Level | None
    """Over all rows, as in a dashboard's mean."""
    warm_ttft_s: Level | None
    cold_ttft_s: float | None
    """TTFT of the first row that counts as a cold start."""
    cold_times_slowest: float | None
    """Its ratio to the slowest of the model's other rows."""
    largest_change_mb: float | None
    """Largest value of its memory column."""
    highest_mb: float | None
    """Running sum of the machine's memory changes from the start of the file: the highest after one of its rows."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How the file was measured, as far as its rows show."""

    rows: int
    failed: int
    """Number of rows that cannot be measured."""
    program: str
    """The format: a code of ``legacy.rows.Program``."""
    runs: int
    """Number of rounds of the same prompts."""
    repetitions: int
    """Back-to-back trials of one model and prompt, which show variation and are no rounds; 1 for none."""
    means: bool
    """Whether each row is the mean of several trials."""
    categories: int
    unit: Unit
    basis: Basis
    order: Order
    overall_recorded: bool
    """Whether the file has a column for tokens ÷ total time."""
    short: int
    """Number of rows with fewer than 64 tokens, which count all the same."""


def layout_of(session: Session, cells: RecordedCells) -> Layout:
    """Return how the file was measured."""
    rows = session.rows
    named = [row for row in rows if row.trial.prompt is not None]
    return Layout(
        rows=len(rows),
        failed=sum(row.outcome != "ok" for row in rows),
        program=next((row.recorded.program for row in rows if row.recorded and row.recorded.program), "table"),
        repetitions=_repetitions(rows),
        means=bool(rows) and all(row.recorded is not None and row.recorded.mean_of is not None for row in rows),
        runs=max((row.trial.round for row in rows), default=0) if cells.unit == "run" else 1,
        categories=len({category_name(session, row) for row in named}),
        unit=cells.unit,
        basis=cells.basis,
        order=_order(rows, len(session.plan.contenders)),
        overall_recorded=any(row.recorded is not None and row.recorded.overall_tps is not None for row in rows),
        short=sum("short_output" in row.flags for row in rows),
    )


def _repetitions(rows: Sequence[TrialRow]) -> int:
    cells: dict[tuple[int, int | None], int] = {}
    for row in rows:
        if row.recorded is not None and row.recorded.repetition and row.recorded.mean_of is None:
            place = (row.trial.contender, row.trial.prompt)
            cells[place] = cells.get(place, 0) + 1
    return max(cells.values(), default=1)


def _order(rows: Sequence[TrialRow], models: int) -> Order:
    if models < 2:
        return "one_model"
    blocks = 1 + sum(a.trial.contender != b.trial.contender for a, b in pairwise(rows))
    if blocks == models:
        return "one_after_another"
    by_round: dict[int, set[int]] = {}
    first_place: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        by_round.setdefault(row.trial.round, set()).add(row.trial.contender)
        first_place.setdefault(row.trial.round, []).append(at)
    apart = all(max(first_place[a]) < min(first_place[b]) for a, b in pairwise(by_round))
    whole = all(len(contender) == models for contender in by_round.values())
    return "taking_turns" if (whole and apart and len(by_round) > 1) or blocks >= len(rows) / 2 else "mixed"


def level(values: Iterable[float | None]) -> Level | None:
    """Return the summary of a series; None for an empty one."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    middle = mean(known)
    cv = deviation(known) / middle if len(known) > 1 and middle else None
    return Level(middle, statistics.median(known), min(known), max(known), cv, len(known))


def ttft_s(row: TrialRow) -> float | None:
    """Return the time to the first token of a row that could be measured."""
    return None if row.outcome != "ok" or row.figures.ttft_ms is None else row.figures.ttft_ms / 1000


def audited_model(session: Session, index: int, levels: list[float] | None, cells: RecordedCells) -> ModelAudit:
    """Return the audit of one model in the file.

    Args:
        session: session of the file.
        index: index of the model.
        levels: machine memory after each of its rows, relative to the start; None: not recorded.
        cells: the file's usable rows.
    """
    mine = [row for row in session.rows if row.trial.contender == index]
    cold = next((row for row in mine if row.trial.kind == "cold" and ttft_s(row) is not None), None)
    others = [wait for row in mine if row is not cold and (wait := ttft_s(row)) is not None]
    cold_s = None if cold is None else ttft_s(cold)
    changes = [row.recorded.ram_change_mb for row in mine if row.recorded and row.recorded.ram_change_mb is not None]
    return ModelAudit(
        model=session.plan.contenders[index].label,
        speed=recorded_speed(cells, index),
        overall=level(overall_tps(row) for row in mine if row.outcome == "ok"),
        writing=level(None if (done := decode_amount(row)) is None else done[0] / done[1] for row in mine),
        ttft_s=level(map(ttft_s, mine)),
        warm_ttft_s=level(ttft_s(row) for row in mine if row.trial.kind == "warm"),
        cold_ttft_s=cold_s,
        cold_times_slowest=None if cold_s is None or not others or not max(others) else cold_s / max(others),
        largest_change_mb=max(changes, default=None),
        highest_mb=None if levels is None else max(levels),
    )
