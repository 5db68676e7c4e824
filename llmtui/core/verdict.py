"""Who is faster, as far as it can be told: verdicts as data, without words.

The unit is the round. Rules and their simulated error rates: docs/method.md, "Verdicts".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import msgspec

from llmtui.core.checks import CONDITIONS, counts_for_speed, counts_for_ttft, is_interfered_with
from llmtui.core.metrics import quantile
from llmtui.core.pairing import Pair, is_imported, pair_up
from llmtui.core.recorded_pairs import Unit, pair_recorded, recorded_cells
from llmtui.core.session import Session
from llmtui.core.stats import Trend, deviation, holm, mean, stratified_trend, t_interval, t_quantile, t_two_sided
from llmtui.core.trial_row import TrialRow, asked_again

MARGIN = math.log(1.03)
"""Half the width of "practically equal", symmetric on the log scale: swapping the names keeps the verdict."""
AHEAD = 1.10
"""Smallest lead on every prompt from which one or two rounds may say "ahead"."""
MIN_PROMPTS = 3
MIN_ROUNDS = 3
SLIGHTLY_P = 0.01
DEVIATION_FLOOR = 0.001
MAX_MORE_ROUNDS = 20
MAX_DISTURBED = 0.20
TTFT_EQUAL_MS = 50.0
TTFT_EQUAL_SHARE = 0.10
NARROW = math.log(1.015)
DRIFT_P = 0.05
DRIFT_SHARE = 0.03

Word = Literal[
    "faster", "slightly_faster", "practically_equal", "ahead", "too_close", "too_few_prompts", "not_resolved",
    "no_verdict",
]  # fmt: skip
SEPARATING: tuple[Word, ...] = ("faster", "slightly_faster", "ahead")
OPEN: tuple[Word, ...] = ("too_close", "too_few_prompts", "not_resolved")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of two contenders' writing speed. ``first`` leads wherever one leads."""

    word: Word
    first: int
    second: int
    """Indices into Plan.contenders; in the order of the ratio, first ≥ second."""
    rounds: int = 0
    """Counted rounds; of an imported file with one round counted categories."""
    unit: Unit = "round"
    """What is taken for one independent observation."""
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    """95 % interval of the ratio; None below three rounds."""
    smallest_lead: float | None = None
    more_rounds: int | None = None
    """For not_resolved: rounds after which these rules are expected to say something else; None: more than 20."""
    why: str | None = None
    """For no_verdict: ``no_common_rows``, ``disturbed``, ``few_pairs``."""
    conditions: tuple[str, ...] = ()


class TtftVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of two contenders' warm time to first token; ``first`` has the smaller median."""

    word: Literal["sooner", "equal", "not_told_apart", "no_verdict"]
    first: int
    second: int
    difference_ms: float | None = None


def verdicts(session: Session) -> tuple[Verdict, ...]:
    """Gives a verdict for every pair of contenders, in the plan's order of pairs."""
    indices = range(len(session.plan.contenders))
    if is_imported(session.plan):
        cells = recorded_cells(session)
        return judge_recorded([pair_recorded(cells, a, b) for a, b in combinations(indices, 2)], cells.unit)
    pairs = [pair_up(session.plan, session.rows, a, b) for a, b in combinations(indices, 2)]
    disturbed = {index for index in indices if disturbed_share(session.rows, index) > MAX_DISTURBED}
    held = {index: _conditions(session.rows, index) for index in indices}
    return tuple(
        msgspec.structs.replace(
            one, conditions=tuple(flag for flag in CONDITIONS if flag in held[one.first] | held[one.second])
        )
        for one in judge(pairs, disturbed=disturbed)
    )


def settled(found: Sequence[Verdict]) -> bool:
    """Whether further rounds are not worth their time: no pair is open, or every ratio is known to ± 1.5 %."""
    if not any(one.word in OPEN for one in found):
        return True
    widths = [
        math.log(one.high / one.low) / 2
        for one in found
        if one.word != "no_verdict" and one.low is not None and one.high is not None
    ]
    judged = [one for one in found if one.word != "no_verdict"]
    return len(widths) == len(judged) and max(widths) <= NARROW


def judge(pairs: Sequence[Pair], *, disturbed: set[int] | frozenset[int] = frozenset()) -> tuple[Verdict, ...]:
    """Gives a verdict a pair; p-values are adjusted over all pairs with three rounds or more."""
    valid = [not disturbed.intersection((pair.first, pair.second)) for pair in pairs]
    tested = [at for at, pair in enumerate(pairs) if valid[at] and len(pair.rounds) >= MIN_ROUNDS]
    p_values = [_p(pairs[at].rounds) for at in tested]
    made: list[Verdict] = []
    for at, pair in enumerate(pairs):
        if not valid[at]:
            made.append(_nothing(pair, "disturbed"))
        elif not pair.rounds:
            made.append(_nothing(pair, "few_pairs" if pair.common else "no_common_rows"))
        elif len(pair.rounds) < MIN_ROUNDS:
            made.append(_few_rounds(pair))
        else:
            made.append(_many_rounds(pair, p_values, tested.index(at)))
    return tuple(made)


def judge_recorded(pairs: Sequence[Pair], unit: Unit) -> tuple[Verdict, ...]:
    """Return a verdict for each pair of an imported file.

    More rounds cannot be had of what is over, so no forecast is given.
    """
    return tuple(msgspec.structs.replace(one, unit=unit, more_rounds=None) for one in judge(pairs))


def disturbed_share(rows: Sequence[TrialRow], contender: int) -> float:
    """Gives the share of a contender's warm rows that were disturbed; attempts that were repeated do not count.

    Outliers without a known cause do not either: a machine that becomes slower in the middle makes many of them, and
    since models take turns the comparison stands.
    """
    repeated = asked_again(rows)
    warm = [
        row
        for row in rows
        if row.trial.contender == contender and row.trial.kind == "warm" and row.trial.id not in repeated
    ]
    return sum(map(is_interfered_with, warm)) / len(warm) if warm else 0.0


def groups(session: Session, found: Sequence[Verdict]) -> dict[int, str]:
    """Gives letters: two contenders share one unless a verdict separates them (Piepho 2004, compact letter display).

    Contenders without any verdict have no letter.
    """
    apart = {frozenset((one.first, one.second)) for one in found if one.word in SEPARATING}
    judged = {index for one in found if one.word != "no_verdict" for index in (one.first, one.second)}
    speeds = {index: _contender_tps(session.rows, index) for index in judged}
    order = sorted(judged, key=lambda index: -speeds[index])
    sets: list[set[int]] = []
    for at, index in enumerate(order):
        fresh = {index} | {other for other in order[at + 1 :] if frozenset((index, other)) not in apart}
        # A set in which two members are apart is split until none is.
        for clique in _cliques(sorted(fresh, key=order.index), apart):
            if index in clique and not any(clique <= known for known in sets):
                sets.append(clique)
    letters = dict.fromkeys(order, "")
    for number, members in enumerate(sets):
        for index in members:
            letters[index] += chr(ord("a") + number)
    return letters


def ttft_verdict(session: Session, first: int, second: int) -> TtftVerdict:
    """Gives what can be said of warm TTFT: equal, sooner on every common prompt, or nothing."""
    times = [_ttft_by_prompt(session.rows, index) for index in (first, second)]
    if not times[0] or not times[1]:
        return TtftVerdict(word="no_verdict", first=first, second=second)
    medians = [quantile(sorted(value for values in one.values() for value in values), 0.5) for one in times]
    if medians[1] < medians[0]:
        first, second, times, medians = second, first, times[::-1], medians[::-1]
    difference = medians[1] - medians[0]
    if difference < TTFT_EQUAL_MS or difference < TTFT_EQUAL_SHARE * medians[1]:
        word: Literal["sooner", "equal", "not_told_apart"] = "equal"
    else:
        common = times[0].keys() & times[1].keys()
        leads = all(
            quantile(sorted(times[0][prompt]), 0.5) < quantile(sorted(times[1][prompt]), 0.5) for prompt in common
        )
        word = "sooner" if leads and len(common) >= MIN_PROMPTS else "not_told_apart"
    return TtftVerdict(word=word, first=first, second=second, difference_ms=difference)


class Drift(NamedTuple):
    """The machine became slower (or faster) over the session."""

    share: float
    """Change of the time a token takes over the whole session: 0.06 is 6 % slower."""
    p: float


def drift(session: Session) -> Drift | None:
    """Gives a change of speed that rows of the same model and prompt show over the session; None where they show none.

    Asks for three rounds, p < 0.05 in a stratified Kendall test, and more than 3 % from first to last row.
    """
    if is_imported(session.plan):
        return None
    strata: dict[tuple[int, int | None], list[tuple[float, float]]] = {}
    for row in session.rows:
        if counts_for_speed(row) and row.figures.tpot_ms is not None:
            strata.setdefault((row.trial.contender, row.trial.prompt), []).append(
                (row.t_ns / 1e9, math.log(row.figures.tpot_ms))
            )
    if max((len(points) for points in strata.values()), default=0) < MIN_ROUNDS:
        return None
    trend: Trend = stratified_trend(strata.values())
    times = [x for points in strata.values() for x, _ in points]
    share = math.expm1(trend.slope * (max(times) - min(times)))
    return Drift(share, trend.p) if trend.p < DRIFT_P and abs(share) > DRIFT_SHARE else None


def _conditions(rows: Sequence[TrialRow], contender: int) -> set[str]:
    """Lasting conditions under which a contender's compared rows came about."""
    return {
        flag
        for row in rows
        if row.trial.contender == contender and counts_for_speed(row)
        for flag in row.flags
        if flag in CONDITIONS
    }


def _nothing(pair: Pair, why: str) -> Verdict:
    return Verdict(word="no_verdict", first=pair.first, second=pair.second, rounds=len(pair.rounds), why=why)


def _few_rounds(pair: Pair) -> Verdict:
    """One or two rounds: only a lead on everything, and a large one, is worth a word."""
    middle = mean(pair.rounds)
    first, second, sign = _ordered(pair, middle)
    leads = [sign * lead for round_leads in pair.leads for lead in round_leads]
    fewest = min(map(len, pair.leads))
    smallest = math.exp(min(leads))
    word: Word = "too_close"
    if fewest < MIN_PROMPTS:
        word = "too_few_prompts"
    elif smallest >= AHEAD:
        word = "ahead"
    return Verdict(
        word=word,
        first=first,
        second=second,
        rounds=len(pair.rounds),
        ratio=math.exp(abs(middle)),
        smallest_lead=smallest,
    )


def _many_rounds(pair: Pair, p_values: Sequence[float], place: int) -> Verdict:
    interval = t_interval(pair.rounds, floor=DEVIATION_FLOOR)
    first, second, sign = _ordered(pair, interval.mean)
    low, high = sorted((sign * interval.low, sign * interval.high))
    word = _word(low, high, holm(p_values)[place])
    return Verdict(
        word=word,
        first=first,
        second=second,
        rounds=interval.n,
        ratio=math.exp(abs(interval.mean)),
        low=math.exp(low),
        high=math.exp(high),
        more_rounds=_more_rounds(pair.rounds, p_values, place) if word == "not_resolved" else None,
    )


def _word(low: float, high: float, adjusted_p: float) -> Word:
    """The first rule that applies, for an interval whose mean is not negative."""
    if low > MARGIN:
        return "faster"
    if low > -MARGIN and high < MARGIN:
        return "practically_equal"
    return "slightly_faster" if adjusted_p < SLIGHTLY_P else "not_resolved"


def _more_rounds(values: Sequence[float], p_values: Sequence[float], place: int) -> int | None:
    """The fewest further rounds after which, with this mean and deviation, the rules say something else."""
    middle, spread, n = abs(mean(values)), max(deviation(values), DEVIATION_FLOOR), len(values)
    for more in range(1, MAX_MORE_ROUNDS + 1):
        error = spread / math.sqrt(n + more)
        half = t_quantile(0.975, n + more - 1) * error
        expected = [*p_values]
        expected[place] = t_two_sided(middle / error, n + more - 1)
        if _word(middle - half, middle + half, holm(expected)[place]) != "not_resolved":
            return more
    return None


def _p(values: Sequence[float]) -> float:
    error = max(deviation(values), DEVIATION_FLOOR) / math.sqrt(len(values))
    return t_two_sided(mean(values) / error, len(values) - 1)


def _ordered(pair: Pair, middle: float) -> tuple[int, int, int]:
    """The pair in the order of its ratio, and the sign that makes the leader's log ratios positive."""
    return (pair.first, pair.second, 1) if middle >= 0 else (pair.second, pair.first, -1)


def _contender_tps(rows: Sequence[TrialRow], index: int) -> float:
    mine = [row for row in rows if row.trial.contender == index and counts_for_speed(row)]
    over_s = math.fsum(row.figures.decode_s or 0.0 for row in mine)
    return sum(row.figures.decode_steps or 0 for row in mine) / over_s if over_s else 0.0


def _ttft_by_prompt(rows: Sequence[TrialRow], index: int) -> dict[int, list[float]]:
    times: dict[int, list[float]] = {}
    for row in rows:
        if row.trial.contender == index and row.trial.kind == "warm" and counts_for_ttft(row):
            assert row.trial.prompt is not None, "warm trials have a prompt"
            assert row.figures.ttft_ms is not None, "counted rows have a time"
            times.setdefault(row.trial.prompt, []).append(row.figures.ttft_ms)
    return times


def _cliques(members: Sequence[int], apart: set[frozenset[int]]) -> list[set[int]]:
    """All largest subsets without a separated pair, by splitting at the first such pair."""
    for a, b in combinations(members, 2):
        if frozenset((a, b)) in apart:
            without_a = _cliques([one for one in members if one != a], apart)
            without_b = _cliques([one for one in members if one != b], apart)
            found: list[set[int]] = []
            for candidate in sorted([*without_a, *without_b], key=len, reverse=True):
                if not any(candidate <= known for known in found):
                    found.append(candidate)
            return found
    return [set(members)]
