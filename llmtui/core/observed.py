"""What a session observed of each figure, round by round: what a comparison across sessions is made from.

A round is one observation. Its value is the mean of the logarithms over its trials, so that a prompt weighs the same
in both sessions. Rules: docs/method.md, "Across sessions".
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
from llmtui.core.summary import Summary, prefill_kind, start_rows
from llmtui.core.trial_row import TrialRow, replaced_trials

WAITED = ("ttft_ms", "ttfo_ms", "cold_first_ms", "cold_again_ms", "follow_up_ttft_ms")
"""Figures that are a person's waiting time."""
_ONE_PER_SESSION = ("cold_first_ms", "round_spread", "total_s", "finished", "ratio")
"""Figures of which a session has one value: there are no rounds to take an interval from."""
_MOST_PER_ROUND = ("memory_peak_bytes", "vram_bytes")
"""The value of a round is its largest, not its mean."""

Counts = Callable[[TrialRow], bool]


class Observed(NamedTuple):
    """A figure of one contender in one session."""

    value: float | None
    """In the unit of files; what tables show where all prompts count, else the geometric mean over the rounds."""
    logs: tuple[float, ...]
    """Mean logarithm of each round that counts."""


def observed(session: Session, summary: Summary, contender: int, figure: str, prompts: Collection[str]) -> Observed:
    """Return what a session observed of a figure.

    Args:
        session: with the rows.
        summary: of the session.
        contender: index into its plan.
        figure: id of a measure.
        prompts: SHA-256 of the prompts that count, for figures of warm trials.
    """
    logs = round_logs(session, contender, figure, prompts)
    one, line = measure_of(figure), summary.lines[contender]
    told = None if one is None else value_of(reading(one, line))
    asks_prompts = figure not in _KINDS or _KINDS[figure] == "warm"
    narrowed = asks_prompts and {prompt.sha256 for prompt in session.plan.prompts} - set(prompts)
    if told is not None and not narrowed:
        return Observed(told, logs)
    return Observed(math.exp(mean(logs)) if logs else None, logs)


def round_logs(session: Session, contender: int, figure: str, prompts: Collection[str]) -> tuple[float, ...]:
    """Return the mean logarithm of a figure in each round.

    Of warm trials a round needs half of the given prompts. A figure of which a value is zero or negative has no
    logarithms, and one of which a session has one value only, or an imported one, has no rounds.
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
"""The kind of trial that a figure is taken from, where that is not warm."""
_OTHER_READERS: Mapping[str, str] = MappingProxyType({
    "cold_again_ms": "ttft_ms", "follow_up_ttft_ms": "ttft_ms", "usual_tps": "e2e_tps", "usual_cold_tps": "e2e_tps",
})  # fmt: skip
"""The figure of a trial that a figure of a model is made from, where that has another name."""


def _values(
    session: Session, rows: Sequence[TrialRow], figure: str, prompts: Collection[str]
) -> list[tuple[TrialRow, float]]:
    """The rows that count for a figure, each with its value."""
    one = measure_of(_OTHER_READERS.get(figure, figure))
    if one is None or one.of_trial is None:
        return []
    read = _resident_vram if figure == "vram_bytes" else one.of_trial
    if figure == "cold_again_ms":
        rows = start_rows(rows)[1]
    elif figure == "prefill_tps":
        rows = [row for row in rows if row.trial.kind == prefill_kind(session)]
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


def _counts_anew(row: TrialRow) -> bool:
    """A follow-up that was asked again word for word meets a server that has read all of it."""
    return row.repeats is None and counts_for_ttft(row)


_COUNTS: Mapping[str, Counts] = MappingProxyType({
    "ttft_ms": counts_for_ttft, "ttfo_ms": counts_for_ttft, "cold_again_ms": counts_for_ttft,
    "follow_up_ttft_ms": _counts_anew, "decode_cps": counts_for_text_speed, "reading_x": counts_for_text_speed,
    "usual_tps": counts_for_speed,
})  # fmt: skip
"""What counts for a figure in tables, where its record says it for the table of trials."""
