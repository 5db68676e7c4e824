"""What each figure of ``core.measures`` is called, how it is made, and what is left out of it.

The texts are shown by ``?`` on a table and make the table in docs/method.md. A change of a formula's code belongs into
its words too; ``Measure.computed_by`` names that code.
"""

from __future__ import annotations

import msgspec

from llmtui.core.measures import Measure, measure_of
from llmtui.words import _, marked


class MeasureWords(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one figure."""

    title: str
    short: str
    """A column's head, without the unit."""
    formula: str
    excluded: str
    source: str


def words_of(measure_id: str) -> MeasureWords | None:
    """Return a figure's words in the person's language; None where it has none."""
    found = WORDS.get(measure_id)
    return (
        None
        if found is None
        else MeasureWords(**{name: _(text) for name, text in msgspec.structs.asdict(found).items()})
    )


def measure_title(measure_id: str) -> str:
    """Return a figure's title; one without words is called as in files."""
    found = WORDS.get(measure_id)
    return measure_id if found is None else _(found.title)


def short_title(one: Measure) -> str:
    """Return the head of a column, without the unit."""
    found = WORDS.get(one.id)
    return one.id if found is None else _(found.short)


def unit_words(one: Measure) -> str:
    """Return a figure's unit; empty where it has none."""
    return _("chars/s") if one.unit == "chars/s" else one.unit


def explain_measure(measure_id: str) -> str:
    """Return a figure's explanation as lines: title and unit, formula, source, what is left out, name in files.

    Empty where it has none.
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
            _("In files: {name}").format(name=measure_id),
        )
    )


_NOTHING = marked("Nothing.")
_WARM = marked("Starts from off, follow-up questions, tests that were disturbed in a way that changes this figure.")
_STANDARD = marked("As NVIDIA AIPerf and MLPerf Inference define it.")
_OWN = marked("llmtui's own definition; see docs/method.md.")
_SERVER = marked("The server's own count.")

WORDS: dict[str, MeasureWords] = {
    "ttft_ms": MeasureWords(
        title=marked("First word (TTFT)"),
        short=marked("First word"),
        formula=marked(
            "From sending the question until the first text arrives, thinking or answer. In tables: the middle value "
            "(median) of the tests."
        ),
        excluded=marked(
            "Starts from off and follow-up questions, which have columns of their own; tests that waited for another "
            "client, met a remembered or a cut question, or a model that was loaded again."
        ),
        source=_STANDARD,
    ),
    "ttfo_ms": MeasureWords(
        title=marked("First answer word, after thinking (TTFO)"),
        short=marked("Answer word"),
        formula=marked("From sending the question until the first text of the answer itself arrives."),
        excluded=marked("Missing where the limit of tokens was reached while the model was still thinking."),
        source=marked("As NVIDIA AIPerf defines it; of a model that thinks inside its answer, after </think>."),
    ),
    "decode_tps": MeasureWords(
        title=marked("Speed (TPS)"),
        short=marked("Speed"),
        formula=marked(
            "(tokens − those of the first chunk) ÷ (end of the answer − first text). Tokens are the server's count, "
            "never the number of chunks. In tables: all tokens ÷ all time."
        ),
        excluded=marked(
            "Waiting and loading. Answers under 64 tokens are shown in grey and not compared, under 16 they have no "
            "speed. Starts from off, follow-up questions, tests in which the model was loaded again, outliers with a "
            "known cause."
        ),
        source=marked(
            "The inverse of the time per output token of AIPerf, MLPerf Inference and vLLM. Ollama's eval rate is n ÷ "
            "eval_duration, one token more: 0.8 % higher at 128 tokens. llama-bench's tg leaves out prompt, sampling "
            "and HTTP: higher. AIPerf takes the mean of the rates, its own count of tokens and the time to the last "
            "text; vLLM's bench the mean of the times per token."
        ),
    ),
    "tpot_ms": MeasureWords(
        title=marked("Time per token"),
        short=marked("Time per token"),
        formula=marked("1000 ÷ speed."),
        excluded=marked("As for speed."),
        source=_STANDARD,
    ),
    "decode_cps": MeasureWords(
        title=marked("Text speed"),
        short=marked("Text"),
        formula=marked("Characters after the first chunk ÷ (end of the answer − first text)."),
        excluded=marked(
            "As for speed. Models cut text into tokens of different length: characters compare across models, tokens "
            "do not."
        ),
        source=_OWN,
    ),
    "reading_x": MeasureWords(
        title=marked("× reading"),
        short=marked("× reading"),
        formula=marked("Words a second ÷ 3.97: how many times as fast as people read silently (238 words a minute)."),
        excluded=marked("Missing for text without spaces between words."),
        source="Brysbaert 2019, doi 10.1016/j.jml.2019.104047.",
    ),
    "prefill_tps": MeasureWords(
        title=marked("Reading the prompt (prefill)"),
        short=marked("Prefill"),
        formula=marked(
            "(tokens of the prompt − those the server remembered) ÷ the server's time for the prompt. In tables: of "
            "cold starts, or of warm trials where more models have those; never of both."
        ),
        excluded=marked(
            "Prompts under 64 fresh tokens, and warm tests where the server does not say what it remembered."
        ),
        source=marked(
            "llama.cpp's prompt throughput, without remembered tokens. AIPerf's is another: the prompt ÷ TTFT."
        ),
    ),
    "load_ms": MeasureWords(
        title=marked("Loading"),
        short=marked("Loading"),
        formula=marked("The server's count of what it took to have the model ready; making room for it is included."),
        excluded=_NOTHING,
        source=_SERVER,
    ),
    "cold_first_ms": MeasureWords(
        title=marked("Cold start"),
        short=marked("Cold start"),
        formula=marked("First word of the first start after the model was unloaded, as a rule read from disk."),
        excluded=marked("Later starts, which mostly read the file from memory: they are “start again”."),
        source=_OWN,
    ),
    "cold_again_ms": MeasureWords(
        title=marked("Cold start again, from cached files"),
        short=marked("Cold again"),
        formula=marked("First word of later starts after the model was unloaded, the middle value."),
        excluded=marked("The first start."),
        source=_OWN,
    ),
    "follow_up_ttft_ms": MeasureWords(
        title=marked("In a chat (follow-up)"),
        short=marked("In a chat"),
        formula=marked("First word of a second question in the same talk: the server has read the first already."),
        excluded=marked("Speed: these answers are cut short on purpose."),
        source=_OWN,
    ),
    "e2e_ms": MeasureWords(
        title=marked("Whole answer"),
        short=marked("Whole answer"),
        formula=marked("From sending the question to the end of the answer, waiting included."),
        excluded=marked("“≥” where the limit of tokens ended the answer: it would have gone on."),
        source=_STANDARD,
    ),
    "e2e_tps": MeasureWords(
        title=marked("Tokens ÷ total time"),
        short=marked("Tokens ÷ total time"),
        formula=marked("All tokens ÷ (end of the answer − sending): the usual formula. It counts waiting as writing."),
        excluded=marked("Nothing, and that is what is wrong with it: loading and waiting are in it."),
        source=marked("AIPerf's end-to-end output token throughput."),
    ),
    "usual_tps": MeasureWords(
        title=marked("The usual formula"),
        short=marked("The usual formula"),
        formula=marked("Mean of tokens ÷ total time over the warm trials that the speed is made from."),
        excluded=marked("As for speed, but the wait for the first word is in it."),
        source=marked("What most scripts print."),
    ),
    "usual_cold_tps": MeasureWords(
        title=marked("The usual formula, cold starts"),
        short=marked("Usual, cold"),
        formula=marked("Mean of tokens ÷ total time over cold starts alone."),
        excluded=marked("Nothing: loading and waiting are in it."),
        source=marked("What most scripts print."),
    ),
    "gap_p50_ms": MeasureWords(
        title=marked("Median gap between chunks"),
        short=marked("Median gap"),
        formula=marked("Median of the times between chunks of text, by the server's stamps where it sends them."),
        excluded=marked("A chunk is not a token: a server may send several at once."),
        source=marked("llmtui's own definition: AIPerf's inter-chunk latency goes by arrival alone."),
    ),
    "gap_p95_ms": MeasureWords(
        title=marked("95th-percentile gap between chunks"),
        short=marked("95th-percentile gap"),
        formula=marked("95 of 100 times between chunks are shorter."),
        excluded=marked("A chunk is not a token: a server may send several at once."),
        source=marked("llmtui's own definition: AIPerf's inter-chunk latency goes by arrival alone."),
    ),
    "longest_gap_ms": MeasureWords(
        title=marked("Longest pause"),
        short=marked("Longest pause"),
        formula=marked("The longest time between two chunks of text."),
        excluded=marked("The wait for the first word."),
        source=_OWN,
    ),
    "stalls": MeasureWords(
        title=marked("Pauses"),
        short=marked("Pauses"),
        formula=marked("Times between chunks of more than five times the usual one and more than 250 ms."),
        excluded=marked("The wait for the first word."),
        source=_OWN,
    ),
    "client_lag_ms": MeasureWords(
        title=marked("llmtui's own delay"),
        short=marked("llmtui's own delay"),
        formula=marked(
            "Median of arrival − the server's stamp of a chunk. Server elsewhere: above the smallest seen, since the "
            "two clocks differ."
        ),
        excluded=marked("Missing where the server does not stamp its chunks."),
        source=_OWN,
    ),
    "tokens": MeasureWords(
        title=marked("Tokens"),
        short=marked("Answer tokens"),
        formula=marked("Output tokens by the server's count, thinking among them."),
        excluded=marked("Missing where the server sends no count; chunks are never counted instead."),
        source=_SERVER,
    ),
    "memory_peak_bytes": MeasureWords(
        title=marked("Memory"),
        short=marked("Memory"),
        formula=marked("Most that the model's process held in RAM: its mapped file and its own memory together."),
        excluded=marked("Other programs. It is never the change of the machine's used RAM, which misses mapped files."),
        source=marked("The process's own account (/proc on Linux)."),
    ),
    "memory_steady_bytes": MeasureWords(
        title=marked("Typical memory"),
        short=marked("Typical memory"),
        formula=marked("Median of what the model's process held in the second half of each test."),
        excluded=marked("Loading, which may need more for a moment."),
        source=marked("The process's own account (/proc on Linux)."),
    ),
    "vram_bytes": MeasureWords(
        title=marked("GPU memory"),
        short=marked("On GPU"),
        formula=marked("What the server says that the model holds in the GPU's memory."),
        excluded=marked("Other programs."),
        source=_SERVER,
    ),
    "runner_cpu_s_per_token": MeasureWords(
        title=marked("CPU time per token"),
        short=marked("CPU time per token"),
        formula=marked(
            "CPU time of the model's process during a trial ÷ its output tokens; reading the prompt is in it. The "
            "column runner_cpu_s holds the seconds of the whole trial."
        ),
        excluded=marked("Waiting threads may spin: processor time is not all useful work."),
        source=marked("The process's own account."),
    ),
    "joules_per_token": MeasureWords(
        title=marked("Energy per token"),
        short=marked("Energy per token"),
        formula=marked(
            "Energy that the machine's meter counted during a trial ÷ its output tokens. The column joules holds that "
            "of the whole trial."
        ),
        excluded=marked("Missing where there is no meter; it is never estimated."),
        source=marked("The machine's own meter, named in the column joules_source."),
    ),
    "round_spread": MeasureWords(
        title=marked("Between rounds"),
        short=marked("Between rounds"),
        formula=marked("Standard deviation of the speed at the same prompt over rounds, as a share."),
        excluded=marked("Differences between prompts. It takes three rounds."),
        source=_OWN,
    ),
    "total_s": MeasureWords(
        title=marked("Total time"),
        short=marked("Total time"),
        formula=marked("Time of all requests to this model together, waiting included."),
        excluded=marked("Unloading between models; trials that were asked again."),
        source=_OWN,
    ),
    "finished": MeasureWords(
        title=marked("Tests"),
        short=marked("Tests"),
        formula=marked("Tests that ended in order, and how many failed."),
        excluded=_NOTHING,
        source=_OWN,
    ),
    "ratio": MeasureWords(
        title=marked("How many times as fast"),
        short=marked("How many times as fast"),
        formula=marked(
            "In each round: all tokens ÷ all time of the prompts that both answered at length, one model against the "
            "other. Over rounds: the geometric mean, with a 95 % interval by Student's t that holds for all pairs of "
            "the table together."
        ),
        excluded=_WARM,
        source=marked("One round is one observation (Kalibera and Jones 2013); rules in docs/method.md."),
    ),
    "prompt_tokens": MeasureWords(
        title=marked("Tokens of the prompt"),
        short=marked("Prompt tokens"),
        formula=marked("Tokens of the prompt by the server's count, remembered ones among them."),
        excluded=_NOTHING,
        source=_SERVER,
    ),
    "cached_tokens": MeasureWords(
        title=marked("Of them remembered"),
        short=marked("Remembered"),
        formula=marked("Tokens of the prompt that the server had read before and did not read again."),
        excluded=marked("Missing where the server does not say what it remembered."),
        source=_SERVER,
    ),
}
"""Figure → its words in English."""
