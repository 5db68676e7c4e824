"""Pairing of an imported file's trials: by the file's rounds, or by category if it has only one round."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from llmtui.core.pairing import PairedRounds
from llmtui.core.recorded import Basis, decode_amount, total_amount
from llmtui.core.session import Session
from llmtui.core.stats import mean
from llmtui.core.trial_row import TrialRow

Unit = Literal["round", "category", "run"]
"""What one independent observation is: a round of a session that ran here; for an imported file a category, or a
repetition of all its prompts (``run``)."""


class RecordedCells(NamedTuple):
    """The usable trials of an imported file, by contender and observation, and within that by category and prompt."""

    basis: Basis
    unit: Unit
    prompts: int
    """Number of prompts in the whole file."""
    cells: dict[int, dict[str, dict[tuple[str, int], tuple[float, float]]]]
    """(amount of text, seconds) by contender, name of the observation, and (category, prompt). If a category is the
    observation, all its prompts are added up as prompt 0."""


def recorded_cells(session: Session) -> RecordedCells:
    """Return the usable trials of an imported session. Cold and short trials count too, unlike in measured sessions."""
    basis, unit = basis_of(session), unit_of(session)
    found: dict[int, dict[str, dict[tuple[str, int], tuple[float, float]]]] = {}
    for row in session.rows:
        done = decode_amount(row) if basis == "writing" else total_amount(row)
        if row.trial.prompt is None or done is None or row.outcome != "ok":
            continue
        category = category_name(session, row)
        name, place = (
            (category, (category, 0)) if unit == "category" else (f"{row.trial.round}", (category, row.trial.prompt))
        )
        inside = found.setdefault(row.trial.contender, {}).setdefault(name, {})
        amount, over_s = inside.get(place, (0.0, 0.0))
        inside[place] = (amount + done[0], over_s + done[1])
    return RecordedCells(basis, unit, len(session.plan.prompts), found)


def basis_of(session: Session) -> Basis:
    """Return the figure by which the models of an imported file can be compared."""
    return "writing" if any(decode_amount(row) is not None for row in session.rows) else "usual"


def unit_of(session: Session) -> Unit:
    """Return what one observation of an imported file is: ``run`` or ``category``.

    It is ``run`` if the file repeats at least half of its prompts, for at least two models, or for the only model if it
    has one. A single row that occurs twice is not enough. Repetitions made directly after each other do not count.
    """
    if any(row.recorded is not None and row.recorded.repetition for row in session.rows):
        return "category"
    cells: dict[tuple[int, int], set[int | None]] = {}
    for row in session.rows:
        cells.setdefault((row.trial.round, row.trial.contender), set()).add(row.trial.prompt)
    wanted = min(2, len(session.plan.contenders))
    again = sum(2 * len(prompts) >= len(session.plan.prompts) for (number, _), prompts in cells.items() if number == 2)
    return "run" if again >= wanted else "category"


def pair_recorded(of: RecordedCells, first: int, second: int) -> PairedRounds:
    """Return the observations for which both contenders have usable trials, as log ratios.

    A repetition of the prompts counts if at least half of the file's prompts are common to both contenders. Within an
    observation, rates are pooled over the common prompts.

    Args:
        of: the trials of the imported file.
        first: index of the first contender.
        second: index of the second contender.
    """
    ours, theirs = of.cells.get(first, {}), of.cells.get(second, {})
    logs: list[float] = []
    leads: list[tuple[float, ...]] = []
    common = 0
    for name in ours:
        places = [place for place in ours[name] if place in theirs.get(name, {})]
        common += len(places)
        if not places or (of.unit == "run" and 2 * len(places) < of.prompts):
            continue
        rates = [_pooled(cells[name][place] for place in places) for cells in (ours, theirs)]
        logs.append(math.log(rates[0] / rates[1]))
        leads.append(tuple(_log(ours[name][place]) - _log(theirs[name][place]) for place in places))
    return PairedRounds(first=first, second=second, rounds=tuple(logs), leads=tuple(leads), common=common)


class RecordedSpeed(NamedTuple):
    """Geometric mean, lowest and highest value of the speed over the observations, and the number of observations."""

    value: float
    low: float
    high: float
    n: int


def recorded_speed(of: RecordedCells, contender: int, category: str | None = None) -> RecordedSpeed | None:
    """Return a model's speed in one category or in all; None if the file has no speed there.

    If two models have the same observations, the ratio of their speeds equals the ratio in their verdict.
    """
    units = [
        [part for (name, _), part in inside.items() if category in (None, name)]
        for inside in of.cells.get(contender, {}).values()
    ]
    rates = [_pooled(parts) for parts in units if parts]
    if not rates:
        return None
    return RecordedSpeed(math.exp(mean([math.log(rate) for rate in rates])), min(rates), max(rates), len(rates))


def category_name(session: Session, row: TrialRow) -> str:
    """Return a trial's category; if the file has no categories, the text of its prompt."""
    assert row.trial.prompt is not None, "an imported row has a prompt"
    prompt = session.plan.prompts[row.trial.prompt]
    return prompt.category or prompt.text


def _pooled(parts: Iterable[tuple[float, float]]) -> float:
    known = [*parts]
    return sum(amount for amount, _ in known) / math.fsum(over_s for _, over_s in known)


def _log(part: tuple[float, float]) -> float:
    return math.log(part[0] / part[1])
