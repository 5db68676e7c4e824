"""Verdicts on the decode speed of two contenders, as data without wording.

A round is one observation. Rules and their simulated error rates: docs/method.md, "Verdicts".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import msgspec

from llmtui.core.conditions import Condition, conditions_of_pair
from llmtui.core.flags import is_interfered_with
from llmtui.core.interval import PairInterval, forecasts, pair_intervals
from llmtui.core.pairing import Figure, PairedRounds, is_imported, pair_up
from llmtui.core.recorded_pairs import Unit, pair_recorded, recorded_cells
from llmtui.core.session import Session
from llmtui.core.stats import mean
from llmtui.core.trial_row import TrialRow, replaced_trials

MARGIN = math.log(1.03)
"""Limit of "practically equal" for log ratios, symmetric so that swapping the contenders does not change the
verdict."""
LEADS = math.log(1.10)
"""Smallest lead, as a log ratio, on every single prompt for the verdict ``leads_in_this_round`` after one round."""
AHEAD = math.log(1.20)
"""Smallest lead, as a log ratio, on every single prompt for the verdict ``ahead`` after two rounds."""
AHEAD_ROUNDS = 2
AHEAD_TIMES = 2.0
"""For the verdict ``ahead``, the mean lead must be at least this many times the difference between the two rounds."""
ROUNDING = 1e-9
"""Tolerance for rounding errors of logarithms."""
MIN_PROMPTS = 3
SLIGHTLY_P = 0.01
MAX_DISTURBED = 0.20
NARROW = math.log(1.015)

Word = Literal[
    "faster", "slightly_faster", "seems_faster", "practically_equal", "ahead", "leads_in_this_round", "too_close",
    "too_few_rounds", "too_few_prompts", "no_verdict",
]  # fmt: skip
SEPARATING: tuple[Word, ...] = ("faster", "slightly_faster", "ahead")
"""Verdicts that separate two contenders, so that they have different letters and ranks."""
FINAL: tuple[Word, ...] = (*SEPARATING, "practically_equal")
"""Verdicts that are final. All others are open: more rounds may change them."""
SETTLES: tuple[Word, ...] = ("faster", "slightly_faster", "practically_equal")
"""Final verdicts that a confidence interval can lead to."""


class SpeedVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on two contenders' decode speed. If one of them leads, it is ``first``."""

    word: Word
    first: int
    second: int
    """Index into ``Plan.contenders``. The pair is ordered by its speed ratio: the faster contender is ``first``."""
    rounds: int = 0
    """Number of counted rounds. For an imported file with one round, the number of categories."""
    unit: Unit = "round"
    """Kind of independent observation: ``round``; for imported files ``category`` or ``run``."""
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    """Upper end of the 95 % interval of the ratio, valid for all pairs of the table together; None below three
    rounds."""
    p_adjusted: float | None = None
    """Two-sided p-value, adjusted by Holm over the pairs of the table; None below three rounds."""
    smallest_lead: float | None = None
    """Smallest speed ratio on any prompt; set only for one or two rounds."""
    more_rounds: int | None = None
    """For an open verdict: number of further rounds after which a final one is expected; None: more than 20."""
    why: str | None = None
    """Reason for ``no_verdict``: ``no_common_rows``, ``disturbed`` or ``few_pairs``."""
    conditions: tuple[Condition, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether further rounds may change the verdict."""
        return self.word not in FINAL


def verdicts(session: Session, figure: Figure = "decode_tps") -> tuple[SpeedVerdict, ...]:
    """Return a verdict for every pair of contenders; the pairs are in the order of the plan.

    Args:
        session: a finished or a running session.
        figure: ``decode_tps`` for tokens per second, or ``decode_cps`` for characters per second.
    """
    indices = range(len(session.plan.contenders))
    if is_imported(session.plan):
        cells = recorded_cells(session)
        return judge_recorded([pair_recorded(cells, a, b) for a, b in combinations(indices, 2)], cells.unit)
    pairs = [pair_up(session.plan, session.rows, a, b, figure) for a, b in combinations(indices, 2)]
    return tuple(
        msgspec.structs.replace(one, conditions=conditions_of_pair(session.rows, one.first, one.second))
        for one in judge(pairs, disturbed=disturbed_contenders(session))
    )


def judge(
    pairs: Sequence[PairedRounds], *, disturbed: set[int] | frozenset[int] = frozenset(), forecast: bool = True
) -> tuple[SpeedVerdict, ...]:
    """Return a verdict for each pair.

    The 95 % level of the intervals holds jointly for all pairs that have at least three rounds.

    Args:
        pairs: all pairs of one table.
        disturbed: contenders that get no verdict.
        forecast: whether to compute the number of further rounds that open pairs need.
    """
    series = [() if disturbed.intersection((pair.first, pair.second)) else pair.rounds for pair in pairs]
    intervals = pair_intervals(series)
    made = [
        _nothing(pair, disturbed) if not values else _few_rounds(pair) if found is None else _many_rounds(pair, found)
        for pair, values, found in zip(pairs, series, intervals, strict=True)
    ]
    if not forecast or not any(one.is_open and one.rounds for one in made):
        return tuple(made)
    expected = forecasts(series, lambda _, interval: word_of(interval) in SETTLES)
    return tuple(
        msgspec.structs.replace(one, more_rounds=more) if one.is_open and one.word != "no_verdict" else one
        for one, more in zip(made, expected, strict=True)
    )


def judge_recorded(pairs: Sequence[PairedRounds], unit: Unit) -> tuple[SpeedVerdict, ...]:
    """Return a verdict for each pair of an imported file.

    There is no forecast of further rounds, since an imported file cannot get any.
    """
    return tuple(msgspec.structs.replace(one, unit=unit, more_rounds=None) for one in judge(pairs))


def word_of(interval: PairInterval) -> Word:
    """Return the verdict of the first rule that applies to an interval with a mean of at least 0."""
    if interval.low > MARGIN:
        return "faster"
    if interval.low > -MARGIN and interval.high < MARGIN:
        return "practically_equal"
    if interval.low <= 0:
        return "too_close"
    return "slightly_faster" if interval.p_adjusted < SLIGHTLY_P else "seems_faster"


def settled(found: Sequence[SpeedVerdict]) -> bool:
    """Return whether further rounds are not worthwhile: no pair is open, or every ratio is known to ± 1.5 %.

    Pairs without a verdict are ignored, since their disturbances and failures are expected to continue.
    """
    judged = [one for one in found if one.word != "no_verdict"]
    if not any(one.is_open for one in judged):
        return True
    widths = [math.log(one.high / one.low) / 2 for one in judged if one.low is not None and one.high is not None]
    return len(widths) == len(judged) and max(widths) <= NARROW


def disturbed_contenders(session: Session) -> frozenset[int]:
    """Return the contenders that get no verdict, because more than a fifth of their warm trials were disturbed."""
    contender = range(len(session.plan.contenders))
    return frozenset(index for index in contender if disturbed_share(session.rows, index) > MAX_DISTURBED)


def disturbed_share(rows: Sequence[TrialRow], contender: int) -> float:
    """Return the share of a contender's warm trials that were disturbed; trials that were repeated are ignored.

    Outliers without a known cause do not count as disturbed: a machine that slows down midway produces many of them,
    and since models alternate, the comparison remains valid. A machine that is busy most of the time is a condition
    instead.
    """
    repeated = replaced_trials(rows)
    warm = [
        row
        for row in rows
        if row.trial.contender == contender and row.trial.kind == "warm" and row.trial.id not in repeated
    ]
    return sum(map(is_interfered_with, warm)) / len(warm) if warm else 0.0


def _nothing(pair: PairedRounds, disturbed: set[int] | frozenset[int]) -> SpeedVerdict:
    why = "few_pairs" if pair.common else "no_common_rows"
    if disturbed.intersection((pair.first, pair.second)):
        why = "disturbed"
    return SpeedVerdict(word="no_verdict", first=pair.first, second=pair.second, rounds=len(pair.rounds), why=why)


def _few_rounds(pair: PairedRounds) -> SpeedVerdict:
    """Return the verdict after one or two rounds.

    There is no confidence interval yet: only a large lead on every prompt counts.
    """
    middle = mean(pair.rounds)
    first, second, sign = _ordered(pair, middle)
    smallest = min(sign * lead for leads in pair.leads for lead in leads)
    return SpeedVerdict(
        word=_few_rounds_word(pair, abs(middle), smallest),
        first=first,
        second=second,
        rounds=len(pair.rounds),
        ratio=math.exp(abs(middle)),
        smallest_lead=math.exp(smallest),
    )


def _few_rounds_word(pair: PairedRounds, middle: float, smallest: float) -> Word:
    if min(map(len, pair.leads)) < MIN_PROMPTS:
        return "too_few_prompts"
    if len(pair.rounds) < AHEAD_ROUNDS:
        return "leads_in_this_round" if smallest >= LEADS - ROUNDING else "too_few_rounds"
    steady = middle >= AHEAD_TIMES * abs(pair.rounds[0] - pair.rounds[1])
    return "ahead" if smallest >= AHEAD - ROUNDING and steady else "too_few_rounds"


def _many_rounds(pair: PairedRounds, found: PairInterval) -> SpeedVerdict:
    first, second, _ = _ordered(pair, found.mean)
    interval = found.oriented()
    return SpeedVerdict(
        word=word_of(interval),
        first=first,
        second=second,
        rounds=interval.n,
        ratio=math.exp(interval.mean),
        low=math.exp(interval.low),
        high=math.exp(interval.high),
        p_adjusted=interval.p_adjusted,
    )


def _ordered(pair: PairedRounds, middle: float) -> tuple[int, int, int]:
    """Return the pair with the leader first, and the sign that makes the leader's log ratios positive."""
    return (pair.first, pair.second, 1) if middle >= 0 else (pair.second, pair.first, -1)
