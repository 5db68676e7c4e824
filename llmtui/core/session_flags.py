"""Flags that follow from comparing the trials of a session: cached prompts, CPU throttling, outliers and others.

Rules and thresholds: docs/method.md, "Flags". Flagged trials keep their figures, except the prefill speed of a cached
prompt, which would be meaningless.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from llmtui.core.metrics import MIN_TOKENS_COMPARED, quantile
from llmtui.core.records import Evidence, FlagEvidence
from llmtui.core.trial_row import TrialRow

CACHED_TOKENS = 16
"""A prompt counts as cached if it has more than this many cached tokens above the model's minimum (its template)."""
CACHED_FACTOR = 3.0
CACHED_ROUNDS = 3
THROTTLED_SHARE = 0.05
OUTLIER_RESIDUALS = 10
OUTLIER_FACTOR = 14.8
"""Threshold for outliers in median absolute deviations. It equals ten standard deviations of a normal distribution."""
OUTLIER_FLOOR = 0.003
MIN_ROWS = 3
"""Smallest number of trials from which a median is used as the expected value."""

PromptPlace = tuple[int, int | None]
"""Indices of (contender, prompt) in the plan."""


def with_session_flags(rows: Sequence[TrialRow]) -> tuple[TrialRow, ...]:
    """Return all trials, with those flags added which follow from a comparison of the trials."""
    found: dict[int, dict[str, Evidence]] = {}
    for name, flagged in (
        ("cached_prompt", _cached(rows)),
        ("throttled", _throttled(rows)),
        ("outlier", _outliers(rows)),
        ("superseded", _superseded(rows)),
        ("busy_machine", _busy_machine(rows)),
    ):
        for at, evidence in flagged.items():
            if name not in rows[at].flags:
                found.setdefault(at, {})[name] = evidence
    return tuple(_flagged(row, found[at]) if at in found else row for at, row in enumerate(rows))


def _flagged(row: TrialRow, added: Mapping[str, Evidence]) -> TrialRow:
    told: tuple[FlagEvidence, ...] = row.evidence + ("",) * (len(row.flags) - len(row.evidence))
    figures = row.figures
    if "cached_prompt" in added and figures.prefill_tps is not None:
        figures = msgspec.structs.replace(figures, prefill_tps=None, why={**figures.why, "prefill_tps": "cached"})
    return msgspec.structs.replace(row, flags=(*row.flags, *added), evidence=(*told, *added.values()), figures=figures)


# --- busy ---------------------------------------------------------------------------------------------------------


def is_mostly_busy(warm: int, busy: int) -> bool:
    """Return whether other programs are busy during most warm trials, so that repeating a trial would not help.

    Args:
        warm: number of warm trials so far.
        busy: number of warm trials during which other programs were busy.
    """
    return warm >= MIN_ROWS and 2 * busy > warm


def _busy_machine(rows: Sequence[TrialRow]) -> dict[int, Evidence]:
    warm = [row for row in rows if row.trial.kind == "warm"]
    busy = sum("busy" in row.flags for row in warm)
    if not is_mostly_busy(len(warm), busy):
        return {}
    evidence = Evidence(code="busy_machine", args={"busy": busy, "warm": len(warm)})
    return {at: evidence for at, row in enumerate(rows) if "busy" in row.flags}


def _superseded(rows: Sequence[TrialRow]) -> dict[int, Evidence]:
    """Return the trials that were run again because other programs were busy; only their repetitions count."""
    again = {row.repeats: row.trial.id for row in rows if row.repeats is not None and row.outcome == "ok"}
    return {
        at: Evidence(code="superseded", args={"by": again[row.trial.id]})
        for at, row in enumerate(rows)
        if "busy" in row.flags and row.trial.id in again
    }


# --- cached prompts -----------------------------------------------------------------------------------------------


def _cached(rows: Sequence[TrialRow]) -> dict[int, Evidence]:
    """Return the trials with a cached prompt, judged by the server's count, or by an unusually high prefill speed."""
    found: dict[int, Evidence] = {}
    fresh = [(at, row) for at, row in enumerate(rows) if row.trial.kind != "follow_up"]
    least = _least_cached(row for _, row in fresh)
    rates = _prompt_rates(fresh)
    slowest = {place: min(beside.values()) for place, beside in rates.items()}
    for at, row in fresh:
        cached, lowest = row.figures.cached_tokens, least.get(row.trial.contender)
        if cached is not None and lowest is not None and cached > lowest + CACHED_TOKENS:
            found[at] = Evidence(code="cached_tokens", args={"cached": cached, "least": lowest})
            continue
        beside = rates.get(_place(row), {})
        if at not in beside or beside[at] <= CACHED_FACTOR * slowest[_place(row)]:
            continue  # then it is below that factor of the median too
        others = sorted(rate for other, rate in beside.items() if other != at)
        if len(others) >= CACHED_ROUNDS and beside[at] > CACHED_FACTOR * quantile(others, 0.5):
            factor = beside[at] / quantile(others, 0.5)
            found[at] = Evidence(code="cached_rate", args={"factor": factor})
    return found


def _least_cached(rows: Iterable[TrialRow]) -> dict[int, int]:
    least: dict[int, int] = {}
    for row in rows:
        cached = row.figures.cached_tokens
        if cached is not None:
            least[row.trial.contender] = min(cached, least.get(row.trial.contender, cached))
    return least


def _prompt_rates(rows: Iterable[tuple[int, TrialRow]]) -> dict[PromptPlace, dict[int, float]]:
    """Return prompt tokens per ms of the server's prompt time, by (contender, prompt) and index of the trial."""
    rates: dict[PromptPlace, dict[int, float]] = {}
    for at, row in rows:
        tokens, over_ms = row.figures.prompt_tokens, row.figures.prompt_ms
        if tokens and over_ms:
            rates.setdefault(_place(row), {})[at] = tokens / over_ms
    return rates


# --- throttled ----------------------------------------------------------------------------------------------------


def _throttled(rows: Sequence[TrialRow]) -> dict[int, Evidence]:
    """Return the trials slowed by CPU throttling.

    In these the throttling counter increased, and the time per token was over 5 % longer than the median of trials
    without an increase.
    """
    calm: dict[PromptPlace, list[float]] = {}
    for row in rows:
        if _timed(row) and not _events(row):
            calm.setdefault(_place(row), []).append(row.figures.tpot_ms or 0.0)
    found: dict[int, Evidence] = {}
    for at, row in enumerate(rows):
        usual = calm.get(_place(row))
        if not _events(row) or not _timed(row) or not usual:
            continue
        longer = (row.figures.tpot_ms or 0.0) / quantile(sorted(usual), 0.5) - 1
        if longer > THROTTLED_SHARE:
            found[at] = Evidence(code="throttled", args={"times": _events(row), "percent": 100 * longer})
    return found


def _events(row: TrialRow) -> int:
    return (row.machine.throttle_events or 0) if row.machine is not None else 0


# --- outliers -----------------------------------------------------------------------------------------------------


def _outliers(rows: Sequence[TrialRow]) -> dict[int, Evidence]:
    """Return the trials whose time per token is far from that of the same model and prompt in other rounds."""
    logs: dict[int, dict[PromptPlace, list[tuple[int, float]]]] = {}
    for at, row in enumerate(rows):
        if _timed(row):
            of_model = logs.setdefault(row.trial.contender, {})
            of_model.setdefault(_place(row), []).append((at, math.log(row.figures.tpot_ms or 0.0)))
    found: dict[int, Evidence] = {}
    for of_model in logs.values():
        found |= _far_off(of_model.values())
    return found


def _far_off(prompts: Iterable[Sequence[tuple[int, float]]]) -> dict[int, Evidence]:
    """Return the trials of one model whose log time per token is unusually far from the median of its prompt.

    Args:
        prompts: for each prompt, (index of the trial, log time per token).
    """
    residuals: dict[int, float] = {}
    for series in prompts:
        if len(series) >= MIN_ROWS:
            middle = quantile(sorted(value for _, value in series), 0.5)
            residuals.update((at, value - middle) for at, value in series)
    if len(residuals) < OUTLIER_RESIDUALS:
        return {}
    usual = max(quantile(sorted(map(abs, residuals.values())), 0.5), OUTLIER_FLOOR)
    return {
        at: Evidence(code="outlier", args={"percent": 100 * math.expm1(residual), "usual": 100 * usual})
        for at, residual in residuals.items()
        if abs(residual) > OUTLIER_FACTOR * usual
    }


def _timed(row: TrialRow) -> bool:
    """Return whether a trial is warm and has a time per token that can be compared."""
    figures = row.figures
    return (
        row.trial.kind == "warm"
        and row.outcome == "ok"
        and figures.tpot_ms is not None
        and (figures.tokens or 0) >= MIN_TOKENS_COMPARED
    )


def _place(row: TrialRow) -> PromptPlace:
    return row.trial.contender, row.trial.prompt
