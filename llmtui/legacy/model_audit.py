"""The figures of each model in an imported file, and how the file was measured."""

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
    """Mean, median, range and variation of several values."""

    mean: float
    median: float
    low: float
    high: float
    cv: float | None
    """Coefficient of variation: sample standard deviation ÷ mean; None for fewer than two values."""
    n: int


class ModelAudit(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one model in an imported file."""

    model: str
    speed: RecordedSpeed | None
    """Geometric mean over rounds or categories, of decode speed if the file has it, else of tokens ÷ total time."""
    overall: Level | None
    """Tokens ÷ total time, from the file's own column or computed."""
    writing: Level | None
    """Speed after the first token, over all rows."""
    ttft_s: Level | None
    """TTFT over all rows, including cold starts, as a dashboard would average it."""
    warm_ttft_s: Level | None
    cold_ttft_s: float | None
    """TTFT of the first row that counts as a cold start; None if there is none."""
    cold_times_slowest: float | None
    """Ratio of ``cold_ttft_s`` to the longest TTFT of the model's other rows."""
    largest_change_mb: float | None
    """Largest value in the memory column."""
    highest_mb: float | None
    """Highest memory of the machine after one of the model's rows, relative to the start of the file.

    It is the sum of all changes in the memory column up to that row.
    """


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How the file was measured, as far as its rows show."""

    rows: int
    failed: int
    """Number of rows that cannot be measured."""
    program: str
    """The file's format: a code of ``legacy.rows.Program``."""
    runs: int
    """Number of rounds of the same prompts."""
    repetitions: int
    """Number of back-to-back trials of one model and prompt; 1 if there are none. They show variation but are not
    rounds.
    """
    means: bool
    """Whether each row is the mean of several trials."""
    categories: int
    unit: Unit
    basis: Basis
    order: Order
    overall_recorded: bool
    """Whether the file has a column for tokens ÷ total time."""
    short: int
    """Number of rows with fewer than 64 tokens. In an imported file they count as well."""


def layout_of(session: Session, cells: RecordedCells) -> Layout:
    """Return how the file was measured.

    Args:
        session: the imported session.
        cells: its usable rows.
    """
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
    """Return mean, median, range and variation of the values that are not None; None if there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    middle = mean(known)
    cv = deviation(known) / middle if len(known) > 1 and middle else None
    return Level(middle, statistics.median(known), min(known), max(known), cv, len(known))


def ttft_s(row: TrialRow) -> float | None:
    """Return the time to first token of a row in seconds; None if the row failed or has none."""
    return None if row.outcome != "ok" or row.figures.ttft_ms is None else row.figures.ttft_ms / 1000


def audited_model(session: Session, index: int, levels: list[float] | None, cells: RecordedCells) -> ModelAudit:
    """Return the figures of one model in the file.

    Args:
        session: the imported session.
        index: index of the model.
        levels: the machine's memory in MB after each of the model's rows, relative to the start; None: not recorded.
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
