"""Every verdict on a pair as one flat list: for each figure and each pair exactly one word."""

from __future__ import annotations

import msgspec

from llmtui.core.pairing import Figure, is_imported
from llmtui.core.session import Session
from llmtui.core.verdict import SpeedVerdict, verdicts
from llmtui.core.waits import WAITS, WaitVerdict, wait_verdicts

SPEEDS: tuple[Figure, ...] = ("decode_tps", "decode_cps")


class PairVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of two contenders in one figure; ``first`` is the better one wherever one is."""

    first: int
    second: int
    figure: str
    n: int
    """Rounds that count; of an imported file its categories or repetitions."""
    ratio: float | None
    """How many times as fast the first is, or how many times as long the second takes."""
    low: float | None
    high: float | None
    """Simultaneous 95 % interval over the pairs of this figure; None below three rounds."""
    p_adjusted: float | None
    word: str


def pair_verdicts(session: Session) -> tuple[PairVerdict, ...]:
    """Return the verdicts of all pairs: tokens and characters per second, then waiting times.

    An imported file has its one speed alone.
    """
    if is_imported(session.plan):
        return tuple(_flat(one, "decode_tps") for one in verdicts(session))
    speeds = [_flat(one, figure) for figure in SPEEDS for one in verdicts(session, figure)]
    waits = [_flat(one, figure) for figure in WAITS for one in wait_verdicts(session, figure)]
    return (*speeds, *waits)


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
