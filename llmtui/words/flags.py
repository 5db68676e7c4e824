"""What is marked on a test: one short mark a row, the rest under Enter with the evidence."""

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
"""Flags that change what is counted, the gravest first."""


def mark(row: TrialRow) -> str:
    """Gives the one mark of a row: a word if a flag changed what is counted, else nothing."""
    for flag in COUNTED_OTHERWISE:
        if flag in row.flags and not (flag == "outlier" and len(row.flags) == 1):
            return flag_mark(flag)
    return ""


def flag_mark(flag: str) -> str:
    """Gives the flag in a word or two; one of a newer version is given as it is."""
    return _marks().get(flag, flag)


def flag_sentence(flag: str) -> str:
    """Gives what the flag means and what follows from it."""
    return _sentences().get(flag, flag)


def explained(flags: Sequence[str], evidence: Sequence[FlagEvidence]) -> tuple[str, ...]:
    """Gives a sentence a flag, with what was seen: the text under Enter."""
    told = [*evidence, *("" for _flag in range(len(flags) - len(evidence)))]
    return tuple(
        f"{flag_mark(flag)}: {flag_sentence(flag)}" + (f" ({evidence_text(seen)})" if seen else "")
        for flag, seen in zip(flags, told, strict=True)
    )


def conditions_clause(conditions: Sequence[str]) -> str:
    """Gives lasting conditions as a clause to stand beside a result: ``part on the CPU; other models in memory``."""
    return "; ".join(flag_mark(flag) for flag in dict.fromkeys((*CONDITIONS, *conditions)) if flag in conditions)


def _marks() -> dict[str, str]:
    return {
        "short_output": _("short answer"),
        "spilled": _("part on the CPU"),
        "other_model_resident": _("another model in memory"),
        "thinking_inline": _("thinks in its answer"),
        "clock_disagreement": _("clocks disagree"),
        "unexpected_reload": _("loaded again"),
        "cached_prompt": _("prompt from cache"),
        "queued": _("waited for others"),
        "prompt_cut": _("prompt cut"),
        "swapped": _("memory swapped"),
        "throttled": _("slowed by heat"),
        "busy": _("others busy"),
        "busy_machine": _("on a busy machine"),
        "superseded": _("asked again"),
        "noisy_start": _("machine busy"),
        "stalled_output": _("paused in mid-answer"),
        "outlier": _("far from the rest"),
        "text_replaced": _("broken characters"),
        "buffered": _("not streamed"),
        "cap_ignored": _("limit ignored"),
        "clocks_apart": _("server's clock differs"),
        "unseen_text": _("text not seen"),
    }


def _sentences() -> dict[str, str]:
    return {
        "short_output": _("Under 64 tokens: too short to compare the speed, which is shown in grey."),
        "spilled": _("The model does not fit into the GPU's memory; part of it runs on the CPU."),
        "other_model_resident": _("Other models were in memory at the same time and may have taken room and time."),
        "thinking_inline": _("The model thinks inside its answer; the first answer word is the one after that."),
        "clock_disagreement": _("The server's count of its writing time and the time measured here differ."),
        "unexpected_reload": _("The server loaded the model again in the middle; the test was repeated once."),
        "cached_prompt": _("The server had parts of this question in memory; its waiting time is not counted."),
        "queued": _("The server worked for somebody else first; the waiting time is not counted, the speed is."),
        "prompt_cut": _("The server cut the question; its waiting time is not counted."),
        "swapped": _("Memory was read back from disk (swap) during the test."),
        "throttled": _("The processor was slowed down, most likely by heat, and so was the text."),
        "busy": _("Other programs kept the processor busy during the trial; it was asked again once."),
        "busy_machine": _(
            "Other programs kept the processor busy during most trials: the figures are those of a busy machine."
        ),
        "superseded": _("The repetition counts in place of this trial."),
        "noisy_start": _("Other programs were busy just before the start."),
        "stalled_output": _("The text stood still for more than a second."),
        "outlier": _("Far from the other rounds of the same question; left out only where a cause is known."),
        "cap_ignored": _("The server wrote more tokens than were allowed; its speed is not compared."),
        "clocks_apart": _("The server's clock is set otherwise than ours: no delay, no gaps by its times."),
        "buffered": _("The answer was compressed or came all at once: no TTFT, no speed."),
        "unseen_text": _("Part of the text came in a field that is not known: no TTFT, no speed."),
        "text_replaced": _("The text held characters that do not exist; they are shown as a sign of their own."),
    }
