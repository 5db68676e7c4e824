"""What an old file is read to say, held against what its figures carry.

Every claim is computed from the file, and so is the verdict on it. One category is one observation; all rows count as
recorded. Rules: docs/method.md, "Old results".
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Literal

import msgspec

from llmtui.core.conclusions import RANKED_RATIO, RANKED_SHARE
from llmtui.core.metrics import MIN_TOKENS_COMPARED, quantile
from llmtui.core.pairing import Pair
from llmtui.core.session import Session
from llmtui.core.stats import deviation, mean
from llmtui.core.verdict import SEPARATING, TTFT_EQUAL_MS, TTFT_EQUAL_SHARE, Verdict, judge_categories
from llmtui.legacy.table import LegacyRow

LONG_TOKENS = 50
"""From here on one token of doubt is 2 % and less."""
SLOW_SHARE = 0.10
"""A category is slow in itself if its text is written so much slower than the model's other text."""
MIN_CATEGORIES = 3

Says = Literal["fastest", "steadiest", "slowest_category", "most_memory", "cold_start", "best_latency"]
Finding = Literal["stands", "order_only", "reversed", "artefact", "wrong_winner", "in_part", "cannot_be_judged"]


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
    """One model's figures, the usual ones and the ones that mean something."""

    model: str
    rows: int
    recorded: Level | None
    """Tokens ÷ total time as the file has it."""
    usual: Level | None
    """The same, recomputed."""
    usual_warm: Level | None
    decode: Level | None
    """Speeds of the rows, all of them."""
    decode_long: Level | None
    """Of rows with 50 tokens or more."""
    pooled_tps: float | None
    """All tokens over all writing time."""
    compared_tps: float | None
    """The same, of warm rows with 64 tokens or more."""
    compared_rows: int
    ttft_s: Level | None
    """All rows, as a dashboard averages them."""
    warm_ttft_s: Level | None
    cold_ttft_s: float | None
    cold_penalty_s: float | None
    ram_mb: Level | None
    """Recorded changes of the machine's memory, added up row by row from the start of the file."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that the file is read to say, and what becomes of it."""

    says: Says
    finding: Finding
    model: str | None = None
    """Whom the sentence names."""
    category: str | None = None
    other: str | None = None
    """Whom the figures name instead, or who is not told apart."""
    why: str | None = None
    figures: dict[str, float] = {}


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """A whole file."""

    models: tuple[ModelAudit, ...]
    """In the order in which the file names them."""
    verdicts: tuple[Verdict, ...]
    """Of each pair, indices into ``models``."""
    claims: tuple[Claim, ...]


def audit(rows: Sequence[LegacyRow]) -> Audit:
    """Gives the audit of a file's rows."""
    names = tuple(dict.fromkeys(row.model for row in rows))
    levels = _memory_levels(rows)
    models = tuple(_model(name, rows, levels.get(name, ())) for name in names)
    found = judge_categories([_pair(rows, names, a, b) for a, b in combinations(range(len(names)), 2)])
    return Audit(
        models=models,
        verdicts=found,
        claims=(
            _fastest(models, found),
            _steadiest(models),
            _slowest_category(rows),
            _most_memory(rows, models),
            _cold_start(models),
            _best_latency(rows, models),
        ),
    )


def legacy_rows(session: Session) -> tuple[LegacyRow, ...]:
    """Gives the rows of the file that an imported session was made from."""
    found: list[LegacyRow] = []
    for row in session.rows:
        prompt = None if row.trial.prompt is None else session.plan.prompts[row.trial.prompt]
        recorded, figures = row.recorded, row.figures
        found.append(
            LegacyRow(
                line=0 if recorded is None else recorded.line,
                model=session.contender(row.trial).label,
                category="" if prompt is None else prompt.category,
                prompt="" if prompt is None else prompt.text,
                ttft_s=None if figures.ttft_ms is None else figures.ttft_ms / 1000,
                total_s=None if figures.e2e_ms is None else figures.e2e_ms / 1000,
                usual_tps=None if recorded is None else recorded.usual_tps,
                ram_mb=None if recorded is None else recorded.ram_change_mb,
                tokens=figures.tokens,
                cold=row.trial.kind == "cold",
            )
        )
    return tuple(found)


def level(values: Iterable[float | None]) -> Level | None:
    """Gives a series in short; None of nothing."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    middle = mean(known)
    cv = deviation(known) / middle if len(known) > 1 and middle else None
    return Level(middle, statistics.median(known), min(known), max(known), cv, len(known))


def _pooled(rows: Iterable[LegacyRow]) -> float | None:
    done = [steps for row in rows if (steps := row.steps) is not None]
    return sum(n for n, _ in done) / math.fsum(over_s for _, over_s in done) if done else None


def _model(name: str, rows: Sequence[LegacyRow], levels: Sequence[float]) -> ModelAudit:
    mine = [row for row in rows if row.model == name]
    warm = [row for row in mine if not row.cold]
    compared = [row for row in warm if (row.tokens or 0) >= MIN_TOKENS_COMPARED and row.steps is not None]
    warm_ttft = level(row.ttft_s for row in warm)
    cold = next((row.ttft_s for row in mine if row.cold), None)
    return ModelAudit(
        model=name,
        rows=len(mine),
        recorded=level(row.usual_tps for row in mine),
        usual=level(row.naive_tps for row in mine),
        usual_warm=level(row.naive_tps for row in warm),
        decode=level(row.decode_tps for row in mine),
        decode_long=level(row.decode_tps for row in mine if (row.tokens or 0) >= LONG_TOKENS),
        pooled_tps=_pooled(mine),
        compared_tps=_pooled(compared),
        compared_rows=len(compared),
        ttft_s=level(row.ttft_s for row in mine),
        warm_ttft_s=warm_ttft,
        cold_ttft_s=cold,
        cold_penalty_s=None if cold is None or warm_ttft is None else cold - warm_ttft.median,
        ram_mb=level(levels),
    )


def _memory_levels(rows: Sequence[LegacyRow]) -> dict[str, list[float]]:
    """The changes added up: how far memory was above the empty machine after each row, by model."""
    total = 0.0
    levels: dict[str, list[float]] = {}
    for row in rows:
        if row.ram_mb is not None:
            total += row.ram_mb
            levels.setdefault(row.model, []).append(total)
    return levels


def _pair(rows: Sequence[LegacyRow], names: Sequence[str], first: int, second: int) -> Pair:
    categories = dict.fromkeys(row.category for row in rows)
    logs: list[float] = []
    for category in categories:
        rates = [
            _pooled(row for row in rows if row.model == names[index] and row.category == category)
            for index in (first, second)
        ]
        if rates[0] is not None and rates[1] is not None:
            logs.append(math.log(rates[0] / rates[1]))
    return Pair(first=first, second=second, rounds=tuple(logs), leads=tuple((one,) for one in logs), common=len(logs))


# --- the claims ---------------------------------------------------------------------------------------------------


def _usual(one: ModelAudit) -> Level | None:
    """The column that a reader of the file looks at: as recorded, else recomputed."""
    return one.recorded or one.usual


def _fastest(models: Sequence[ModelAudit], found: Sequence[Verdict]) -> Claim:
    """The highest mean of tokens ÷ total time, against the verdicts on writing speed."""
    known = [(level_of.mean, at) for at, one in enumerate(models) if (level_of := _usual(one)) is not None]
    if len(known) < 2:
        return Claim(says="fastest", finding="cannot_be_judged", why="one_model")
    winner = max(known, key=lambda pair: (pair[0], -pair[1]))[1]
    mine = [one for one in found if winner in (one.first, one.second) and one.ratio is not None]
    figures = {"usual_tps": known[[at for _, at in known].index(winner)][0]}
    if not mine:
        return Claim(says="fastest", finding="cannot_be_judged", model=models[winner].model, why="no_common_rows")
    behind = [one for one in mine if one.second == winner and (one.ratio or 1) > 1]
    finding: Finding = "stands"
    if behind:
        first = max(behind, key=lambda one: one.ratio or 0.0)
        finding = "wrong_winner" if first.word in SEPARATING else "reversed"
        rival = first
    else:
        rival = min(mine, key=lambda one: one.ratio or 0.0)
        if any(one.word not in SEPARATING for one in mine):
            finding = "order_only"
    figures |= {"ratio": rival.ratio or 1.0}
    if rival.low is not None and rival.high is not None:
        figures |= {"low": rival.low, "high": rival.high}
    other = rival.second if rival.first == winner else rival.first
    return Claim(
        says="fastest", finding=finding, model=models[winner].model, other=models[other].model, figures=figures
    )


def _steadiest(models: Sequence[ModelAudit]) -> Claim:
    """The smallest scatter of tokens ÷ total time over categories, against that of the writing speed."""
    usual = {one.model: lv.cv for one in models if (lv := _usual(one)) is not None and lv.cv is not None}
    decode = {one.model: one.decode.cv for one in models if one.decode is not None and one.decode.cv is not None}
    if len(usual) < 2 or usual.keys() - decode.keys():
        return Claim(says="steadiest", finding="cannot_be_judged", why="needs_two_rows")
    winner = min(usual, key=usual.__getitem__)
    other = _least(decode, winner)
    spread = decode.values()
    ranked = max(spread) > RANKED_RATIO * min(spread) and max(spread) > RANKED_SHARE
    figures = {"usual_cv": usual[winner], "decode_cv": decode[winner], "other_cv": decode[other]}
    if ranked and winner == other:
        return Claim(says="steadiest", finding="stands", model=winner, figures=figures)
    why = "equally_steady"
    if ranked:
        why = "least_steady" if max(decode, key=decode.__getitem__) == winner else "another_is"
    return Claim(says="steadiest", finding="artefact", model=winner, other=other, why=why, figures=figures)


def _slowest_category(rows: Sequence[LegacyRow]) -> Claim:
    """The category with the lowest mean of tokens ÷ total time; its slowest row against how fast it was written."""
    says: dict[int, float] = {}
    for at, row in enumerate(rows):
        usual = row.naive_tps if row.usual_tps is None else row.usual_tps
        if usual is not None:
            says[at] = usual
    by_category: dict[str, list[float]] = {}
    for at, usual in says.items():
        by_category.setdefault(rows[at].category, []).append(usual)
    if len(by_category) < 2:
        return Claim(says="slowest_category", finding="cannot_be_judged", why="one_category")
    slowest = min(by_category, key=lambda name: mean(by_category[name]))
    at = min((at for at in says if rows[at].category == slowest), key=says.__getitem__)
    row = rows[at]
    rest = _pooled(other for place, other in enumerate(rows) if place != at and other.model == row.model)
    claim = Claim(
        says="slowest_category",
        finding="cannot_be_judged",
        model=row.model,
        category=slowest,
        why="nothing_to_compare",
    )
    if row.decode_tps is None or rest is None or row.ttft_s is None or row.total_s is None:
        return claim
    figures = {
        "usual_tps": says[at],
        "ttft_s": row.ttft_s,
        "total_s": row.total_s,
        "decode_tps": row.decode_tps,
        "rest_tps": rest,
    }
    if row.decode_tps < (1 - SLOW_SHARE) * rest:
        return msgspec.structs.replace(claim, finding="stands", why=None, figures=figures)
    why = "cold_start" if row.cold else "waiting"
    return msgspec.structs.replace(claim, finding="artefact", why=why, figures=figures)


def _most_memory(rows: Sequence[LegacyRow], models: Sequence[ModelAudit]) -> Claim:
    """The largest recorded change of the machine's memory, against the changes added up."""
    changes = [(row.ram_mb, row.model, at) for at, row in enumerate(rows) if row.ram_mb is not None]
    if not changes:
        return Claim(says="most_memory", finding="cannot_be_judged", why="no_memory")
    most, winner, at = max(changes, key=lambda one: (one[0], -one[2]))
    levels = {one.model: one.ram_mb.high for one in models if one.ram_mb is not None}
    other = winner if levels[winner] == max(levels.values()) else max(levels, key=levels.__getitem__)
    figures = {"change_mb": most, "level_mb": levels[winner], "other_level_mb": levels[other]}
    finding: Finding = "order_only" if other == winner else "artefact"
    why = "first_row" if at == 0 else "differences"
    return Claim(says="most_memory", finding=finding, model=winner, other=other, why=why, figures=figures)


def _cold_start(models: Sequence[ModelAudit]) -> Claim:
    """From where to where first rows reach, if they are starts from off."""
    cold = [one.cold_ttft_s for one in models if one.cold_ttft_s is not None]
    if not cold:
        return Claim(says="cold_start", finding="cannot_be_judged", why="no_cold_rows")
    finding: Finding = "stands" if len(cold) == len(models) else "in_part"
    figures = {"low_s": min(cold), "high_s": max(cold), "models": float(len(cold))}
    return Claim(
        says="cold_start", finding=finding, why=None if finding == "stands" else "some_models", figures=figures
    )


def _best_latency(rows: Sequence[LegacyRow], models: Sequence[ModelAudit]) -> Claim:
    """The smallest mean first word over all rows, starts from off among them, against that of warm rows."""
    means = {one.model: one.ttft_s.mean for one in models if one.ttft_s is not None}
    warm = {one.model: one.warm_ttft_s.median for one in models if one.warm_ttft_s is not None}
    if len(means) < 2 or means.keys() - warm.keys():
        return Claim(says="best_latency", finding="cannot_be_judged", why="one_model")
    winner = min(means, key=means.__getitem__)
    other = _least(warm, winner)
    figures = {"mean_s": means[winner], "warm_s": warm[winner], "other_warm_s": warm[other]}
    if winner != other:
        return Claim(says="best_latency", finding="wrong_winner", model=winner, other=other, figures=figures)
    clear = all(_sooner(rows, winner, name) for name in warm if name != winner)
    return Claim(
        says="best_latency", finding="stands" if clear else "order_only", model=winner, other=other, figures=figures
    )


def _least(values: dict[str, float], favoured: str) -> str:
    """Who has the least; of equals the one that the claim names."""
    least = min(values, key=values.__getitem__)
    return favoured if values[favoured] == values[least] else least


def _sooner(rows: Sequence[LegacyRow], first: str, second: str) -> bool:
    """The rule for first words, over categories: far enough apart, and sooner in every one of three or more."""
    times = [_warm_by_category(rows, name, statistics.median) for name in (first, second)]
    middles = [
        quantile(
            sorted(row.ttft_s for row in rows if row.model == name and not row.cold and row.ttft_s is not None), 0.5
        )
        for name in (first, second)
    ]
    apart = middles[1] - middles[0]
    if apart < TTFT_EQUAL_MS / 1000 or apart < TTFT_EQUAL_SHARE * middles[1]:
        return False
    common = times[0].keys() & times[1].keys()
    return len(common) >= MIN_CATEGORIES and all(times[0][name] < times[1][name] for name in common)


def _warm_by_category(
    rows: Sequence[LegacyRow], model: str, middle: Callable[[list[float]], float]
) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    for row in rows:
        if row.model == model and not row.cold and row.ttft_s is not None:
            times.setdefault(row.category, []).append(row.ttft_s)
    return {name: middle(values) for name, values in times.items()}
