"""Figures of a trial that another program measured, computed only from the values in its file."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmtui.core.events import TrialFinished
from llmtui.core.metrics import MIN_TOKENS_DECODE, MIN_TOKENS_PREFILL, Figures
from llmtui.core.records import Recorded
from llmtui.core.trial_row import TrialRow

Basis = Literal["writing", "usual"]
"""What the models of an imported file are compared by: ``writing``, the speed after the first token, or ``usual``,
tokens ÷ total time."""
_NOT_RECORDED = (
    "ttft_ms", "ttfo_ms", "decode_tps", "tpot_ms", "decode_cps", "reading_x", "prefill_tps", "e2e_ms", "e2e_tps",
    "gap_p50_ms", "gap_p95_ms", "longest_gap_ms", "stalls", "client_lag_ms", "tokens",
)  # fmt: skip


def recorded_figures(event: TrialFinished) -> Figures | None:
    """Return the figures of an imported trial; None for a trial that was measured here.

    None also for imports by an earlier version: their journals have a timeline, so they are computed like measured
    trials.
    """
    of = event.recorded
    if of is None or event.timeline.t_ns:
        return None
    parts: dict[str, object] = {
        "ttft_ms": _ms(of.ttft_s),
        "e2e_ms": _ms(of.total_s),
        "e2e_tps": of.tokens / of.total_s if of.tokens is not None and of.total_s else None,
        "load_ms": _ms(of.load_s),
        "prompt_ms": _ms(of.prompt_s),
        "prompt_tokens": of.prompt_tokens,
        "cached_tokens": of.cached_tokens,
        "tokens": of.tokens,
        "prefill_tps": _prefill(of),
    }
    why = {}
    done = _steps(of)
    if of.decode_tps:
        parts |= {"decode_tps": of.decode_tps, "tpot_ms": 1000 / of.decode_tps, "tps_source": "server"}
    elif event.outcome == "ok" and done is not None and (of.tokens or 0) >= MIN_TOKENS_DECODE:
        steps, over_s = done
        parts |= {"decode_tps": steps / over_s, "tpot_ms": 1000 * over_s / steps}
        parts |= {"decode_steps": steps, "decode_s": over_s, "tps_source": "client" if _by_client(of) else "server"}
    elif done is not None and of.tokens is not None:
        why = dict.fromkeys(("decode_tps", "tpot_ms"), "too_short")
    known = {name: value for name, value in parts.items() if value is not None}
    why = {name: why.get(name, "not_recorded") for name in _NOT_RECORDED if name not in known}
    return msgspec.convert({**known, "why": why}, Figures)


def decode_amount(row: TrialRow) -> tuple[float, float] | None:
    """Return a trial's (tokens, seconds) after the first token, even for short answers; None if not recorded."""
    of, figures = row.recorded, row.figures
    if of is not None and (done := _steps(of)) is not None:
        return done
    if figures.tokens is None or figures.ttft_ms is None or figures.e2e_ms is None:
        return None
    if figures.tokens < 2 or figures.e2e_ms <= figures.ttft_ms:
        return None
    return figures.tokens - 1, (figures.e2e_ms - figures.ttft_ms) / 1000


def total_amount(row: TrialRow) -> tuple[float, float] | None:
    """Return a trial's (tokens, total seconds), or (recorded tokens per second, 1); None if neither is recorded."""
    figures = row.figures
    if figures.tokens and figures.e2e_ms:
        return figures.tokens, figures.e2e_ms / 1000
    return None if not (rate := overall_tps(row)) else (rate, 1.0)


def overall_tps(row: TrialRow) -> float | None:
    """Return a trial's tokens ÷ total time, as recorded or else computed, in tokens per second; None if unknown."""
    if row.recorded is not None and row.recorded.overall_tps is not None:
        return row.recorded.overall_tps
    return row.figures.e2e_tps


def _prefill(of: Recorded) -> float | None:
    """Return the processed prompt tokens per second, without cached tokens.

    None if the number of cached tokens or the time is unknown, or if too few tokens were processed.
    """
    if of.prompt_tokens is None or of.cached_tokens is None or not of.prompt_s:
        return None
    fresh = of.prompt_tokens - of.cached_tokens
    return fresh / of.prompt_s if fresh >= MIN_TOKENS_PREFILL else None


def _by_client(of: Recorded) -> bool:
    return of.ttft_s is not None and of.total_s is not None and of.total_s > of.ttft_s


def _steps(of: Recorded) -> tuple[float, float] | None:
    if of.decode_tps:
        return of.decode_tps, 1.0
    if of.tokens is not None and of.tokens >= 2 and of.ttft_s is not None and of.total_s is not None:
        return None if of.total_s <= of.ttft_s else (of.tokens - 1, of.total_s - of.ttft_s)
    steps = of.steps if of.steps is not None else (of.tokens or 0) - 1
    return (steps, of.decode_s) if steps > 0 and of.decode_s else None


def _ms(over_s: float | None) -> float | None:
    return None if over_s is None else over_s * 1000
