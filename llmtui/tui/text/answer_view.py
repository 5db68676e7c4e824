"""The details of one trial: figures, reasons for missing ones, flags with evidence, facts about the machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Final

from rich.cells import cell_len
from textual.content import Content

from llmtui.core.measures import Measure, measures
from llmtui.core.metrics import Figures
from llmtui.core.plan import Think, num_ctx
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.words import _
from llmtui.words.cells import trial_words
from llmtui.words.figures import decimals_aligned, gigabytes, significant
from llmtui.words.flags import explained
from llmtui.words.measures import measure_title
from llmtui.words.outcomes import outcome_sentence, outcome_word
from llmtui.words.problems import problem_remedy, problem_what
from llmtui.words.reasons import reason
from llmtui.words.trials import note_words, trial_name

DetailLine = tuple[str, str, str]
"""One line of details: (name, value, remark)."""
TIMES: Final = ("ttft_ms", "ttfo_ms", "load_ms", "e2e_ms", "tpot_ms")
SPEEDS: Final = ("decode_tps", "decode_cps", "reading_x", "prefill_tps", "e2e_tps")
TOKENS: Final = ("tokens", "prompt_tokens", "cached_tokens")
CHUNKS: Final = ("gap_p50_ms", "gap_p95_ms", "longest_gap_ms", "stalls", "client_lag_ms")


def trial_details(row: TrialRow, session: Session) -> Content:
    """Return all details of a trial except the text of its answer."""
    parts: list[Content] = [_ending(row), Content("")]
    missing = list(_missing(row))
    if missing:
        parts += [Content.styled(_("Not measured"), "bold $primary"), *missing, Content("")]
    groups = (
        (_("Times"), _aligned(_figures(row, TIMES))),
        (_("Speeds"), _aligned(_figures(row, SPEEDS))),
        (_("Tokens"), _aligned(_figures(row, TOKENS))),
        (_("Chunks"), _aligned(_figures(row, CHUNKS))),
        (_("Memory"), _aligned(_memory(row))),
        (_("Machine"), _aligned(_machine(row))),
        (_("Options"), tuple(_asked(row, session))),
    )
    width = max(cell_len(name) for _heading, lines in groups for name, _value, _beside in lines)
    for heading, lines in groups:
        if lines:
            parts += [Content.styled(heading, "bold $primary"), *(_row(line, width) for line in lines), Content("")]
    return Content("\n").join(parts)


def _aligned(lines: Iterable[DetailLine]) -> tuple[DetailLine, ...]:
    """Return a group's lines with the numbers right-aligned at their decimal marks, and the units below each other."""
    found = tuple(lines)
    halves = [value.rpartition(" ") if " " in value else (value, "", "") for _name, value, _beside in found]
    numbers = decimals_aligned([number for number, _gap, _unit in halves])
    wide = max(map(cell_len, numbers), default=0)
    units = max((cell_len(unit) for _number, _gap, unit in halves), default=0)
    values = [f"{number:>{wide}} {unit:<{units}}" for number, (_n, _gap, unit) in zip(numbers, halves, strict=True)]
    return tuple(
        (name, value if beside else value.rstrip(), beside)
        for (name, _value, beside), value in zip(found, values, strict=True)
    )


def _ending(row: TrialRow) -> Content:
    parts: list[Content] = [
        Content.assemble(
            (outcome_word(row.outcome, row.ended_by), "bold"), "  ", outcome_sentence(row.outcome, row.ended_by)
        )
    ]
    if row.problem is not None:
        parts.append(
            Content.assemble(
                ("✗ ", "bold $error"),
                problem_what(row.problem),
                "  ",
                (problem_remedy(row.problem), "italic"),
            )
        )
    if row.repeats is not None:
        parts.append(Content(_("This trial repeats one that was disturbed.")))
    parts += [Content.assemble(("! ", "bold $warning"), said) for said in explained(row.flags, row.evidence)]
    return Content("\n").join(parts)


def _row(line: DetailLine, width: int) -> Content:
    name, value, beside = line
    padded = name + " " * (width - cell_len(name) + 2)
    return Content.assemble((padded, "$foreground 60%"), value, ("  " if value else "") + beside)


def _measured() -> tuple[Measure, ...]:
    """Return the figures from a trial's timeline and token counts; figures of the machine are shown separately."""
    return tuple(one for one in measures() if one.of_trial is not None and one.id in Figures.__struct_fields__)


def _figures(row: TrialRow, group: Collection[str]) -> Iterator[DetailLine]:
    for one in _measured():
        if one.id not in group or (one.id == "ttfo_ms" and row.figures.ttfo_ms == row.figures.ttft_ms):
            continue
        words = trial_words(one, row)
        if words:
            yield measure_title(one.id), words, _source(row, one.id)


def _missing(row: TrialRow) -> Iterator[Content]:
    """Yield the names of the missing figures, grouped by reason."""
    by_reason: dict[str, list[str]] = {}
    for one in _measured():
        code = row.figures.why.get(one.id)
        if code is not None and not trial_words(one, row):
            by_reason.setdefault(reason(code, num_predict=row.num_predict), []).append(measure_title(one.id))
    for why, names in by_reason.items():
        yield Content.assemble(", ".join(names), (f": {why}", "$foreground 60%"))


def _source(row: TrialRow, name: str) -> str:
    if name == "decode_tps" and row.figures.tps_source == "server":
        return _("(by the server's clock)")
    if name.startswith("gap") and row.figures.gap_clock == "arrival":
        return _("(by arrival time)")
    if name == "load_ms" and row.cold_source is not None:
        told = {"disk": _("(from disk)"), "memory": _("(from memory)"), "mixed": _("(partly from disk)")}
        return told.get(row.cold_source, "")
    return ""


def _memory(row: TrialRow) -> Iterator[DetailLine]:
    machine, held = row.machine, row.resident
    amounts: list[tuple[str, int | None]] = []
    if machine is not None:
        amounts += [
            (_("Peak memory"), machine.runner_peak_bytes),
            (_("Typical memory"), machine.runner_steady_bytes),
            (_("Free memory, minimum"), machine.available_min_bytes),
        ]
    if held is not None and held.size_bytes:
        amounts += [
            (_("Size reported by the server"), held.size_bytes),
            (_("Of which on the GPU"), held.vram_bytes or None),
        ]
    yield from ((name, gigabytes(amount), "") for name, amount in amounts if amount is not None)


def _machine(row: TrialRow) -> Iterator[DetailLine]:
    machine = row.machine
    if machine is None:
        return
    amounts = (
        (_("Read back from disk (swap)"), machine.swap_in_bytes),
        (_("Read from disk"), machine.disk_read_bytes),
    )
    yield from ((name, gigabytes(amount), "") for name, amount in amounts if amount)
    yield from _times(machine.runner_cpu_s, _("CPU time of the model"))
    yield from _times(machine.llmtui_cpu_s, _("CPU time of llmtui"))
    if machine.joules is not None:
        yield _("Energy"), f"{significant(machine.joules)} J", machine.joules_source or ""
    if machine.temperature_c is not None:
        yield _("Temperature"), f"{machine.temperature_c:.0f} °C", ""


def _times(over_s: float | None, name: str) -> Iterable[DetailLine]:
    return () if over_s is None else ((name, f"{significant(over_s)} s", ""),)


def _asked(row: TrialRow, session: Session) -> Iterator[DetailLine]:
    contender = session.contender(row.trial)
    model = contender.model
    build = " · ".join(part for part in (model.parameters, model.quantisation, note_words(model.note or "")) if part)
    yield _("Model"), contender.label, build
    yield _("Trial"), trial_name(row.trial, session.plan), _("round {n}").format(n=row.trial.round)
    yield _("Started"), datetime.fromtimestamp(row.wall_ns / 1e9).astimezone().strftime("%Y-%m-%d %H:%M:%S"), ""
    yield _("Thinking"), _think_words(contender.variant.think), ""
    yield _("Context, tokens"), _context(row, num_ctx(contender)), ""
    if contender.variant.num_thread is not None:
        yield _("Threads"), str(contender.variant.num_thread), ""
    if row.num_predict is not None:
        yield _("Answer length limit"), str(row.num_predict), ""
    if row.trial.tag is not None:
        yield _("Random tag"), f"[{row.trial.tag}]", _("sent before the prompt, so that no prompt cache has it")


def _context(row: TrialRow, asked: int | None) -> str:
    """Return the context length that the server reported; if it reported none, the requested one."""
    had = asked if row.resident is None or row.resident.context_length is None else row.resident.context_length
    return _("the server's default (unknown)") if had is None else str(had)


def _think_words(think: Think | None) -> str:
    if think is None:
        return _("the server's default")
    if isinstance(think, str):
        return {"low": _("low"), "medium": _("medium"), "high": _("high")}[think]
    return _("on") if think else _("off")
