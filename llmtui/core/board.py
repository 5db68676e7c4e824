"""The scoreboard as data: models ordered by a figure, with ranks and the verdicts on neighbouring rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from llmtui.core.findings import memory_compared, memory_held
from llmtui.core.letters import ranks
from llmtui.core.measures import measure_of, reading, value_of
from llmtui.core.pairing import Figure
from llmtui.core.session import Session
from llmtui.core.summary import ContenderSummary, summarise
from llmtui.core.uses import MEMORY_APART, wait_ranks
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.core.waits import WaitFigure, WaitVerdict, wait_verdicts
from llmtui.core.what_holds import Mark

FOCUS: Final = "decode_tps"
"""Id of the figure that models are ordered by if none is chosen."""
SPEEDS: Final[dict[str, Figure]] = {"decode_tps": "decode_tps", "decode_cps": "decode_cps"}
TIMES: Final[dict[str, WaitFigure]] = {
    "ttft_ms": "ttft_ms",
    "ttfo_ms": "ttfo_ms",
    "follow_up_ttft_ms": "follow_up_ttft_ms",
    "cold_first_ms": "cold_ttft_ms",
}
"""Waiting times that have verdicts: id in the table → id in the verdicts."""

PairVerdictOf = SpeedVerdict | WaitVerdict


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One model's row of the scoreboard."""

    line: ContenderSummary
    rank: int | None
    """1 + the number of models that a verdict on the figure puts above this one; None if it is not compared."""
    shared: bool
    """Whether another model has the same rank."""
    following: PairVerdictOf | None
    """The verdict on this model and the one in the next row; None if there is none."""
    half: float | None
    """Half the width of an interval on the natural log scale: the interval of this model's ratio to the first row's
    model. None for the first row and below three rounds."""


def board(session: Session, figure: str = FOCUS, *, best_first: bool = True) -> tuple[BoardRow, ...]:
    """Return the models ordered by a figure; models without the figure come last, in the plan's order.

    Args:
        session: the session, running or finished.
        figure: id of the figure.
        best_first: whether the best model is first; if False, the order of the models that have the figure is reversed.
    """
    one = measure_of(figure)
    assert one is not None, figure
    lines = summarise(session).lines
    values = {line.contender: value_of(reading(one, line)) for line in lines}
    sign = (-1 if one.better == "higher" else 1) * (1 if best_first else -1)
    order = sorted(lines, key=lambda line: _place(values[line.contender], sign))
    found = verdicts_on(session, figure)
    place = _ranks(found)
    taken = list(place.values())
    pairs = {frozenset((verdict.first, verdict.second)): verdict for verdict in found}
    below = [line.contender for line in order[1:]]
    return tuple(
        BoardRow(
            line=line,
            rank=place.get(line.contender),
            shared=taken.count(place.get(line.contender, 0)) > 1,
            following=pairs.get(frozenset((line.contender, *below[at : at + 1]))),
            half=_half(pairs.get(frozenset((line.contender, order[0].contender)))),
        )
        for at, line in enumerate(order)
    )


def verdicts_on(session: Session, figure: str) -> Sequence[PairVerdictOf]:
    """Return the verdicts on a figure of the table; empty if the figure has no verdicts."""
    if figure in SPEEDS:
        return verdicts(session, SPEEDS[figure])
    return wait_verdicts(session, TIMES[figure]) if figure in TIMES else ()


def best_of(session: Session, figure: str) -> tuple[int, Mark] | None:
    """Return the contender that is alone in first place for a figure, and how certain that is.

    None if verdicts do not separate one contender from all others. Memory has no verdicts: for it, the second smallest
    amount must be more than 3 % larger than the smallest.
    """
    if figure == "memory_peak_bytes":
        sizes = memory_compared(memory_held(session))
        if sizes is None or sizes.sizes[1][1] <= MEMORY_APART * sizes.sizes[0][1]:
            return None
        return sizes.sizes[0][0], "told"
    found = verdicts_on(session, figure)
    place = _ranks(found)
    first = [index for index, rank in place.items() if rank == 1]
    if len(first) != 1 or len(place) < 2:
        return None
    words = [one.word for one in found if one.first == first[0]]
    return first[0], "ahead" if "ahead" in words else "told"


def gpu_share(session: Session, contender: int) -> float | None:
    """Return the share (0 to 1) of a model that is in GPU memory; None if the server does not report it."""
    shares = [
        row.resident.vram_bytes / row.resident.size_bytes
        for row in session.rows
        if row.trial.contender == contender and row.resident is not None
        if row.resident.size_bytes and row.resident.vram_bytes is not None
    ]
    return max(shares, default=None)


def _ranks(found: Sequence[PairVerdictOf]) -> dict[int, int]:
    speeds = [one for one in found if isinstance(one, SpeedVerdict)]
    return ranks(speeds) if speeds else wait_ranks([one for one in found if isinstance(one, WaitVerdict)])


def _place(value: float | None, sign: int) -> tuple[bool, float]:
    return value is None, 0.0 if value is None else sign * value


def _half(verdict: PairVerdictOf | None) -> float | None:
    if verdict is None or verdict.low is None or verdict.high is None:
        return None
    return math.log(verdict.high / verdict.low) / 2
