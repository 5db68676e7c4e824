"""The terms of screens, reports and files: the meaning of each, and its name in files and in other tools.

The figures come from ``core.measures``, with the texts of ``words.measures``; only the other terms are defined here.
docs/glossary.md is made from this table (``python tools/describe_glossary.py docs/glossary.md``), and F1 shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from llmtui.core.measures import Measure, measures
from llmtui.words import _, marked
from llmtui.words.measures import WORDS, file_names, unit_words


class GlossaryTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One term of the glossary, in the user's language."""

    term: str
    meaning: str
    in_files: str
    """Names of columns and fields; empty if the term is not in files."""
    elsewhere: str
    """Names in other tools; empty if they have none."""


_TERMS: Final = (
    (
        marked("Trial"),
        marked("One request to one model, with its answer and its figures."),
        "trials.csv",
        "AIPerf, vLLM: request; llama-bench: test",
    ),
    (
        marked("Round"),
        marked("Every model runs every picked prompt once. A round is one observation of a comparison."),
        "round",
        "llama-bench: repetition (-r)",
    ),
    (
        marked("Session"),
        marked("All trials of one run, saved in one folder."),
        "session_id",
        "AIPerf, vLLM: benchmark run",
    ),
    (
        marked("Plan"),
        marked("What a session runs: its models, prompts and options. Two sessions of the same plan can be compared."),
        "plan",
        "",
    ),
    (
        marked("Journal"),
        marked(
            "The file in which a session records every event as it happens; its other files are "
            "computed from these events."
        ),
        "events.jsonl",
        "",
    ),
    (
        marked("Baseline"),
        marked("A session to which you gave a name, so that later sessions can be compared with it."),
        "baselines.json",
        "benchstat: old.txt",
    ),
    (
        marked("Prompt"),
        marked("The text that is sent to a model. Prompts belong to categories such as Coding."),
        "prompt_id, category",
        "AIPerf: input",
    ),
    (
        marked("Warm trial"),
        marked("A trial whose model was already in memory when the prompt was sent. Comparisons use "
"warm trials."),
        "kind = warm",
        "",
    ),
    (
        marked("Cold start (trial)"),
        marked("A trial right after the model was unloaded: unload, load, first token."),
        "kind = cold, cold_source",
        "",
    ),
    (
        marked("Follow-up"),
        marked("A trial that continues the conversation of the trial before it. Only its TTFT is "
"measured."),
        "kind = follow_up",
        "AIPerf: second turn of a multi-turn conversation",
    ),
    (
        marked("Chunk"),
        marked("One part of an answer, as the server sends it. It may hold several tokens."),
        "chunks",
        "OpenAI: chat.completion.chunk",
    ),
    (
        marked("Thinking (reasoning)"),
        marked("Text that a model writes before its answer. It counts for TTFT, not for TTFO."),
        "variant",
        "vLLM, AIPerf: reasoning; Ollama: thinking",
    ),
    (
        marked("Prompt cache"),
        marked("Prompt tokens that the server processed before and does not process again."),
        "cached_tokens",
        "vLLM: prefix cache; llama.cpp: cache_prompt",
    ),
    (
        marked("Disturbed"),
        marked(
            "A trial in which something happened, such as a reload of the model, for which some of "
            "its figures are not counted. It is kept, and a flag marks it."
        ),
        "flags",
        "",
    ),
    (
        marked("Not available"),
        marked("A figure that could not be measured. It is blank, never 0, and the reason is kept."),
        "missing",
        "",
    ),
    (
        marked("95 % interval"),
        marked("The range of ratios that is consistent with the measured rounds; it holds for all pairs "
"of a table together. It needs three rounds."),
        "low, high",
        "benchstat: ±",
    ),
    (
        marked("Verdict"),
        marked("What the rounds show about two models, such as faster, practically equal or too close to tell yet."),
        "word",
        "",
    ),
    (
        marked("Faster"),
        marked("The whole 95 % interval of the speed ratio is beyond 1.03."),
        "word = faster",
        "",
    ),
    (
        marked("Too close to tell yet"),
        marked("The 95 % interval includes 1: which model is faster is not known. More rounds may "
"settle it."),
        "word = too_close",
        "benchstat: ~",
    ),
)  # fmt: skip
"""The terms that are not figures; each entry has the term, its meaning, and its names in files and in other tools."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "ttft_ms": "AIPerf, vLLM bench: TTFT; Ollama: no field (close to load_duration + prompt_eval_duration)",
    "ttfo_ms": "AIPerf: TTFO (Time to First Output Token)",
    "decode_tps": "Ollama: eval rate; llama-bench: tg t/s; AIPerf: Output Token Throughput Per User; "
    "vLLM bench: 1000 ÷ TPOT",
    "tpot_ms": "vLLM bench: TPOT; AIPerf: Inter Token Latency",
    "prefill_tps": "Ollama: prompt eval rate; llama-bench: pp t/s",
    "load_ms": "Ollama: load_duration",
    "e2e_ms": "Ollama: total_duration; AIPerf: Request Latency; vLLM bench: E2EL",
    "gap_p50_ms": "vLLM bench: ITL (p50); AIPerf: Inter Chunk Latency",
    "gap_p95_ms": "vLLM bench: ITL (p95); AIPerf: Inter Chunk Latency",
    "tokens": "Ollama: eval_count; OpenAI: completion_tokens; AIPerf: Output Sequence Length",
    "prompt_tokens": "Ollama: prompt_eval_count; OpenAI: prompt_tokens; AIPerf: Input Sequence Length",
    "cached_tokens": "OpenAI: prompt_tokens_details.cached_tokens; llama.cpp: cache_n",
    "vram_bytes": "Ollama: size_vram (/api/ps)",
}
"""Id of a figure → names, in other tools, of the figure with the most similar formula."""


def glossary() -> tuple[GlossaryTerm, ...]:
    """Return all terms: first those that are not figures, then the figures in column order."""
    plain = [
        GlossaryTerm(term=_(term), meaning=_(meaning), in_files=files, elsewhere=elsewhere)
        for term, meaning, files, elsewhere in _TERMS
    ]
    return (*plain, *(_figure(one) for one in measures()))


def glossary_lines(terms: tuple[GlossaryTerm, ...]) -> Iterator[str]:
    """Yield the lines of the glossary as a Markdown table."""
    yield f"| {_('Term')} | {_('Meaning')} | {_('In files')} | {_('In other tools')} |"
    yield "|---|---|---|---|"
    for one in terms:
        files = f"`{one.in_files}`" if one.in_files else ""
        yield f"| {one.term} | {one.meaning} | {files} | {one.elsewhere} |"


def glossary_text() -> str:
    """Return the glossary as Markdown paragraphs, which fit on a narrow screen."""
    parts: list[str] = []
    for one in glossary():
        beside = [_("In files: {name}").format(name=f"`{one.in_files}`")] if one.in_files else []
        beside += [one.elsewhere] if one.elsewhere else []
        parts.append(f"**{one.term}**: {one.meaning}" + (f" *{' · '.join(beside)}*" if beside else ""))
    return "\n\n".join(parts)


def _figure(one: Measure) -> GlossaryTerm:
    words = WORDS[one.id]
    unit = unit_words(one)
    return GlossaryTerm(
        term=f"{_(words.title)}, {unit}" if unit else _(words.title),
        meaning=_(words.formula),
        in_files=file_names(one),
        elsewhere=ELSEWHERE.get(one.id, ""),
    )
