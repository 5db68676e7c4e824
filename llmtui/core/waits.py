"""Verdicts on the waiting times of two contenders, as data without wording.

A round is one observation: its mean log ratio over the prompts that both contenders answered. From three rounds on
there is a confidence interval, as for the decode speed. Rules and their simulated error rates: docs/method.md,
"Verdicts".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import msgspec

from llmtui.core.flags import counts_for_text_speed, counts_for_ttft
from llmtui.core.interval import PairInterval, forecasts, pair_intervals
from llmtui.core.metrics import quantile
from llmtui.core.pairing import amount_and_seconds, is_imported
from llmtui.core.plan import Kind
from llmtui.core.session import Session
from llmtui.core.stats import mean
from llmtui.core.trial_row import TrialRow

NOTICEABLE_MS = 50.0
"""Smallest difference of two medians, in ms, that a waiting person notices."""
SOONER = math.log(1.10)
ANSWER_CHARS = 500
"""Number of characters of the answer in ``cold_answer_ms``, about 80 words."""

WaitFigure = Literal["ttft_ms", "ttfo_ms", "cold_ttft_ms", "follow_up_ttft_ms", "cold_answer_ms"]
WAITS: tuple[WaitFigure, ...] = ("ttft_ms", "ttfo_ms", "cold_ttft_ms", "follow_up_ttft_ms", "cold_answer_ms")
"""Waiting times with verdicts: TTFT and TTFO of warm trials, TTFT of cold starts and of follow-ups, and the time of a
cold start with an answer of 500 characters."""
WaitWord = Literal[
    "sooner", "seems_sooner", "equal", "no_noticeable_difference", "too_close", "too_few_rounds", "no_verdict",
]  # fmt: skip
FINAL_WAITS: tuple[WaitWord, ...] = ("sooner", "equal", "no_noticeable_difference")

Times = Mapping[int, Mapping[int | None, float]]
"""Times of one contender in ms, by round and prompt."""


class WaitPair(NamedTuple):
    """Two contenders' times from the same rounds, as log ratios: ln(time of the second ÷ time of the first)."""

    first: int
    second: int
    rounds: tuple[float, ...]
    difference_ms: float
    """Median time of the second − median time of the first over their common trials, in ms."""


class WaitVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on one waiting time of two contenders. If one contender is sooner, it is ``first``."""

    word: WaitWord
    first: int
    second: int
    rounds: int = 0
    ratio: float | None = None
    """Time of the second ÷ time of the first."""
    low: float | None = None
    high: float | None = None
    """Upper end of the 95 % interval of the ratio, valid for all pairs of the table together; None below three
    rounds."""
    p_adjusted: float | None = None
    difference_ms: float | None = None
    """Median time of the second − median time of the first over their common trials, in ms."""
    more_rounds: int | None = None
    """For an undecided pair: number of further rounds after which a final verdict is expected; None: more than 20."""


def wait_verdicts(session: Session, figure: WaitFigure = "ttft_ms") -> tuple[WaitVerdict, ...]:
    """Return a verdict for every pair of contenders; the pairs are in the order of the plan."""
    times = [wait_times(session, index, figure) for index in range(len(session.plan.contenders))]
    least = 1 if figure not in ("ttft_ms", "ttfo_ms") else math.ceil(len(session.plan.prompts) / 2)
    pairs = [pair_times(times[a], times[b], a, b, least) for a, b in combinations(range(len(times)), 2)]
    return judge_waits(pairs)


def pair_times(first: Times, second: Times, a: int, b: int, least: int) -> WaitPair:
    """Return the rounds in which both contenders have times for the same prompts.

    Args:
        first: times of the first contender.
        second: times of the second contender.
        a: index of the first contender in the plan.
        b: index of the second contender in the plan.
        least: smallest number of common prompts for a round to count.
    """
    common = {
        number: prompts
        for number in sorted(first.keys() & second.keys())
        if len(prompts := sorted(first[number].keys() & second[number].keys(), key=lambda at: at or 0)) >= least
    }
    sides = [
        [one[number][prompt] for number, prompts in common.items() for prompt in prompts] for one in (first, second)
    ]
    return WaitPair(
        first=a,
        second=b,
        rounds=tuple(
            mean([math.log(second[number][prompt] / first[number][prompt]) for prompt in prompts])
            for number, prompts in common.items()
        ),
        difference_ms=quantile(sorted(sides[1]), 0.5) - quantile(sorted(sides[0]), 0.5) if common else 0.0,
    )


def judge_waits(pairs: Sequence[WaitPair], *, forecast: bool = True) -> tuple[WaitVerdict, ...]:
    """Return a verdict for each pair.

    The 95 % level of the intervals holds jointly for all pairs that have at least three rounds.

    Args:
        pairs: all pairs of one table.
        forecast: whether to compute the number of further rounds that undecided pairs need.
    """
    series = [pair.rounds for pair in pairs]
    made = [_judged(pair, found) for pair, found in zip(pairs, pair_intervals(series), strict=True)]
    if not forecast or all(one.word in FINAL_WAITS or not one.rounds for one in made):
        return tuple(made)
    expected = forecasts(series, lambda at, interval: wait_word(interval, _difference(pairs[at])) in FINAL_WAITS)
    return tuple(
        msgspec.structs.replace(one, more_rounds=more) if one.rounds and one.word not in FINAL_WAITS else one
        for one, more in zip(made, expected, strict=True)
    )


def wait_word(interval: PairInterval, difference_ms: float) -> WaitWord:
    """Return the verdict of the first rule that applies to a pair.

    Args:
        interval: interval of the log ratio, with a mean of at least 0.
        difference_ms: median of the slower − median of the faster contender, in ms. It is negative if the medians and
            the means disagree about the order.
    """
    if abs(difference_ms) < NOTICEABLE_MS:
        return "no_noticeable_difference"
    if interval.low > SOONER and difference_ms > 0:
        return "sooner"
    if interval.low > -SOONER and interval.high < SOONER:
        return "equal"
    return "seems_sooner" if interval.low > 0 else "too_close"


def wait_times(session: Session, contender: int, figure: WaitFigure) -> Times:
    """Return those times of one contender which count, in ms, by round and prompt.

    For figures with one trial per round, the prompt is None. An imported file has no rounds; its result is empty.
    """
    if is_imported(session.plan):
        return {}
    mine = [row for row in session.rows if row.trial.contender == contender]
    if figure == "cold_answer_ms":
        return _cold_answers(mine)
    kinds: dict[WaitFigure, Kind] = {"cold_ttft_ms": "cold", "follow_up_ttft_ms": "follow_up"}
    kind = kinds.get(figure, "warm")
    found: dict[int, dict[int | None, float]] = {}
    for row in mine:
        value = row.figures.ttfo_ms if figure == "ttfo_ms" else row.figures.ttft_ms
        # A repeated follow-up has the same text, so the server has already processed all of it.
        repeated = kind == "follow_up" and row.repeats is not None
        if row.trial.kind == kind and counts_for_ttft(row) and value and not repeated:
            found.setdefault(row.trial.round, {})[row.trial.prompt if kind == "warm" else None] = value
    return found


def _cold_answers(rows: Sequence[TrialRow]) -> Times:
    """Return, by round, the time in ms of a cold start with an answer of 500 characters.

    It is the sum of the cold start's TTFT, the mean thinking time and the time for 500 characters, all from trials of
    the same round.
    """
    found: dict[int, dict[int | None, float]] = {}
    for row in rows:
        if row.trial.kind != "cold" or not counts_for_ttft(row) or row.figures.ttft_ms is None:
            continue
        warm = [one for one in rows if one.trial.kind == "warm" and one.trial.round == row.trial.round]
        thinking = [
            one.figures.ttfo_ms - one.figures.ttft_ms
            for one in warm
            if counts_for_ttft(one) and one.figures.ttfo_ms is not None and one.figures.ttft_ms is not None
        ]
        text = [amount_and_seconds(one, "decode_cps") for one in warm if counts_for_text_speed(one)]
        if thinking and text:
            ms_per_char = 1000 * math.fsum(over_s for _, over_s in text) / sum(chars for chars, _ in text)
            found[row.trial.round] = {None: row.figures.ttft_ms + mean(thinking) + ANSWER_CHARS * ms_per_char}
    return found


def _difference(pair: WaitPair) -> float:
    """Return the median time of the slower contender − that of the other, in ms.

    The mean ratio decides which contender is the slower one.
    """
    return pair.difference_ms if mean(pair.rounds) >= 0 else -pair.difference_ms


def _judged(pair: WaitPair, found: PairInterval | None) -> WaitVerdict:
    if not pair.rounds:
        return WaitVerdict(word="no_verdict", first=pair.first, second=pair.second)
    middle = mean(pair.rounds)
    first, second = (pair.first, pair.second) if middle >= 0 else (pair.second, pair.first)
    interval = None if found is None else found.oriented()
    difference = _difference(pair)
    word: WaitWord = "too_few_rounds" if interval is None else wait_word(interval, difference)
    shown = None if word == "no_noticeable_difference" else interval
    return WaitVerdict(
        word=word,
        first=first,
        second=second,
        rounds=len(pair.rounds),
        ratio=None if word == "no_noticeable_difference" else math.exp(abs(middle)),
        low=None if shown is None else math.exp(shown.low),
        high=None if shown is None else math.exp(shown.high),
        p_adjusted=None if interval is None else interval.p_adjusted,
        difference_ms=difference,
    )
