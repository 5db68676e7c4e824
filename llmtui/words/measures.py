"""Title, formula, exclusions and source of each figure in ``core.measures``, as texts.

``?`` on a table shows these texts, and the table in docs/method.md is made from them. If the code of a formula changes,
its text here must change too; ``Measure.computed_by`` names that code.
"""

from __future__ import annotations

import msgspec

from llmtui.core.measures import Measure, measure_of
from llmtui.words import _, marked


class MeasureWords(msgspec.Struct, frozen=True, kw_only=True):
    """The texts that explain one figure."""

    title: str
    short: str
    """Head of the figure's column, without the unit."""
    formula: str
    excluded: str
    source: str


def words_of(measure_id: str) -> MeasureWords | None:
    """Return a figure's texts in the user's language; None for an unknown figure."""
    found = WORDS.get(measure_id)
    return (
        None
        if found is None
        else MeasureWords(**{name: _(text) for name, text in msgspec.structs.asdict(found).items()})
    )


def measure_title(measure_id: str) -> str:
    """Return a figure's title, or its id if it has no texts."""
    found = WORDS.get(measure_id)
    return measure_id if found is None else _(found.title)


def short_title(one: Measure) -> str:
    """Return the head of a figure's column, without the unit."""
    found = WORDS.get(one.id)
    return one.id if found is None else _(found.short)


def unit_words(one: Measure) -> str:
    """Return a figure's unit in the user's language; empty if it has none."""
    return _("chars/s") if one.unit == "chars/s" else one.unit


def file_names(one: Measure) -> str:
    """Return a figure's name in files; both names, if it has one in trials.csv and another in summary.csv."""
    if one.trial_column in (None, one.id):
        return one.id
    return f"trials.csv: {one.trial_column}; summary.csv: {one.id}"


def explain_measure(measure_id: str) -> str:
    """Return a figure's explanation, one line each: title with unit, formula, source, exclusions, and name in files.

    Empty for an unknown figure.
    """
    found, one = words_of(measure_id), measure_of(measure_id)
    if found is None or one is None:
        return ""
    return "\n".join(
        (
            f"{found.title} · {unit_words(one)}" if one.unit else found.title,
            found.formula,
            _("Source: {source}").format(source=found.source),
            _("Left out: {excluded}").format(excluded=found.excluded),
            _("In files: {name}").format(name=file_names(one)),
        )
    )


_NOTHING = marked("Nothing.")
_WARM = marked("Cold starts, follow-ups and trials disturbed in a way that changes this figure.")
_STANDARD = marked("As NVIDIA AIPerf and MLPerf Inference define it.")
_OWN = marked("llmtui's own definition; see docs/method.md.")
_SERVER = marked("Reported by the server.")

WORDS: dict[str, MeasureWords] = {
    "ttft_ms": MeasureWords(
        title=marked("Time to first token (TTFT)"),
        short=marked("TTFT"),
        formula=marked(
            "Arrival of the first text (thinking or answer) − sending of the prompt. In tables: the median of the "
            "trials."
        ),
        excluded=marked(
            "Cold starts and follow-ups, which have columns of their own; trials that waited for "
            "another client, trials with a cached or cut prompt, and trials during which the model "
            "was reloaded."
        ),
        source=_STANDARD,
    ),
    "ttfo_ms": MeasureWords(
        title=marked("Time to first output token, after thinking (TTFO)"),
        short=marked("TTFO"),
        formula=marked("Arrival of the first text of the answer itself, without thinking − sending of the prompt."),
        excluded=marked("Missing if the answer reached its length limit while the model was still thinking."),
        source=marked(
            "As NVIDIA AIPerf defines it. If the model thinks inside its answer, counting starts after </think>."
        ),
    ),
    "decode_tps": MeasureWords(
        title=marked("Decode speed (TPS)"),
        short=marked("Speed"),
        formula=marked(
            "(output tokens − those of the first chunk) ÷ (end of the answer − first text). Tokens are the "
            "server's count, never the number of chunks. In tables: all tokens ÷ all time."
        ),
        excluded=marked(
            "Waiting and loading; cold starts; follow-ups; trials during which the model was reloaded; outliers "
            "with a known cause. Answers under 64 tokens are shown in grey and not compared; under 16 tokens there "
            "is no speed."
        ),
        source=marked(
            "The inverse of the time per output token of AIPerf, MLPerf Inference and vLLM. Ollama's eval rate, n "
            "÷ eval_duration, counts one token more: it is 0.8 % higher at 128 tokens. llama-bench's tg excludes "
            "prompt, sampling and HTTP, so it is higher. AIPerf averages the rates of single requests, with its "
            "own token count and the time to the last text; vLLM's bench averages the times per token."
        ),
    ),
    "tpot_ms": MeasureWords(
        title=marked("Time per token"),
        short=marked("Time per token"),
        formula=marked("1000 ÷ decode speed."),
        excluded=marked("The same trials as for decode speed."),
        source=_STANDARD,
    ),
    "decode_cps": MeasureWords(
        title=marked("Text speed"),
        short=marked("Text"),
        formula=marked("Characters after the first chunk ÷ (end of the answer − first text)."),
        excluded=marked(
            "The same trials as for decode speed. Tokens differ in length from model to model, so "
            "compare characters, not tokens, across models."
        ),
        source=_OWN,
    ),
    "reading_x": MeasureWords(
        title=marked("× reading speed"),
        short=marked("× reading speed"),
        formula=marked(
            "Words per second ÷ 3.97: the multiple of an adult's silent reading speed (238 words per minute)."
        ),
        excluded=marked("Missing for text without spaces between words."),
        source="Brysbaert 2019, doi 10.1016/j.jml.2019.104047.",
    ),
    "prefill_tps": MeasureWords(
        title=marked("Prompt processing speed (prefill)"),
        short=marked("Prefill"),
        formula=marked(
            "(prompt tokens − those from the prompt cache) ÷ the server's prompt time. Tables use "
            "the cold starts, or the warm trials if more models have this figure there; the two are "
            "never mixed."
        ),
        excluded=marked(
            "Prompts with fewer than 64 uncached tokens, and warm trials if the server does not report its prompt "
            "cache."
        ),
        source=marked(
            "llama.cpp's prompt throughput, without cached tokens. AIPerf divides the whole prompt by TTFT instead."
        ),
    ),
    "load_ms": MeasureWords(
        title=marked("Load time"),
        short=marked("Load time"),
        formula=marked("Time the server took to get the model ready, including making room for it."),
        excluded=_NOTHING,
        source=_SERVER,
    ),
    "cold_first_ms": MeasureWords(
        title=marked("Cold start"),
        short=marked("Cold start"),
        formula=marked(
            "TTFT of the session's first cold start: unload the model, send a prompt, wait for the "
            "first token. Usually the file is read from disk."
        ),
        excluded=marked("Later cold starts, which have a column of their own."),
        source=_OWN,
    ),
    "cold_again_ms": MeasureWords(
        title=marked("Later cold start"),
        short=marked("Later cold start"),
        formula=marked(
            "Median TTFT of all later cold starts. The file is often still in the system's cache; "
            "the column cold_source says so if it is known."
        ),
        excluded=marked("The first cold start."),
        source=_OWN,
    ),
    "follow_up_ttft_ms": MeasureWords(
        title=marked("Follow-up TTFT"),
        short=marked("Follow-up TTFT"),
        formula=marked("TTFT of a second prompt in the same conversation; the server has already processed the first."),
        excluded=marked("Speed: these answers are kept short on purpose."),
        source=_OWN,
    ),
    "e2e_ms": MeasureWords(
        title=marked("Whole answer"),
        short=marked("Whole answer"),
        formula=marked("End of the answer − sending of the prompt, waiting included."),
        excluded=marked("Nothing. “≥” marks answers that were cut at the length limit."),
        source=_STANDARD,
    ),
    "e2e_tps": MeasureWords(
        title=marked("Tokens ÷ total time"),
        short=marked("Tokens ÷ total time"),
        formula=marked("Output tokens ÷ (end of the answer − sending of the prompt), waiting included."),
        excluded=marked("Nothing: loading and waiting are included, which is why it is not a decode speed."),
        source=marked("AIPerf's end-to-end output token throughput."),
    ),
    "usual_tps": MeasureWords(
        title=marked("Usual formula"),
        short=marked("Usual formula"),
        formula=marked("Mean of tokens ÷ total time over the warm trials that count for decode speed."),
        excluded=marked("The same trials as for decode speed, but TTFT is included."),
        source=marked("What most benchmark scripts print."),
    ),
    "usual_cold_tps": MeasureWords(
        title=marked("Usual formula, cold starts"),
        short=marked("Usual formula, cold"),
        formula=marked("Mean of tokens ÷ total time over cold starts only."),
        excluded=marked("Nothing: loading and waiting are included."),
        source=marked("What most benchmark scripts print."),
    ),
    "gap_p50_ms": MeasureWords(
        title=marked("Chunk gap p50"),
        short=marked("Chunk gap p50"),
        formula=marked(
            "Median of the times between chunks of text, by the server's timestamps if it sends them, else by arrival."
        ),
        excluded=marked("A chunk is not a token: a server may send several at once."),
        source=marked("llmtui's own definition. AIPerf's inter-chunk latency uses arrival times only."),
    ),
    "gap_p95_ms": MeasureWords(
        title=marked("Chunk gap p95"),
        short=marked("Chunk gap p95"),
        formula=marked("95th percentile of the times between chunks of text."),
        excluded=marked("A chunk is not a token: a server may send several at once."),
        source=marked("llmtui's own definition. AIPerf's inter-chunk latency uses arrival times only."),
    ),
    "longest_gap_ms": MeasureWords(
        title=marked("Longest chunk gap"),
        short=marked("Longest chunk gap"),
        formula=marked("The longest time between two chunks of text."),
        excluded=marked("The time before the first token."),
        source=_OWN,
    ),
    "stalls": MeasureWords(
        title=marked("Stalls"),
        short=marked("Stalls"),
        formula=marked("Number of chunk gaps longer than both 250 ms and five times the median gap."),
        excluded=marked("The time before the first token."),
        source=_OWN,
    ),
    "client_lag_ms": MeasureWords(
        title=marked("Client lag"),
        short=marked("Client lag"),
        formula=marked(
            "Arrival of a chunk − the server's timestamp in it: the median over the chunks. For a "
            "server on another machine: the excess over the smallest difference seen, since the two "
            "clocks differ."
        ),
        excluded=marked("Missing if the server sends no timestamps."),
        source=_OWN,
    ),
    "tokens": MeasureWords(
        title=marked("Tokens"),
        short=marked("Output tokens"),
        formula=marked("Output tokens by the server's count, thinking included."),
        excluded=marked("Missing if the server sends no count; chunks are never counted instead."),
        source=_SERVER,
    ),
    "memory_peak_bytes": MeasureWords(
        title=marked("Memory"),
        short=marked("Memory"),
        formula=marked("Peak RAM of the model's process: mapped model file plus its own memory."),
        excluded=marked("Other programs. Never computed from the machine's used RAM, which misses mapped files."),
        source=marked("The operating system's figures for the process (/proc on Linux)."),
    ),
    "memory_steady_bytes": MeasureWords(
        title=marked("Typical memory"),
        short=marked("Typical memory"),
        formula=marked("Median of what the model's process held in the second half of each trial."),
        excluded=marked("Loading, which may briefly need more."),
        source=marked("The operating system's figures for the process (/proc on Linux)."),
    ),
    "vram_bytes": MeasureWords(
        title=marked("GPU memory"),
        short=marked("GPU memory"),
        formula=marked("GPU memory that the model holds, according to the server."),
        excluded=marked("Other programs."),
        source=_SERVER,
    ),
    "runner_cpu_s_per_token": MeasureWords(
        title=marked("CPU time per token"),
        short=marked("CPU time per token"),
        formula=marked(
            "CPU time of the model's process during a trial, prompt processing included, ÷ output tokens. The column "
            "runner_cpu_s has the CPU seconds of the whole trial."
        ),
        excluded=marked("Nothing. Waiting threads may spin, so not all CPU time is useful work."),
        source=marked("The operating system's figures for the process."),
    ),
    "joules_per_token": MeasureWords(
        title=marked("Energy per token"),
        short=marked("Energy per token"),
        formula=marked(
            "Energy measured by the machine's meter during a trial ÷ output tokens. The column joules has the "
            "energy of the whole trial."
        ),
        excluded=marked("Missing if the machine has no meter; it is never estimated."),
        source=marked("The machine's energy meter, named in the column joules_source."),
    ),
    "round_spread": MeasureWords(
        title=marked("Variation between rounds"),
        short=marked("Variation between rounds"),
        formula=marked("Relative standard deviation of the decode speed for the same prompt across rounds."),
        excluded=marked("Differences between prompts. Needs three rounds."),
        source=_OWN,
    ),
    "total_s": MeasureWords(
        title=marked("Total time"),
        short=marked("Total time"),
        formula=marked("Total duration of all requests to this model, waiting included."),
        excluded=marked("Unloading between models, and repetitions of disturbed trials."),
        source=_OWN,
    ),
    "finished": MeasureWords(
        title=marked("Trials"),
        short=marked("Trials"),
        formula=marked("Number of completed and of failed trials."),
        excluded=_NOTHING,
        source=_OWN,
    ),
    "ratio": MeasureWords(
        title=marked("Speed ratio"),
        short=marked("Speed ratio"),
        formula=marked(
            "In each round: one model's decode speed ÷ the other's, over the prompts that both "
            "answered with 64 tokens or more. For the session: the geometric mean of the rounds, "
            "with a 95 % interval (Student's t) that holds for all pairs of the table together."
        ),
        excluded=_WARM,
        source=marked("One round is one observation (Kalibera and Jones 2013); rules in docs/method.md."),
    ),
    "prompt_tokens": MeasureWords(
        title=marked("Prompt tokens"),
        short=marked("Prompt tokens"),
        formula=marked("Prompt tokens by the server's count, cached ones included."),
        excluded=_NOTHING,
        source=_SERVER,
    ),
    "cached_tokens": MeasureWords(
        title=marked("Prompt tokens from prompt cache"),
        short=marked("From prompt cache"),
        formula=marked("Prompt tokens that the server took from its cache instead of processing them again."),
        excluded=marked("Missing if the server does not report its prompt cache."),
        source=_SERVER,
    ),
}
"""Id of a figure → its texts in English."""
