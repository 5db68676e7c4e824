"""The flags of a trial as text: one short mark for a table row, and sentences with the evidence for its details."""

from __future__ import annotations

from collections.abc import Sequence

from llmtui.core.flags import CONDITIONS
from llmtui.core.records import FlagEvidence
from llmtui.core.trial_row import TrialRow
from llmtui.words import _
from llmtui.words.evidence import evidence_text

COUNTED_OTHERWISE = (
    "unexpected_reload", "superseded", "unseen_text", "buffered", "cap_ignored", "queued", "cached_prompt",
    "prompt_cut", "outlier", "short_output",
)  # fmt: skip
"""Flags that change which figures of a trial count, the most serious first."""


def mark(row: TrialRow) -> str:
    """Return the mark of a trial's row: its most serious flag that changes what counts; empty if it has none."""
    for flag in COUNTED_OTHERWISE:
        if flag in row.flags and not (flag == "outlier" and len(row.flags) == 1):
            return flag_mark(flag)
    return ""


def flag_mark(flag: str) -> str:
    """Return a flag in one to four words; an unknown flag is returned unchanged."""
    return _marks().get(flag, flag)


def flag_sentence(flag: str) -> str:
    """Return a sentence on what a flag means and what follows from it."""
    return _sentences().get(flag, flag)


def explained(flags: Sequence[str], evidence: Sequence[FlagEvidence]) -> tuple[str, ...]:
    """Return one sentence per flag with its evidence, for the details that Enter opens."""
    told = [*evidence, *("" for _flag in range(len(flags) - len(evidence)))]
    return tuple(
        f"{flag_mark(flag)}: {flag_sentence(flag)}" + (f" ({evidence_text(seen)})" if seen else "")
        for flag, seen in zip(flags, told, strict=True)
    )


def conditions_clause(conditions: Sequence[str]) -> str:
    """Return flags as text to put beside a result: ``partly on the CPU; another model in memory``."""
    return "; ".join(flag_mark(flag) for flag in dict.fromkeys((*CONDITIONS, *conditions)) if flag in conditions)


def _marks() -> dict[str, str]:
    return {
        "short_output": _("short answer"),
        "spilled": _("partly on the CPU"),
        "other_model_resident": _("another model in memory"),
        "thinking_inline": _("thinks inside the answer"),
        "clock_disagreement": _("times differ"),
        "unexpected_reload": _("reloaded"),
        "cached_prompt": _("from prompt cache"),
        "queued": _("waited in queue"),
        "prompt_cut": _("prompt shortened"),
        "swapped": _("memory swapped"),
        "throttled": _("CPU throttled"),
        "busy": _("other programs busy"),
        "busy_machine": _("busy machine"),
        "superseded": _("repeated"),
        "noisy_start": _("busy at start"),
        "stalled_output": _("stalled"),
        "outlier": _("speed outlier"),
        "text_replaced": _("invalid characters"),
        "text_repeated": _("text sent repeatedly"),
        "buffered": _("not streamed"),
        "cap_ignored": _("limit ignored"),
        "clocks_apart": _("server clock off"),
        "unseen_text": _("text in unknown field"),
    }


def _sentences() -> dict[str, str]:
    return {
        "short_output": _("Fewer than 64 tokens: too short to compare speed, which is shown in grey."),
        "spilled": _("The model does not fit into the GPU's memory; part of it runs on the CPU."),
        "other_model_resident": _(
            "Other models were in memory at the same time and may have used memory and CPU time."
        ),
        "thinking_inline": _("The model thinks inside its answer; TTFO is measured after </think>."),
        "clock_disagreement": _("The server's own decode time differs from the time measured here."),
        "unexpected_reload": _("The server reloaded the model during the trial; the trial was repeated once."),
        "cached_prompt": _("The server had part of this prompt in its cache; TTFT is not counted."),
        "queued": _("The server served another client first; speed counts, TTFT does not."),
        "prompt_cut": _("The server shortened the prompt; TTFT is not counted."),
        "swapped": _("Memory was read back from swap during the trial."),
        "throttled": _("The CPU was throttled, most likely by heat, and the model wrote more slowly."),
        "busy": _("Other programs kept the CPU busy during the trial; it was repeated once."),
        "busy_machine": _(
            "Other programs kept the CPU busy during most trials: the figures are those of a busy machine."
        ),
        "superseded": _("The repetition of this trial counts instead."),
        "noisy_start": _("Other programs kept the CPU busy just before the cold start."),
        "stalled_output": _("No text arrived for more than a second."),
        "outlier": _(
            "The speed is far from that of the other rounds of the same prompt; the trial is left out "
            "only if a cause is known."
        ),
        "cap_ignored": _("The server wrote more tokens than allowed; speed is not compared."),
        "clocks_apart": _("The server's clock does not agree with this machine's: its timestamps are not used."),
        "buffered": _("The answer was compressed or arrived all at once: no TTFT, no speed."),
        "unseen_text": _("Part of the text arrived in an unknown field: no TTFT, no speed."),
        "text_replaced": _("The text had bytes that are not valid Unicode; they are shown as �."),
        "text_repeated": _("The server sent text again that had already arrived; it is counted once."),
    }
