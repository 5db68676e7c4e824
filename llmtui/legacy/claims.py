"""Claims commonly made from benchmark tables, each compared with what the file's figures show.

A claim that no reader would make is left out: for example, if no model leads, a column is missing, or the file has only
one model.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import msgspec

from llmtui.core.interval import PairInterval, pair_intervals
from llmtui.core.recorded import decode_amount, overall_tps
from llmtui.core.recorded_pairs import category_name
from llmtui.core.session import Session
from llmtui.core.stats import mean
from llmtui.core.trial_row import TrialRow
from llmtui.core.verdict import SEPARATING, SpeedVerdict
from llmtui.legacy.model_audit import Layout, ModelAudit, ttft_s

Says = Literal["fastest", "steadiest", "slow_category", "most_memory", "cold_start", "best_latency"]
Finding = Literal["stands", "not_shown", "wrong", "artefact", "in_part", "cannot_be_judged"]
Why = Literal[
    "interval_holds_1", "may_be_chance", "practically_equal", "no_interval", "another_is", "no_common_rows",
    "least_steady", "another_varies_less", "too_few_to_rank", "no_writing_speed", "cold_start", "waiting",
    "single_trial", "first_row", "machine_change", "not_known_what", "some_models", "single_trials",
    "repetitions", "not_apart",
]  # fmt: skip


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, and whether it holds."""

    says: Says
    finding: Finding
    model: str | None = None
    """The model that the claim is about."""
    category: str | None = None
    other: str | None = None
    """The model that the figures show instead, or from which they cannot separate the claimed one."""
    why: Why | None = None
    figures: dict[str, float] = {}


NAMED_LEAD = 1.01
"""A model is called the fastest if its mean is at least this many times the next model's."""
NAMED_STEADIER = 1.10
NAMED_SPREAD = 0.03
"""A model is called the steadiest only if the next model's coefficient of variation is at least this."""
NAMED_SLOW = 2 / 3
"""A category is called slow for a model if the model's rate there is at most this fraction of the median of its other
rates.
"""
NAMED_SOONER_S = 0.05
"""A model is said to have the best latency only if its mean wait is shorter by at least this many seconds."""
NAMED_MEMORY = 1.03
SLOW_SHARE = 0.10
"""Text counts as slower in a category if its speed there is lower than elsewhere by at least this fraction."""
SOONER = math.log(1.10)
FEWEST = {"category": 4, "run": 3}
"""Smallest number of rounds or categories for comparing waits. Three pairs of single trials are not enough for a
winner.
"""


def claims_of(
    session: Session, layout: Layout, models: Sequence[ModelAudit], found: Sequence[SpeedVerdict]
) -> tuple[Claim, ...]:
    """Return the claims in display order.

    Args:
        session: the imported session.
        layout: how the file was measured.
        models: the audits of its models.
        found: the verdicts on its pairs of models.
    """
    made = (
        _fastest(models, found),
        _steadiest(models, layout),
        _slow_category(session, layout),
        _most_memory(session, models),
        _cold_start(models),
        _best_latency(session, layout, models),
    )
    return tuple(claim for claim in made if claim is not None)


def _fastest(models: Sequence[ModelAudit], found: Sequence[SpeedVerdict]) -> Claim | None:
    """Return the claim that a model has the highest mean of tokens ÷ total time, checked against the verdicts."""
    known = sorted(((one.overall.mean, -at) for at, one in enumerate(models) if one.overall is not None), reverse=True)
    if len(known) < 2 or known[0][0] < NAMED_LEAD * known[1][0]:
        return None
    overall, winner = known[0][0], -known[0][1]
    claim = Claim(
        says="fastest", finding="cannot_be_judged", model=models[winner].model, figures={"usual_tps": overall}
    )
    mine = [one for one in found if winner in (one.first, one.second) and one.ratio is not None]
    if not mine:
        return msgspec.structs.replace(claim, why="no_common_rows")
    beaten = [one for one in mine if one.second == winner and one.word in SEPARATING]
    open_ones = [one for one in mine if one.word not in SEPARATING]
    if beaten:
        rival, finding = max(beaten, key=lambda one: one.ratio or 1.0), "wrong"
    elif open_ones:
        # The model to compare with is the one closest to it, or ahead of it.
        rival = min(open_ones, key=lambda one: (one.ratio or 1.0) if one.first == winner else 1 / (one.ratio or 1.0))
        finding = "not_shown"
    else:
        rival, finding = min(mine, key=lambda one: one.ratio or 1.0), "stands"
    return _of_verdict(claim, rival, models, finding, winner)  # type: ignore[arg-type]


def _of_verdict(
    claim: Claim, rival: SpeedVerdict, models: Sequence[ModelAudit], finding: Finding, winner: int
) -> Claim:
    figures = {**claim.figures, "ratio": rival.ratio or 1.0, "units": float(rival.rounds)}
    figures["leads"] = float(rival.first == winner)
    why: Why | None = None
    if rival.low is not None and rival.high is not None:
        figures |= {"low": rival.low, "high": rival.high}
    if finding == "not_shown":
        why = _why_open(rival)
    elif finding == "wrong":
        why = "another_is"
    other = rival.second if rival.first == winner else rival.first
    return msgspec.structs.replace(claim, finding=finding, other=models[other].model, why=why, figures=figures)


def _why_open(rival: SpeedVerdict) -> Why:
    if rival.low is None or rival.high is None:
        return "no_interval"
    if rival.word == "practically_equal":
        return "practically_equal"
    return "interval_holds_1" if rival.low <= 1 <= rival.high else "may_be_chance"


def _steadiest(models: Sequence[ModelAudit], layout: Layout) -> Claim | None:
    """Return the claim that a model's tokens ÷ total time varies least, checked against the variation of decode speed.

    The claim is never found to hold: that would need ten rounds, which no file so far has.
    """
    overall = {one.model: one.overall.cv for one in models if one.overall is not None and one.overall.cv is not None}
    if len(overall) < 2:
        return None
    ordered = sorted(overall, key=overall.__getitem__)
    winner, least, next_least = ordered[0], overall[ordered[0]], overall[ordered[1]]
    if next_least < NAMED_SPREAD or next_least < NAMED_STEADIER * least:
        return None
    claim = Claim(says="steadiest", finding="not_shown", model=winner, figures={"usual_cv": least})
    writing = {one.model: one.writing.cv for one in models if one.writing is not None and one.writing.cv is not None}
    if layout.basis == "usual" or overall.keys() - writing.keys():
        return msgspec.structs.replace(claim, finding="cannot_be_judged", why="no_writing_speed")
    other = min(writing, key=lambda name: (writing[name], name != winner))
    figures = {"usual_cv": least, "writing_cv": writing[winner], "other_cv": writing[other]}
    if other == winner:
        return msgspec.structs.replace(claim, why="too_few_to_rank", figures=figures)
    most = max(writing, key=writing.__getitem__) == winner
    why: Why = "least_steady" if most else "another_varies_less"
    return msgspec.structs.replace(claim, finding="artefact", other=other, why=why, figures=figures)


def _slow_category(session: Session, layout: Layout) -> Claim | None:
    """Return the claim that a model is slow in its slowest category, if its rate elsewhere is much higher."""
    cells: dict[tuple[int, str], list[TrialRow]] = {}
    for row in session.rows:
        if row.outcome == "ok" and row.trial.prompt is not None and overall_tps(row) is not None:
            cells.setdefault((row.trial.contender, category_name(session, row)), []).append(row)
    rates = {key: mean([overall_tps(row) or 0.0 for row in rows]) for key, rows in cells.items()}
    names = dict.fromkeys(name for _, name in rates)
    if len(names) < 2:
        return None
    slowest = min(names, key=lambda name: mean([rate for (_, one), rate in rates.items() if one == name]))
    contender = min((one for one, name in rates if name == slowest), key=lambda one: rates[one, slowest])
    others = [rate for (one, name), rate in rates.items() if one == contender and name != slowest]
    if not others or rates[contender, slowest] > NAMED_SLOW * statistics.median(others):
        return None
    claim = Claim(
        says="slow_category",
        finding="cannot_be_judged",
        model=session.plan.contenders[contender].label,
        category=slowest,
        why="no_writing_speed",
        figures={"usual_tps": rates[contender, slowest]},
    )
    mine = cells[contender, slowest]
    rest = [row for (one, name), rows in cells.items() if one == contender and name != slowest for row in rows]
    here_tps, rest_tps = _speed(mine), _speed(rest)
    waits = [wait for row in mine if (wait := ttft_s(row)) is not None]
    if layout.basis == "usual" or here_tps is None or rest_tps is None or not waits:
        return claim
    total_s = math.fsum((row.figures.e2e_ms or 0.0) / 1000 for row in mine)
    figures = {"ttft_s": math.fsum(waits), "total_s": total_s, "writing_tps": here_tps, "rest_tps": rest_tps}
    figures |= claim.figures
    if here_tps < (1 - SLOW_SHARE) * rest_tps:
        return msgspec.structs.replace(claim, finding="not_shown", why="single_trial", figures=figures)
    why: Why = "cold_start" if any(row.trial.kind == "cold" for row in mine) else "waiting"
    return msgspec.structs.replace(claim, finding="artefact", why=why, figures=figures)


def _speed(rows: Sequence[TrialRow]) -> float | None:
    done = [steps for row in rows if (steps := decode_amount(row)) is not None]
    return sum(n for n, _ in done) / math.fsum(over_s for _, over_s in done) if done else None


def _most_memory(session: Session, models: Sequence[ModelAudit]) -> Claim | None:
    """Return the claim that a model uses the most memory.

    A column with negative figures has changes of memory, not amounts.
    """
    changes = sorted(
        ((one.largest_change_mb, -at) for at, one in enumerate(models) if one.largest_change_mb is not None),
        reverse=True,
    )
    if len(changes) < 2 or changes[0][0] <= NAMED_MEMORY * max(changes[1][0], 0.0):
        return None
    most, winner = changes[0][0], -changes[0][1]
    every = [row.recorded.ram_change_mb for row in session.rows if row.recorded is not None]
    claim = Claim(says="most_memory", finding="not_shown", model=models[winner].model, figures={"change_mb": most})
    if not any(value is not None and value < 0 for value in every):
        return msgspec.structs.replace(claim, why="not_known_what")
    highest = max(range(len(models)), key=lambda at: (models[at].highest_mb or 0.0, at == winner))
    figures = {
        "change_mb": most,
        "highest_mb": models[winner].highest_mb or 0.0,
        "other_highest_mb": models[highest].highest_mb or 0.0,
    }
    first = next((value for value in every if value is not None), None) == most
    return msgspec.structs.replace(
        claim,
        finding="not_shown" if highest == winner else "artefact",
        other=models[highest].model,
        why="first_row" if first else "machine_change",
        figures=figures,
    )


def _cold_start(models: Sequence[ModelAudit]) -> Claim | None:
    """Return the claim about how long cold starts take; None if no model's first row is a cold start."""
    cold = [one.cold_ttft_s for one in models if one.cold_ttft_s is not None]
    if not cold:
        return None
    whole = len(cold) == len(models)
    figures = {"low_s": min(cold), "high_s": max(cold), "models": float(len(cold))}
    return Claim(
        says="cold_start",
        finding="stands" if whole else "in_part",
        why=None if whole else "some_models",
        figures=figures,
    )


def _best_latency(session: Session, layout: Layout, models: Sequence[ModelAudit]) -> Claim | None:
    """Return the claim that a model has the smallest mean wait, checked against the waits without cold starts."""
    means = {at: one.ttft_s.mean for at, one in enumerate(models) if one.ttft_s is not None}
    ordered = sorted(means, key=means.__getitem__)
    if len(ordered) < 2 or means[ordered[1]] - means[ordered[0]] < NAMED_SOONER_S:
        return None
    winner = ordered[0]
    claim = Claim(
        says="best_latency",
        finding="not_shown",
        model=models[winner].model,
        figures={"mean_s": means[winner], "with_cold": float(any(one.cold_ttft_s is not None for one in models))},
    )
    waits = _warm_waits(session, layout)
    pairs = {(a, b): _wait_ratios(waits.get(a, {}), waits.get(b, {})) for a, b in combinations(ordered, 2)}
    units = min(len(pairs[pair]) for pair in pairs if winner in pair)
    figures = {**claim.figures, "units": float(units)}
    if units < FEWEST["run" if layout.unit == "run" else "category"]:
        why: Why = "repetitions" if layout.repetitions > 1 else "single_trials"
        return msgspec.structs.replace(claim, why=why if units else "no_common_rows", figures=figures)
    intervals = dict(zip(pairs, pair_intervals([*pairs.values()]), strict=True))
    apart = {pair: _sooner(interval) for pair, interval in intervals.items() if winner in pair and interval is not None}
    ahead = [pair for pair in apart if (apart[pair] if pair[0] == winner else -apart[pair]) > 0]
    behind = [pair for pair in apart if (apart[pair] if pair[0] == winner else -apart[pair]) < 0]
    if behind:
        other = next(at for at in behind[0] if at != winner)
        return msgspec.structs.replace(
            claim, finding="wrong", why="another_is", other=models[other].model, figures=figures
        )
    if len(ahead) == len(ordered) - 1:
        return msgspec.structs.replace(claim, finding="stands", figures=figures)
    return msgspec.structs.replace(claim, why="not_apart", figures=figures)


_Waits = dict[tuple[str, int], list[float]]
"""Logarithms of waits without cold starts, by round or category and by prompt."""


def _warm_waits(session: Session, layout: Layout) -> dict[int, _Waits]:
    found: dict[int, _Waits] = {}
    for row in session.rows:
        wait = ttft_s(row)
        if row.trial.kind == "warm" and row.trial.prompt is not None and wait:
            unit = f"{row.trial.round}" if layout.unit == "run" else category_name(session, row)
            place = (unit, row.trial.prompt)
            found.setdefault(row.trial.contender, {}).setdefault(place, []).append(math.log(wait))
    return found


def _wait_ratios(first: _Waits, second: _Waits) -> list[float]:
    """Return the log ratios of two models' waits, one for each round or category that both have."""
    by_unit: dict[str, list[float]] = {}
    for unit, prompt in first:
        if (unit, prompt) in second:
            ratio = statistics.median(first[unit, prompt]) - statistics.median(second[unit, prompt])
            by_unit.setdefault(unit, []).append(ratio)
    return [mean(values) for values in by_unit.values()]


def _sooner(of: PairInterval) -> int:
    """Return 1 if the first of two models waits less by a factor of more than 1.10, −1 if the second does, else 0.

    It counts only if the whole interval shows it.

    Args:
        of: interval of the logarithm of the ratio of their waits.
    """
    return (of.high < -SOONER) - (of.low > SOONER)
