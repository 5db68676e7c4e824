"""What each figure is: its name, unit, formula, where the formula comes from, and what is left out of it.

The texts are shown by ``?`` on a column and make the table in docs/method.md. ``computed_by`` names the function that
does what the formula says; a change of one belongs into the other.
"""

from __future__ import annotations

import msgspec

from llmtui.words import _, marked


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A figure as it is explained to people. Texts are English and translated when shown."""

    id: str
    """Its name in files: a column of trials.csv or summary.csv, or a field of a conclusion."""
    title: str
    unit: str
    formula: str
    source: str
    excluded: str
    computed_by: str
    """``module:function``."""


_NOTHING = marked("Nothing.")
_WARM = marked("Starts from off, follow-up questions, tests that were disturbed in a way that changes this figure.")
_STANDARD = marked("As NVIDIA AIPerf and MLPerf Inference define it.")
_OWN = marked("llmtui's own definition; see docs/method.md.")
_SERVER = marked("The server's own count.")


COLUMNS: tuple[Column, ...] = (
    Column(
        id="ttft_ms",
        title=marked("First word (TTFT)"),
        unit="s",
        formula=marked(
            "From sending the question until the first text arrives, thinking or answer. In tables: the middle "
            "value (median) of the tests."
        ),
        source=_STANDARD,
        excluded=marked(
            "Starts from off and follow-up questions, which have columns of their own; tests that waited for another "
            "client, met a remembered or a cut question, or a model that was loaded again."
        ),
        computed_by="llmtui.core.metrics:measure",
    ),
    Column(
        id="ttfo_ms",
        title=marked("First answer word, after thinking (TTFO)"),
        unit="s",
        formula=marked("From sending the question until the first text of the answer itself arrives."),
        source=marked("As NVIDIA AIPerf defines it."),
        excluded=marked("Missing where the limit of tokens was reached while the model was still thinking."),
        computed_by="llmtui.core.metrics:_first_answer",
    ),
    Column(
        id="decode_tps",
        title=marked("Speed (TPS)"),
        unit="tok/s",
        formula=marked(
            "(tokens − those of the first piece) ÷ (end of the answer − first text). Tokens are the server's count, "
            "never the number of pieces. In tables: all tokens ÷ all time."
        ),
        source=marked("The inverse of the time per output token of AIPerf, MLPerf Inference and vLLM."),
        excluded=marked(
            "Waiting and loading. Answers under 64 tokens are shown in grey and not compared, under 16 they have no "
            "speed. Starts from off, follow-up questions, tests in which the model was loaded again, outliers with a "
            "known cause."
        ),
        computed_by="llmtui.core.metrics:_decode",
    ),
    Column(
        id="tpot_ms",
        title=marked("Time a token"),
        unit="ms",
        formula=marked("1000 ÷ speed."),
        source=_STANDARD,
        excluded=marked("As for speed."),
        computed_by="llmtui.core.metrics:_decode",
    ),
    Column(
        id="decode_cps",
        title=marked("Text speed"),
        unit=marked("chars/s"),
        formula=marked("Characters after the first piece ÷ (end of the answer − first text)."),
        source=_OWN,
        excluded=marked(
            "As for speed. Models cut text into tokens of different length: characters compare across models, tokens "
            "do not."
        ),
        computed_by="llmtui.core.metrics:_text_speed",
    ),
    Column(
        id="reading_x",
        title=marked("× reading"),
        unit="×",
        formula=marked("Words a second ÷ 3.97: how many times as fast as people read silently (238 words a minute)."),
        source="Brysbaert 2019, doi 10.1016/j.jml.2019.104047.",
        excluded=marked("Missing for text without spaces between words."),
        computed_by="llmtui.core.metrics:_text_speed",
    ),
    Column(
        id="prefill_tps",
        title=marked("Reading the prompt (prefill)"),
        unit="tok/s",
        formula=marked("(tokens of the prompt − those the server remembered) ÷ the server's time for the prompt."),
        source=marked("llama.cpp's and AIPerf's prompt throughput, without remembered tokens."),
        excluded=marked(
            "Prompts under 64 fresh tokens, and warm tests where the server does not say what it remembered."
        ),
        computed_by="llmtui.core.metrics:_prefill",
    ),
    Column(
        id="load_ms",
        title=marked("Loading"),
        unit="s",
        formula=marked("The server's count of what it took to have the model ready; making room for it is included."),
        source=_SERVER,
        excluded=_NOTHING,
        computed_by="llmtui.core.metrics:_load_ms",
    ),
    Column(
        id="cold_first_ms",
        title=marked("Start from off (cold)"),
        unit="s",
        formula=marked("First word of the first start after the model was unloaded, as a rule read from disk."),
        source=_OWN,
        excluded=marked("Later starts, which mostly read the file from memory: they are “start again”."),
        computed_by="llmtui.core.summary:_starts",
    ),
    Column(
        id="cold_again_ms",
        title=marked("Start again"),
        unit="s",
        formula=marked("First word of later starts after the model was unloaded, the middle value."),
        source=_OWN,
        excluded=marked("The first start."),
        computed_by="llmtui.core.summary:_starts",
    ),
    Column(
        id="follow_up_ttft_ms",
        title=marked("In a chat (follow-up)"),
        unit="s",
        formula=marked("First word of a second question in the same talk: the server has read the first already."),
        source=_OWN,
        excluded=marked("Speed: these answers are cut short on purpose."),
        computed_by="llmtui.core.summary:summarise",
    ),
    Column(
        id="e2e_ms",
        title=marked("Whole answer"),
        unit="s",
        formula=marked("From sending the question to the end of the answer, waiting included."),
        source=_STANDARD,
        excluded=marked("“≥” where the limit of tokens ended the answer: it would have gone on."),
        computed_by="llmtui.core.metrics:_whole",
    ),
    Column(
        id="e2e_tps",
        title=marked("Tokens ÷ total time"),
        unit="tok/s",
        formula=marked("All tokens ÷ (end of the answer − sending): the usual formula. It counts waiting as writing."),
        source=marked("AIPerf's end-to-end output token throughput."),
        excluded=marked("Nothing, and that is what is wrong with it: loading and waiting are in it."),
        computed_by="llmtui.core.metrics:_whole",
    ),
    Column(
        id="usual_tps",
        title=marked("The usual formula"),
        unit="tok/s",
        formula=marked("Mean of tokens ÷ total time over all tests, starts from off among them."),
        source=marked("What most scripts print."),
        excluded=_NOTHING,
        computed_by="llmtui.core.summary:summarise",
    ),
    Column(
        id="gap_p50_ms",
        title=marked("Between pieces, usual"),
        unit="ms",
        formula=marked("Median of the times between pieces of text, by the server's stamps where it sends them."),
        source=marked("AIPerf's inter-chunk latency."),
        excluded=marked("A piece is not a token: a server may send several at once."),
        computed_by="llmtui.core.metrics:_gaps",
    ),
    Column(
        id="gap_p95_ms",
        title=marked("Between pieces, long"),
        unit="ms",
        formula=marked("95 of 100 times between pieces are shorter."),
        source=marked("AIPerf's inter-chunk latency."),
        excluded=marked("A piece is not a token: a server may send several at once."),
        computed_by="llmtui.core.metrics:_gaps",
    ),
    Column(
        id="longest_gap_ms",
        title=marked("Longest pause"),
        unit="ms",
        formula=marked("The longest time between two pieces of text."),
        source=_OWN,
        excluded=marked("The wait for the first word."),
        computed_by="llmtui.core.metrics:_gaps",
    ),
    Column(
        id="stalls",
        title=marked("Pauses"),
        unit="",
        formula=marked("Times between pieces of more than five times the usual one and more than 250 ms."),
        source=_OWN,
        excluded=marked("The wait for the first word."),
        computed_by="llmtui.core.metrics:_gaps",
    ),
    Column(
        id="client_lag_ms",
        title=marked("llmtui's own delay"),
        unit="ms",
        formula=marked(
            "Median of arrival − the server's stamp of a piece. Server elsewhere: above the smallest seen, since the "
            "two clocks differ."
        ),
        source=_OWN,
        excluded=marked("Missing where the server does not stamp its pieces."),
        computed_by="llmtui.core.metrics:_gaps",
    ),
    Column(
        id="tokens",
        title=marked("Tokens"),
        unit="tok",
        formula=marked("Output tokens by the server's count, thinking among them."),
        source=_SERVER,
        excluded=marked("Missing where the server sends no count; pieces are never counted instead."),
        computed_by="llmtui.core.metrics:measure",
    ),
    Column(
        id="memory_peak_bytes",
        title=marked("Memory"),
        unit="GB",
        formula=marked("Most that the model's process held in RAM: its mapped file and its own memory together."),
        source=marked("The process's own account (/proc on Linux)."),
        excluded=marked("Other programs. It is never the change of the machine's used RAM, which misses mapped files."),
        computed_by="llmtui.core.findings:memory_held",
    ),
    Column(
        id="memory_steady_bytes",
        title=marked("Memory, usual"),
        unit="GB",
        formula=marked("Median of what the model's process held in the second half of each test."),
        source=marked("The process's own account (/proc on Linux)."),
        excluded=marked("Loading, which may need more for a moment."),
        computed_by="llmtui.core.findings:memory_held",
    ),
    Column(
        id="vram_bytes",
        title=marked("GPU memory"),
        unit="GB",
        formula=marked("What the server says that the model holds in the GPU's memory."),
        source=_SERVER,
        excluded=marked("Other programs."),
        computed_by="llmtui.core.summary:summarise",
    ),
    Column(
        id="runner_cpu_s",
        title=marked("Processor time a token"),
        unit="ms",
        formula=marked(
            "Processor time of the model's process in a test ÷ its output tokens; reading the prompt is in it."
        ),
        source=marked("The process's own account."),
        excluded=marked("Waiting threads may spin: processor time is not all useful work."),
        computed_by="llmtui.core.findings:per_token",
    ),
    Column(
        id="joules",
        title=marked("Energy a token"),
        unit="J",
        formula=marked("Energy that the machine's meter counted in a test ÷ its output tokens."),
        source=marked("The machine's own meter, named in the column joules_source."),
        excluded=marked("Missing where there is no meter; it is never estimated."),
        computed_by="llmtui.core.findings:per_token",
    ),
    Column(
        id="round_spread",
        title=marked("Between rounds"),
        unit="%",
        formula=marked("Standard deviation of the speed at the same question over rounds, as a share."),
        source=_OWN,
        excluded=marked("Differences between questions. It takes three rounds."),
        computed_by="llmtui.core.findings:round_spread",
    ),
    Column(
        id="total_s",
        title=marked("Total time"),
        unit="s",
        formula=marked("Time of all requests to this model together, waiting included."),
        source=_OWN,
        excluded=marked("Unloading between models."),
        computed_by="llmtui.core.summary:summarise",
    ),
    Column(
        id="finished",
        title=marked("Tests"),
        unit="",
        formula=marked("Tests that ended in order, and how many failed."),
        source=_OWN,
        excluded=_NOTHING,
        computed_by="llmtui.core.summary:summarise",
    ),
    Column(
        id="ratio",
        title=marked("How many times as fast"),
        unit="×",
        formula=marked(
            "In each round: all tokens ÷ all time of the questions that both answered at length, one model against the "
            "other. Over rounds: the geometric mean, with a 95 % interval by Student's t."
        ),
        source=marked("One round is one observation (Kalibera and Jones 2013); rules in docs/method.md."),
        excluded=_WARM,
        computed_by="llmtui.core.verdict:pair_up",
    ),
)  # fmt: skip


def column(column_id: str) -> Column | None:
    """Gives a figure's explanation; None where there is none of that name."""
    return next((one for one in COLUMNS if one.id == column_id), None)


def column_title(column_id: str) -> str:
    """Gives a column's title; a column without an explanation is called as in files."""
    found = column(column_id)
    return column_id if found is None else _(found.title)


def explain_column(column_id: str) -> str:
    """Gives a column's explanation as lines: title and unit, formula, source, what is left out.

    Empty where there is none of that name.
    """
    found = column(column_id)
    if found is None:
        return ""
    said = {name: _(text) if text else "" for name, text in msgspec.structs.asdict(found).items()}
    head = f"{said['title']} · {said['unit']}" if said["unit"] else said["title"]
    return "\n".join(
        (
            head,
            said["formula"],
            _("Source: {source}").format(source=said["source"]),
            _("Left out: {excluded}").format(excluded=said["excluded"]),
            _("In files: {name}").format(name=column_id),
        )
    )
