"""The figures: one record per figure, from which every table, file and chart is made.

To add a figure, add one record here and its wording in ``words.measures``. The figure then has a column in the tables
on screen, in printed tables, Markdown, CSV files and data frames. Columns are in the order of the records; in CSV
files, new figures are appended at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

from llmtui.core.flags import counts_for_speed
from llmtui.core.metrics import Figures
from llmtui.core.summary import CategorySummary, ContenderSummary, Spread
from llmtui.core.trial_row import TrialRow

SummaryLine = ContenderSummary | CategorySummary
Reading = Spread | float | None
"""Value of a figure for a model: a value with its range (``Spread``), a plain number, or None if missing."""
Better = Literal["higher", "lower", "neither"]
Unit = Literal["s", "ms", "tok/s", "chars/s", "×", "tok", "GB", "J", "%", ""]
Table = Literal["models", "categories", "trials"]
Room = Literal[0, 1, 2, 3]
"""Smallest terminal width at which a table on screen has a column: 0 any, 1 medium, 2 wide. 3 means that only printed
tables have the column."""

GIGABYTE = 1e9
_EVERYWHERE: Mapping[Table, Room] = MappingProxyType({"models": 0, "categories": 0, "trials": 2})
_NOWHERE: Mapping[Table, Room] = MappingProxyType({})


def _is_ok(row: TrialRow) -> bool:
    return row.outcome == "ok"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """Definition of one figure."""

    id: str
    """Name of the figure in files, and key of its wording."""
    unit: Unit
    """Unit on screen."""
    per: float = 1.0
    """Number of file units in one ``unit``: 1000 if files have milliseconds and the screen has seconds."""
    better: Better
    digits: int = 3
    """Number of significant digits, in tables of models and for single values."""
    decimals: int = 2
    """Largest number of decimals in the table of trials."""
    computed_by: str
    """``module:function`` that computes the figure."""
    of_trial: Callable[[TrialRow], float | None] | None = None
    of_model: Callable[[ContenderSummary], Reading] | None = None
    of_category: Callable[[CategorySummary], Reading] | None = None
    has_range: bool = False
    """Whether ``of_model`` and ``of_category`` return a ``Spread`` (a value with its range)."""
    counts: Callable[[TrialRow], bool] = _is_ok
    """Returns whether a trial's figure counts in summaries; figures that do not count are shown in grey."""
    shown: Mapping[Table, Room] = _EVERYWHERE
    """Table → smallest ``Room`` for the figure's column. A listed table that cannot compute the figure has no column
    for it."""
    trial_column: str | None = None
    """Name of the figure's column in trials.csv; None: the same as ``id``."""
    reason_key: str | None = None
    """Key of the figure in the ``why`` of a model's summary; None: the same as ``id``."""


def measures(table: Table | None = None) -> tuple[Measure, ...]:
    """Return all figures, or only those with a column in the given table."""
    if table is None:
        return MEASURES
    reader: dict[Table, Callable[[Measure], object]] = {
        "models": lambda one: one.of_model,
        "categories": lambda one: one.of_category,
        "trials": lambda one: one.of_trial,
    }
    return tuple(one for one in MEASURES if table in one.shown and reader[table](one) is not None)


def measure_of(measure_id: str) -> Measure | None:
    """Return the figure with the given id; None if there is none."""
    return next((one for one in MEASURES if one.id == measure_id), None)


def reading(one: Measure, line: SummaryLine) -> Reading:
    """Return a figure's value for a model, or for a model in one category; None if the figure is missing there."""
    if isinstance(line, ContenderSummary):
        return None if one.of_model is None else one.of_model(line)
    return None if one.of_category is None else one.of_category(line)


def value_of(found: Reading) -> float | None:
    """Return a figure's value without its range, in the unit of files."""
    return found.value if isinstance(found, Spread) else found


def shown_value(one: Measure, line: SummaryLine) -> float | None:
    """Return a figure's value for a model or category, in the unit on screen; None if it is missing."""
    value = value_of(reading(one, line))
    return None if value is None else value / one.per


def is_lower_bound(one: Measure, of: SummaryLine | TrialRow) -> bool:
    """Return whether a whole-answer time is only a lower bound, because the token limit ended the answer."""
    if one.id != "e2e_ms":
        return False
    return of.ended_by == "length" if isinstance(of, TrialRow) else isinstance(of, CategorySummary) and of.capped


def _figure(name: str) -> Callable[[TrialRow], float | None]:
    """Return a function that reads the named field of a trial's ``Figures``."""
    assert name in Figures.__struct_fields__
    return lambda row: getattr(row.figures, name)


def _machine(name: str) -> Callable[[TrialRow], float | None]:
    """Return a function that reads the named field of a trial's ``MachineFigures``."""
    return lambda row: None if row.machine is None else getattr(row.machine, name)


def _per_token(name: str) -> Callable[[TrialRow], float | None]:
    """Return a function that divides the named field of a trial's ``MachineFigures`` by its output tokens."""
    of_machine = _machine(name)

    def read(row: TrialRow) -> float | None:
        spent, tokens = of_machine(row), row.figures.tokens
        return None if spent is None or not tokens else spent / tokens

    return read


MEASURES: tuple[Measure, ...] = (
    Measure(
        id="ttft_ms", unit="s", per=1000, better="lower", decimals=3, computed_by="llmtui.core.metrics:measure",
        of_trial=_figure("ttft_ms"), of_model=lambda line: line.ttft, of_category=lambda line: line.ttft,
        has_range=True, reason_key="ttft", shown={"models": 0, "categories": 0, "trials": 0},
    ),
    Measure(
        id="ttfo_ms", unit="s", per=1000, better="lower", decimals=3, computed_by="llmtui.core.metrics:_first_answer",
        of_trial=_figure("ttfo_ms"), of_model=lambda line: line.ttfo, of_category=lambda line: line.ttfo,
        has_range=True, reason_key="ttfo", shown={"models": 0, "categories": 0},
    ),
    Measure(
        id="decode_tps", unit="tok/s", better="higher", decimals=2, computed_by="llmtui.core.metrics:_decode",
        of_trial=_figure("decode_tps"), of_model=lambda line: line.decode_tps,
        of_category=lambda line: line.decode_tps, has_range=True, counts=counts_for_speed,
        shown={"models": 0, "categories": 0, "trials": 0},
    ),
    Measure(
        id="tpot_ms", unit="ms", better="lower", decimals=1, computed_by="llmtui.core.metrics:_decode",
        of_trial=_figure("tpot_ms"), counts=counts_for_speed, shown=_NOWHERE,
    ),
    Measure(
        id="decode_cps", unit="chars/s", better="higher", decimals=1, computed_by="llmtui.core.metrics:_text_speed",
        of_trial=_figure("decode_cps"), of_model=lambda line: line.decode_cps,
        of_category=lambda line: line.decode_cps, has_range=True, counts=counts_for_speed,
        shown={"models": 0, "categories": 0, "trials": 1},
    ),
    Measure(
        id="reading_x", unit="×", better="higher", digits=2, computed_by="llmtui.core.metrics:_text_speed",
        of_trial=_figure("reading_x"), of_model=lambda line: line.reading_x, shown={"models": 3},
    ),
    Measure(
        id="prefill_tps", unit="tok/s", better="higher", computed_by="llmtui.core.metrics:_prefill",
        of_trial=_figure("prefill_tps"), of_model=lambda line: line.prefill_tps, has_range=True, shown=_NOWHERE,
    ),
    Measure(
        id="load_ms", unit="s", per=1000, better="lower", computed_by="llmtui.core.metrics:_load_ms",
        of_trial=_figure("load_ms"), shown=_NOWHERE,
    ),
    Measure(
        id="e2e_ms", unit="s", per=1000, better="lower", computed_by="llmtui.core.metrics:_whole",
        of_trial=_figure("e2e_ms"), of_category=lambda line: line.e2e_ms, has_range=True,
    ),
    Measure(
        id="cold_first_ms", unit="s", per=1000, better="lower", computed_by="llmtui.core.summary:_starts",
        of_model=lambda line: line.cold_first_ms,
    ),
    Measure(
        id="cold_again_ms", unit="s", per=1000, better="lower", computed_by="llmtui.core.summary:_starts",
        of_model=lambda line: line.cold_later, has_range=True,
    ),
    Measure(
        id="memory_peak_bytes", unit="GB", per=GIGABYTE, better="lower",
        computed_by="llmtui.core.findings:memory_held", of_trial=_machine("runner_peak_bytes"),
        of_model=lambda line: line.memory_peak_bytes, trial_column="runner_peak_bytes",
    ),
    Measure(
        id="follow_up_ttft_ms", unit="s", per=1000, better="lower", computed_by="llmtui.core.summary:summarise",
        of_model=lambda line: line.follow_up, has_range=True,
    ),
    Measure(
        id="e2e_tps", unit="tok/s", better="higher", computed_by="llmtui.core.metrics:_whole",
        of_trial=_figure("e2e_tps"), shown=_NOWHERE,
    ),
    Measure(
        id="usual_tps", unit="tok/s", better="higher", computed_by="llmtui.core.summary:summarise",
        of_model=lambda line: line.overall_tps, shown=_NOWHERE,
    ),
    Measure(
        id="usual_cold_tps", unit="tok/s", better="higher", computed_by="llmtui.core.summary:summarise",
        of_model=lambda line: line.overall_cold_tps, shown=_NOWHERE,
    ),
    Measure(
        id="tokens", unit="tok", better="neither", computed_by="llmtui.core.metrics:measure",
        of_trial=_figure("tokens"), of_category=lambda line: line.answer_tokens, has_range=True,
        shown={"categories": 0},
    ),
    Measure(
        id="prompt_tokens", unit="tok", better="neither", computed_by="llmtui.core.metrics:measure",
        of_trial=_figure("prompt_tokens"), shown=_NOWHERE,
    ),
    Measure(
        id="cached_tokens", unit="tok", better="neither", computed_by="llmtui.core.metrics:measure",
        of_trial=_figure("cached_tokens"), shown=_NOWHERE,
    ),
    Measure(
        id="gap_p50_ms", unit="ms", better="lower", computed_by="llmtui.core.metrics:_gaps",
        of_trial=_figure("gap_p50_ms"), shown=_NOWHERE,
    ),
    Measure(
        id="gap_p95_ms", unit="ms", better="lower", computed_by="llmtui.core.metrics:_gaps",
        of_trial=_figure("gap_p95_ms"), shown=_NOWHERE,
    ),
    Measure(
        id="longest_gap_ms", unit="ms", better="lower", computed_by="llmtui.core.metrics:_gaps",
        of_trial=_figure("longest_gap_ms"), shown=_NOWHERE,
    ),
    Measure(
        id="stalls", unit="", better="lower", computed_by="llmtui.core.metrics:_gaps",
        of_trial=_figure("stalls"), shown=_NOWHERE,
    ),
    Measure(
        id="client_lag_ms", unit="ms", better="lower", computed_by="llmtui.core.metrics:_gaps",
        of_trial=_figure("client_lag_ms"), shown=_NOWHERE,
    ),
    Measure(
        id="memory_steady_bytes", unit="GB", per=GIGABYTE, better="lower",
        computed_by="llmtui.core.findings:memory_held", of_trial=_machine("runner_steady_bytes"),
        of_model=lambda line: line.memory_steady_bytes, shown=_NOWHERE, trial_column="runner_steady_bytes",
    ),
    Measure(
        id="vram_bytes", unit="GB", per=GIGABYTE, better="lower", computed_by="llmtui.core.summary:summarise",
        of_trial=_machine("vram_bytes"), of_model=lambda line: line.vram_bytes, shown={"models": 0},
    ),
    Measure(
        id="runner_cpu_s_per_token", unit="ms", per=0.001, better="lower",
        computed_by="llmtui.core.findings:per_token", of_trial=_per_token("runner_cpu_s"), shown=_NOWHERE,
    ),
    Measure(
        id="joules_per_token", unit="J", better="lower", computed_by="llmtui.core.findings:per_token",
        of_trial=_per_token("joules"), shown=_NOWHERE,
    ),
    Measure(
        id="round_spread", unit="%", per=0.01, better="lower", computed_by="llmtui.core.findings:round_spread",
        of_model=lambda line: line.round_spread, shown=_NOWHERE,
    ),
    Measure(
        id="total_s", unit="s", better="lower", computed_by="llmtui.core.summary:summarise",
        of_model=lambda line: line.total_s,
    ),
    Measure(
        id="finished", unit="", better="neither", computed_by="llmtui.core.summary:summarise",
        of_model=lambda line: line.finished, of_category=lambda line: line.finished,
    ),
    Measure(
        id="ratio", unit="×", better="higher", computed_by="llmtui.core.verdict:pair_up",
    ),
)  # fmt: skip
