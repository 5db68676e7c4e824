"""The verdicts on all pairs of contenders in all figures, as one flat list."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from llmtui.core.pairing import Figure, is_imported
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.core.waits import WAITS, WaitVerdict, wait_verdicts

SPEEDS: tuple[Figure, ...] = ("decode_tps", "decode_cps")


class PairVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on two contenders in one figure. If one of them is better, it is ``first``."""

    first: int
    second: int
    figure: str
    n: int
    """Number of counted rounds. For an imported file, the number of categories or repetitions."""
    ratio: float | None
    """Speed of the first ÷ speed of the second, or time of the second ÷ time of the first."""
    low: float | None
    high: float | None
    """Upper end of the 95 % interval of the ratio, valid for all pairs of the figure together; None below three
    rounds."""
    p_adjusted: float | None
    word: str


def pair_verdicts(session: Session) -> tuple[PairVerdict, ...]:
    """Return the verdicts on all pairs: those on tokens and characters per second, then those on waiting times.

    For an imported file there is only one speed.
    """
    if is_imported(session.plan):
        return tuple(_flat(one, "decode_tps") for one in verdicts(session))
    speeds = [_flat(one, figure) for figure in SPEEDS for one in verdicts(session, figure)]
    waits = [_flat(one, figure) for figure in WAITS for one in wait_verdicts(session, figure)]
    return (*speeds, *waits)


def leading(pairs: Sequence[PairVerdict]) -> PairVerdict | None:
    """Return the verdict on the best contender and the one closest to it, from the pairs of one figure.

    None if no contender is ``first`` in all its pairs, or if there are no pairs.
    """
    second = {one.second for one in pairs}
    of_best = [one for one in pairs if one.first not in second]
    return min(of_best, key=lambda one: math.inf if one.ratio is None else one.ratio, default=None)


def _flat(one: SpeedVerdict | WaitVerdict, figure: str) -> PairVerdict:
    return PairVerdict(
        first=one.first,
        second=one.second,
        figure=figure,
        n=one.rounds,
        ratio=one.ratio,
        low=one.low,
        high=one.high,
        p_adjusted=one.p_adjusted,
        word=one.word,
    )
