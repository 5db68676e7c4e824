"""Observations of each figure by round: the input for comparing sessions.

A round is one observation. Its value is the mean of the logarithms over its trials, so that a prompt has the same
weight in both sessions. Rules: docs/method.md, "Across sessions".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from llmtui.core.flags import counts_for_speed, counts_for_text_speed, counts_for_ttft
from llmtui.core.measures import measure_of, reading, value_of
from llmtui.core.pairing import is_imported
from llmtui.core.session import Session
from llmtui.core.stats import mean
from llmtui.core.summary import Summary, pooled, prefill_kind, start_rows
from llmtui.core.trial_row import TrialRow, replaced_trials

WAITED = ("ttft_ms", "ttfo_ms", "cold_first_ms", "cold_again_ms", "follow_up_ttft_ms")
"""Ids of the figures that are waiting times."""
_ONE_PER_SESSION = ("cold_first_ms", "round_spread", "total_s", "finished", "ratio")
"""Ids of the figures with only one value per session. Without values per round they have no interval."""
_MOST_PER_ROUND = ("memory_peak_bytes", "vram_bytes")
"""Ids of the figures for which the value of a round is the largest of its trials, not the mean."""

Counts = Callable[[TrialRow], bool]


class Observed(NamedTuple):
    """A figure of one contender in one session."""

    value: float | None
    """Value in the unit of files. It is the value in the tables if all prompts are used, otherwise the geometric mean
    over the rounds."""
    logs: tuple[float, ...]
    """Mean logarithm in each counted round."""


def observed(
    session: Session, summary: Callable[[], Summary], contender: int, figure: str, prompts: Collection[str]
) -> Observed:
    """Return the observations of one figure in a session.

    Args:
        session: the session with its trials.
        summary: returns the session's summary; called only if it is needed.
        contender: index into the session's plan.
        figure: id of the figure.
        prompts: SHA-256 of the prompts to use, for figures of warm trials.
    """
    logs = round_logs(session, contender, figure, prompts)
    told = _told(session, summary, contender, figure)
    asks_prompts = figure not in _KINDS or _KINDS[figure] == "warm"
    narrowed = asks_prompts and {prompt.sha256 for prompt in session.plan.prompts} - set(prompts)
    if told is not None and not narrowed:
        return Observed(told, logs)
    return Observed(math.exp(mean(logs)) if logs else None, logs)


def _told(session: Session, summary: Callable[[], Summary], contender: int, figure: str) -> float | None:
    """Return the value of a figure as in the tables; None if it is missing.

    The decode speed is computed without the rest of the summary, because a trend reads it from hundreds of sessions.
    """
    if figure == "decode_tps" and not is_imported(session.plan):
        repeated = replaced_trials(session.rows)
        mine = (row for row in session.rows if row.trial.contender == contender and row.trial.id not in repeated)
        return value_of(pooled([row for row in mine if counts_for_speed(row)]))
    one = measure_of(figure)
    return None if one is None else value_of(reading(one, summary().lines[contender]))


def round_logs(session: Session, contender: int, figure: str, prompts: Collection[str]) -> tuple[float, ...]:
    """Return the mean logarithm of a figure in each counted round.

    For warm trials, a round counts if at least half of the given prompts have a value. The result is empty for a figure
    with a value of 0 or less, for a figure with one value per session, and for an imported session.
    """
    if figure in _ONE_PER_SESSION or is_imported(session.plan):
        return ()
    repeated = replaced_trials(session.rows)
    mine = [row for row in session.rows if row.trial.contender == contender and row.trial.id not in repeated]
    by_round: dict[int, list[float]] = {}
    for row, value in _values(session, mine, figure, prompts):
        by_round.setdefault(row.trial.round, []).append(value)
    if any(value <= 0 for values in by_round.values() for value in values):
        return ()
    if figure in _MOST_PER_ROUND:
        return tuple(math.log(max(values)) for _, values in sorted(by_round.items()))
    least = len(prompts) / 2 if _KINDS.get(figure, "warm") == "warm" else 1
    return tuple(
        mean([math.log(value) for value in values]) for _, values in sorted(by_round.items()) if len(values) >= least
    )


_KINDS: Mapping[str, str] = MappingProxyType({
    "cold_again_ms": "cold", "cold_first_ms": "cold", "load_ms": "cold", "usual_cold_tps": "cold",
    "follow_up_ttft_ms": "follow_up", "prefill_tps": "any", "memory_peak_bytes": "any", "memory_steady_bytes": "any",
    "vram_bytes": "any",
})  # fmt: skip
"""Kind of trial that each figure is computed from; ``warm`` for figures that are not listed."""
_OTHER_READERS: Mapping[str, str] = MappingProxyType({
    "cold_again_ms": "ttft_ms", "follow_up_ttft_ms": "ttft_ms", "usual_tps": "e2e_tps", "usual_cold_tps": "e2e_tps",
})  # fmt: skip
"""Id of a model's figure → id of the trial's figure from which it is computed, if the two ids differ."""


def _values(
    session: Session, rows: Sequence[TrialRow], figure: str, prompts: Collection[str]
) -> list[tuple[TrialRow, float]]:
    """Return the trials that count for a figure, each with its value."""
    one = measure_of(_OTHER_READERS.get(figure, figure))
    if one is None or one.of_trial is None:
        return []
    read = _resident_vram if figure == "vram_bytes" else one.of_trial
    if figure == "cold_again_ms":
        rows = start_rows(rows)[1]
    elif figure == "prefill_tps":
        shown = prefill_kind(session)
        rows = [row for row in rows if row.trial.kind == shown]
    kind = _KINDS.get(figure, "warm")
    counts = _COUNTS.get(figure, one.counts)
    return [
        (row, value)
        for row in rows
        if kind in ("any", row.trial.kind)
        and (kind != "warm" or row.trial.key.prompt_sha256 in prompts)
        and (figure in _MOST_PER_ROUND or counts(row))
        and (value := read(row)) is not None
    ]


def _resident_vram(row: TrialRow) -> float | None:
    return None if row.resident is None or not row.resident.vram_bytes else row.resident.vram_bytes


def _has_new_prompt(row: TrialRow) -> bool:
    """Return whether a follow-up's TTFT counts.

    That of a repeated follow-up does not: the server has already processed the whole text.
    """
    return row.repeats is None and counts_for_ttft(row)


_COUNTS: Mapping[str, Counts] = MappingProxyType({
    "ttft_ms": counts_for_ttft, "ttfo_ms": counts_for_ttft, "cold_again_ms": counts_for_ttft,
    "follow_up_ttft_ms": _has_new_prompt, "decode_cps": counts_for_text_speed, "reading_x": counts_for_text_speed,
    "usual_tps": counts_for_speed,
})  # fmt: skip
"""Id of a figure → function that returns whether a trial counts, if it is not the figure's ``counts``."""
