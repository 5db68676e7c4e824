"""What a file of another program can bear, and which of the claims that are read out of it hold.

Claims are computed from the file and leave as codes with figures; their sentences are in ``llmtui.words.audit``. The
unit is the file's own repetition, or its category where it has one round only. Rules: docs/method.md, "Old results".
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from llmtui.core.recorded import Basis, usual_tps, written
from llmtui.core.recorded_pairs import RecordedCells, RecordedSpeed, Unit, category_name, recorded_cells, recorded_speed
from llmtui.core.session import Session
from llmtui.core.stats import deviation, mean
from llmtui.core.trial_row import TrialRow
from llmtui.core.verdict import Verdict, verdicts

Order = Literal["one_after_another", "taking_turns", "mixed", "one_model"]


class Level(msgspec.Struct, frozen=True):
    """A series in short."""

    mean: float
    median: float
    low: float
    high: float
    cv: float | None
    """Sample deviation ÷ mean; None for fewer than two values."""
    n: int


class ModelAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of one model."""

    model: str
    speed: RecordedSpeed | None
    """Geometric mean over the units: of the speed after the first token, or of tokens ÷ total time."""
    usual: Level | None
    """Tokens ÷ total time: the file's own column, else computed."""
    writing: Level | None
    """Speeds of the rows after the first token, all of them."""
    ttft_s: Level | None
    """All rows, as a dashboard averages them."""
    warm_ttft_s: Level | None
    cold_ttft_s: float | None
    """Of the first row that is taken for a cold start."""
    cold_times_slowest: float | None
    """That, as a multiple of the slowest of the model's other rows."""
    largest_change_mb: float | None
    """The largest figure of its memory column."""
    highest_mb: float | None
    """The changes of the machine's memory added up from the start of the file: the highest sum after a row of its."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How the file was measured, as far as its rows show it."""

    rows: int
    failed: int
    """Rows that cannot be measured."""
    program: str
    """Whose format the file has: a code of ``legacy.rows.Program``."""
    runs: int
    """Rounds of the same prompts."""
    repetitions: int
    """Trials of one model and prompt in a row, which show spread and are no rounds; 1 for none."""
    means: bool
    """Each row is the mean of several trials."""
    categories: int
    unit: Unit
    basis: Basis
    order: Order
    usual_recorded: bool
    """The file has a column for tokens ÷ total time."""
    short: int
    """Rows with fewer than 64 tokens, which count all the same."""


Says = Literal["fastest", "steadiest", "slow_category", "most_memory", "cold_start", "best_latency"]
Finding = Literal["stands", "not_shown", "wrong", "artefact", "in_part", "cannot_be_judged"]
Why = Literal[
    "interval_holds_1", "may_be_chance", "practically_equal", "no_interval", "another_is", "no_common_rows",
    "least_steady", "another_varies_less", "too_few_to_rank", "no_writing_speed", "cold_start", "waiting",
    "single_trial", "first_row", "machine_change", "not_known_what", "some_models", "single_trials",
    "repetitions", "not_apart",
]  # fmt: skip


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that the file is read to say, and whether it holds."""

    says: Says
    finding: Finding
    model: str | None = None
    """Whom the sentence names."""
    category: str | None = None
    other: str | None = None
    """Whom the figures name instead, or who is not told apart."""
    why: Why | None = None
    figures: dict[str, float] = {}


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file."""

    layout: Layout
    models: tuple[ModelAudit, ...]
    """In the order in which the file names them."""
    verdicts: tuple[Verdict, ...]
    """Of each pair, indices into ``models``."""
    claims: tuple[Claim, ...]
    """Only what somebody could read out of this file."""


def audit(session: Session) -> Audit:
    """Return the audit of an imported session."""
    from llmtui.legacy.claims import claims_of

    levels, cells = _memory_levels(session), recorded_cells(session)
    models = tuple(_model(session, at, levels.get(at), cells) for at in range(len(session.plan.contenders)))
    found = verdicts(session)
    layout = layout_of(session, cells)
    return Audit(layout=layout, models=models, verdicts=found, claims=claims_of(session, layout, models, found))


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
        usual_recorded=any(row.recorded is not None and row.recorded.usual_tps is not None for row in rows),
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
    whole = all(len(who) == models for who in by_round.values())
    return "taking_turns" if (whole and apart and len(by_round) > 1) or blocks >= len(rows) / 2 else "mixed"


def level(values: Iterable[float | None]) -> Level | None:
    """Return a series in short; None of nothing."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    middle = mean(known)
    cv = deviation(known) / middle if len(known) > 1 and middle else None
    return Level(middle, statistics.median(known), min(known), max(known), cv, len(known))


def ttft_s(row: TrialRow) -> float | None:
    """Return the time to the first token of a row that could be measured."""
    return None if row.outcome != "ok" or row.figures.ttft_ms is None else row.figures.ttft_ms / 1000


def _model(session: Session, index: int, levels: list[float] | None, cells: RecordedCells) -> ModelAudit:
    mine = [row for row in session.rows if row.trial.contender == index]
    cold = next((row for row in mine if row.trial.kind == "cold" and ttft_s(row) is not None), None)
    others = [wait for row in mine if row is not cold and (wait := ttft_s(row)) is not None]
    cold_s = None if cold is None else ttft_s(cold)
    changes = [row.recorded.ram_change_mb for row in mine if row.recorded and row.recorded.ram_change_mb is not None]
    return ModelAudit(
        model=session.plan.contenders[index].label,
        speed=recorded_speed(cells, index),
        usual=level(usual_tps(row) for row in mine if row.outcome == "ok"),
        writing=level(None if (done := written(row)) is None else done[0] / done[1] for row in mine),
        ttft_s=level(map(ttft_s, mine)),
        warm_ttft_s=level(ttft_s(row) for row in mine if row.trial.kind == "warm"),
        cold_ttft_s=cold_s,
        cold_times_slowest=None if cold_s is None or not others or not max(others) else cold_s / max(others),
        largest_change_mb=max(changes, default=None),
        highest_mb=None if levels is None else max(levels),
    )


def _memory_levels(session: Session) -> dict[int, list[float]]:
    """The changes added up: how far memory was above the empty machine after each row, by model."""
    total = 0.0
    levels: dict[int, list[float]] = {}
    for row in session.rows:
        if row.recorded is not None and row.recorded.ram_change_mb is not None:
            total += row.recorded.ram_change_mb
            levels.setdefault(row.trial.contender, []).append(total)
    return levels
