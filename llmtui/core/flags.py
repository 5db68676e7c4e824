"""Flags of a trial: what its figures may be used for, with the evidence.

A flag never deletes a figure. The flags in ``BY_DESIGN`` and ``CONDITIONS`` describe the circumstances of a trial;
those in ``DISTURBANCES`` say that something interfered. Rules and thresholds: docs/method.md, "Flags".
"""

from __future__ import annotations

from llmtui.core.clocks import MIN_TOKENS_COMPARED, clock_difference_ns
from llmtui.core.events import TrialFinished
from llmtui.core.metrics import Figures
from llmtui.core.plan import Plan, num_ctx, tagged
from llmtui.core.reading import reading_flags
from llmtui.core.records import Evidence, FlagEvidence
from llmtui.core.trial_row import TrialRow

BY_DESIGN = ("short_output", "superseded")
CONDITIONS = ("busy_machine", "spilled", "other_model_resident", "thinking_inline", "clock_disagreement")
"""Flags that describe the circumstances of a trial. ``busy_machine``: other programs were busy in most warm trials, so
that being busy is no longer a disturbance of single trials."""
READING = ("cap_ignored", "unseen_text", "clocks_apart", "text_replaced", "text_repeated", "buffered")
"""Flags for problems in reading an answer. The figures concerned are missing; the other figures count."""
DISTURBANCES = (
    "unexpected_reload", "cached_prompt", "queued", "prompt_cut", "swapped", "throttled", "busy",
    "noisy_start", "stalled_output", "outlier",
)  # fmt: skip

SWAP_IN_BYTES = 16 * 2**20
STALL_MS = 1000.0
CAP_FACTOR = 1.1
"""The server is considered to ignore the token limit if it sent more output tokens than this factor × the limit."""
QUEUED_FLOOR_MS = 50.0
QUEUED_SHARE = 0.10
NEAR_CUT_TOKENS = 8
CHARS_PER_TOKEN_MAX = 8


def row_flags(finished: TrialFinished, figures: Figures, plan: Plan) -> tuple[tuple[str, FlagEvidence], ...]:
    """Return the flags that follow from a single trial, each with its evidence.

    Flags set by the engine come first, with the engine's evidence. Only the engine can detect ``unexpected_reload``,
    ``other_model_resident``, ``busy`` and some others.
    """
    told: tuple[FlagEvidence, ...] = finished.evidence + ("",) * (len(finished.flags) - len(finished.evidence))
    flags = dict(zip(finished.flags, told, strict=False)) | reading_flags(finished)
    for name, evidence in (
        ("short_output", _short_output(finished, figures)),
        ("thinking_inline", Evidence(code="thinking_inline") if figures.thinking_inline else None),
        ("spilled", _spilled(finished)),
        ("clock_disagreement", _clock_disagreement(finished, figures)),
        ("cap_ignored", _cap_ignored(finished, figures)),
        ("clocks_apart", _clocks_apart(figures)),
        ("queued", _queued(finished, figures)),
        ("prompt_cut", _prompt_cut(finished, plan)),
        ("swapped", _swapped(finished)),
        ("stalled_output", _stalled(figures)),
    ):
        if evidence is not None:
            flags.setdefault(name, evidence)
    return tuple(flags.items())


def counts_for_speed(row: TrialRow) -> bool:
    """Return whether a trial's decode speed is compared.

    The trial must be warm and successful, with at least 64 output tokens. It must have no disturbance that is known to
    change the speed.
    """
    figures = row.figures
    return (
        row.trial.kind == "warm"
        and row.outcome == "ok"
        and figures.decode_tps is not None
        and (figures.tokens or 0) >= MIN_TOKENS_COMPARED
        and not {"unexpected_reload", "superseded", "cap_ignored"}.intersection(row.flags)
        and not (figures.clock_side == "ours" and figures.tps_source == "client")  # this program read the text late
        and not _explained_outlier(row)
    )


def is_uncounted(row: TrialRow) -> bool:
    """Return whether a trial lacks only its token count, so that its characters per second can still be used."""
    return (
        (row.outcome == "no_final" or (row.outcome == "ok" and row.figures.tokens is None))
        and row.figures.decode_cps is not None
        and not {"unexpected_reload", "superseded"}.intersection(row.flags)
        and not _explained_outlier(row)
    )


def counts_for_ttft(row: TrialRow) -> bool:
    """Return whether a trial's TTFT counts: it was measured, and no disturbance is known to have changed it."""
    spoiled = {"unexpected_reload", "superseded", "queued", "cached_prompt", "prompt_cut"}
    return (
        row.outcome in ("ok", "no_final")
        and row.figures.ttft_ms is not None
        and not spoiled.intersection(row.flags)
        and not _explained_outlier(row)
    )


def why_not_compared(row: TrialRow) -> str:
    """Return why a warm trial's speed is not compared, as a code: a flag, or a reason from ``core.metrics``."""
    figures = row.figures
    if row.outcome != "ok":
        return f"outcome_{row.outcome}"
    if figures.decode_tps is None:
        return figures.why.get("decode_tps", "no_count")
    if (figures.tokens or 0) < MIN_TOKENS_COMPARED:
        return "too_short_to_compare"
    return "cap_ignored" if "cap_ignored" in row.flags else "disturbed"


def counts_for_text_speed(row: TrialRow) -> bool:
    """Return whether a trial's characters per second are compared.

    The conditions are those of tokens per second, except that no token count is needed.
    """
    if row.figures.decode_cps is None or row.figures.decode_chars is None:
        return False
    return counts_for_speed(row) or (row.trial.kind == "warm" and is_uncounted(row))


def is_interfered_with(row: TrialRow) -> bool:
    """Return whether a trial was disturbed by a known cause. A trial that is only an outlier has no known cause."""
    return bool(_causes(row))


def _explained_outlier(row: TrialRow) -> bool:
    return "outlier" in row.flags and bool(_causes(row))


def _causes(row: TrialRow) -> set[str]:
    causes = set(DISTURBANCES) - {"outlier"}
    if "busy_machine" in row.flags:
        causes.remove("busy")
    return causes.intersection(row.flags)


def _short_output(finished: TrialFinished, figures: Figures) -> Evidence | None:
    if finished.trial.kind != "warm" or finished.outcome != "ok" or figures.tokens is None:
        return None
    if figures.tokens >= MIN_TOKENS_COMPARED:
        return None
    return Evidence(code="short_output", args={"tokens": figures.tokens, "least": MIN_TOKENS_COMPARED})


def _spilled(finished: TrialFinished) -> Evidence | None:
    resident = finished.resident
    if resident is None or not resident.vram_bytes or not resident.size_bytes:
        return None
    if resident.vram_bytes >= resident.size_bytes:
        return None
    return Evidence(code="spilled", args={"percent": 100 * resident.vram_bytes / resident.size_bytes})


def _clock_disagreement(finished: TrialFinished, figures: Figures) -> Evidence | None:
    difference = clock_difference_ns(finished)
    if difference is None or finished.done_ns is None or figures.clock_side is None:
        return None
    side = figures.clock_side
    window = finished.done_ns - finished.timeline.t_ns[0]
    if window <= 0:
        return Evidence(code="clocks_at_once", args={"ms": difference / 1e6, "side": side})
    return Evidence(code="clocks_disagree", args={"percent": 100 * difference / window, "side": side})


def _cap_ignored(finished: TrialFinished, figures: Figures) -> Evidence | None:
    cap = finished.num_predict
    if cap is None or figures.tokens is None or figures.tokens <= CAP_FACTOR * cap:
        return None
    return Evidence(code="cap_ignored", args={"tokens": figures.tokens, "cap": cap})


def _clocks_apart(figures: Figures) -> Evidence | None:
    if figures.why.get("client_lag_ms") != "clocks_apart":
        return None
    return Evidence(code="clocks_unrelated")


def _queued(finished: TrialFinished, figures: Figures) -> Evidence | None:
    counters = finished.counters
    if counters is None or figures.ttft_ms is None or counters.total_duration_ns is None:
        return None
    load, prompt = counters.load_duration_ns, counters.prompt_duration_ns
    if load is None or prompt is None or counters.output_duration_ns is None:
        return None
    unexplained = (counters.total_duration_ns - load - prompt - counters.output_duration_ns) / 1e6
    before_text = figures.ttft_ms - (load + prompt) / 1e6
    threshold = max(QUEUED_FLOOR_MS, QUEUED_SHARE * figures.ttft_ms)
    if min(unexplained, before_text) <= threshold:
        return None
    return Evidence(code="queued", args={"ms": unexplained})


def _prompt_cut(finished: TrialFinished, plan: Plan) -> Evidence | None:
    counters, trial = finished.counters, finished.trial
    if counters is None or counters.prompt_tokens is None or trial.kind == "follow_up":
        return None
    text = plan.cold_text if trial.prompt is None else tagged(trial.tag, plan.prompts[trial.prompt].text)
    tokens, limit = counters.prompt_tokens, num_ctx(plan.contenders[trial.contender])
    near = limit is not None and any(abs(tokens - cut) <= NEAR_CUT_TOKENS for cut in (limit, limit // 2))
    if tokens < len(text) / CHARS_PER_TOKEN_MAX or (near and limit is not None and len(text) > 2 * limit):
        return Evidence(code="prompt_cut", args={"tokens": tokens, "chars": len(text)})
    return None


def _swapped(finished: TrialFinished) -> Evidence | None:
    swapped = None if finished.machine is None else finished.machine.swap_in_bytes
    if swapped is None or swapped <= SWAP_IN_BYTES:
        return None
    return Evidence(code="swapped", args={"mib": swapped / 2**20})


def _stalled(figures: Figures) -> Evidence | None:
    if not figures.stalls or figures.longest_gap_ms is None or figures.longest_gap_ms <= STALL_MS:
        return None
    return Evidence(code="stalled_output", args={"s": figures.longest_gap_ms / 1000})
