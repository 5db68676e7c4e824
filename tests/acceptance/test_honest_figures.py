"""A missing figure is missing everywhere: one real session in which every outcome occurs, looked at cell by cell."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from llmtui.core.board import board
from llmtui.core.flags import counts_for_speed, counts_for_ttft
from llmtui.core.measures import measure_of
from llmtui.core.plan import round_order
from llmtui.core.records import MachineFigures, Outcome
from llmtui.core.session import Session, fold
from llmtui.core.summary import CategorySummary, ContenderSummary, Summary, summarise
from llmtui.core.trial_row import TrialRow
from llmtui.core.verdict import verdicts
from llmtui.report.frames import read_session
from llmtui.report.markdown import markdown
from llmtui.report.rows import Row, by_category, by_model
from llmtui.simulator import Ending, RunningSimulator, Script, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from llmtui.store.journal import read_events
from llmtui.store.summary_csv import summary_csv
from llmtui.store.trials_csv import row_cells
from llmtui.tui.widgets import trial_table
from llmtui.tui.widgets.category_table import category_cells
from llmtui.tui.widgets.result_table import table_figures
from llmtui.tui.widgets.scoreboard import board_cells
from llmtui.words.conclusions import headed
from llmtui.words.reasons import known_codes, reason
from llmtui.words.scoreboard import board_column
from tests.acceptance.program import Home
from tests.core import made
from tests.terminal import wait_until

CATEGORY = "long"
QUESTION = "Tell me in detail how a lighthouse works, from the lamp and its lens to the motor that turns it. " * 4
"""More than 64 tokens, so that its prefill speed is a figure."""

MODELS: dict[Outcome, tuple[str, ScriptedAnswer]] = {
    "ok": ("fine:1b", ScriptedAnswer(tokens=100)),
    "no_final": ("repeats:1b", ScriptedAnswer(token_texts=("la ",) * 31, ending=Ending(kind="closed"))),
    "thinking_only": ("thinks:1b", ScriptedAnswer(thinking_tokens=90, tokens=0)),
    "empty": ("says-nothing:1b", ScriptedAnswer(tokens=1)),
    "error": ("breaks:1b", ScriptedAnswer(ending=Ending(kind="cut", after_chunks=40))),
    "stalled": ("silent:1b", ScriptedAnswer(silent=True)),
    "cancelled": ("endless:1b", ScriptedAnswer(tokens=6000)),
}
"""Outcome of the warm trial → its model. The follow-up of a missing answer is ``skipped``."""
OUTCOMES: tuple[Outcome, ...] = (*MODELS, "skipped")

TEXT = {"ttft_ms", "gap_p50_ms", "gap_p95_ms", "stalls", "client_lag_ms", "gap_clock", "longest_gap_ms"}
CHARACTERS = {"decode_cps", "reading_x"}
COUNTED = {
    "tokens", "decode_tps", "tpot_ms", "e2e_tps", "load_ms", "prefill_tps", "prompt_tokens", "cached_tokens",
    "prompt_ms", "tps_source", "server_decode_tps",
}  # fmt: skip
"""What needs the server's last line."""
FIGURES = sorted({"ttfo_ms", "e2e_ms"} | TEXT | CHARACTERS | COUNTED)
THERE: dict[Outcome, set[str]] = {
    "ok": set(FIGURES),
    "no_final": TEXT | {"ttfo_ms", "e2e_ms"} | CHARACTERS,
    "thinking_only": set(FIGURES) - {"ttfo_ms"},
    "empty": {"load_ms"},
    "error": TEXT | {"ttfo_ms"},
    "cancelled": TEXT | {"ttfo_ms"},
    "stalled": set(),
    "skipped": set(),
}
"""The figures that a test with this outcome has; every other one is missing."""


class Seen(NamedTuple):
    """The session, in every form in which it is shown or kept."""

    session: Session
    summary: Summary
    printed: str
    trials: Path

    def row(self, outcome: Outcome) -> TrialRow:
        return next(row for row in self.session.rows if row.outcome == outcome and row.trial.kind != "cold")

    def contender(self, outcome: Outcome) -> int:
        return self.row(outcome).trial.contender

    def label(self, outcome: Outcome) -> str:
        return self.session.plan.contenders[self.contender(outcome)].label


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Run the program over all models and stop it in the middle of the last one's answer."""
    home = Home(tmp_path_factory.mktemp("home"))
    prompts = home.folder / "own.toml"
    prompts.write_text(
        f'[llmtui]\nformat = 1\n\n[[categories.{CATEGORY}.prompts]]\ntitle = "Long"\ntext = """{QUESTION}"""\n'
    )
    with running_simulator(_script()) as server:
        names = [word for name, _answer in MODELS.values() for word in ("-m", name)]
        running = home.start(
            "run", "--host", server.url, *names, "-c", CATEGORY, "--prompts", str(prompts), "--rounds", "1",
            "--words", "--think", "on", "--num-predict", "2000", "--seed", str(_seed_that_ends_with("cancelled")),
            env={"LLMTUI_STALL_S": "1", "LLMTUI_STALL_LOADING_S": "1"},
        )  # fmt: skip
        wait_until(lambda: _writes_endlessly(home, server), timeout_s=90, what="the last model writes")
        running.send_signal(signal.SIGINT)
        printed, said = running.communicate(timeout=30)
    assert running.returncode == 130, said
    session = fold(read_events(home.sessions()[-1] / "events.jsonl"))
    assert session is not None
    return Seen(session, summarise(session), printed, home.sessions()[-1] / "trials.csv")


def _script() -> Script:
    thinks = ("completion", "thinking")
    return Script(
        models=tuple(
            SimulatedModel(
                name=name, load_s=0.05, decode_tps=400.0, answers=(answer,),
                capabilities=thinks if answer.thinking_tokens else ("completion",),
            )
            for name, answer in MODELS.values()
        )
    )  # fmt: skip


def _seed_that_ends_with(outcome: Outcome) -> int:
    last = list(MODELS).index(outcome)
    plans = ((seed, made.plan(*(name for name, _answer in MODELS.values()), seed=seed)) for seed in range(1000))
    return next(seed for seed, plan in plans if round_order(plan, 1)[-1] == last)


def _writes_endlessly(home: Home, server: RunningSimulator) -> bool:
    name = MODELS["cancelled"][0]
    begun = any(row["model"] == name for row in home.trials())
    return begun and len(server.answers()[-1].texts) > 40


# --- every outcome, every figure of a test ------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_outcome_occurred(seen: Seen, outcome: Outcome) -> None:
    row = seen.row(outcome)
    assert row.trial.kind == ("follow_up" if outcome == "skipped" else "warm")
    assert outcome == "skipped" or seen.label(outcome) == MODELS[outcome][0]


@pytest.mark.parametrize("column", FIGURES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_missing_figure_is_an_empty_cell_with_a_reason(seen: Seen, outcome: Outcome, column: str) -> None:
    row = seen.row(outcome)
    cells = row_cells(row, seen.session)
    with seen.trials.open(newline="", encoding="utf-8") as file:
        on_disk = next(kept for kept in csv.DictReader(file) if kept["trial_id"] == row.trial.id)
    assert on_disk == cells
    if column in THERE[outcome]:
        assert getattr(row.figures, column) is not None
        assert cells[column] != ""
        assert column not in row.figures.why
        return
    assert getattr(row.figures, column) is None
    assert cells[column] == "", "never 0, never a sentinel"
    why = dict(one.split(":") for one in cells["missing"].split())
    if column in why:
        assert reason(why[column]) in [reason(code) for code in known_codes()], "in words too"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_figure_that_has_a_column_of_its_own_says_why_it_is_missing(seen: Seen, outcome: Outcome) -> None:
    shown = {"ttft_ms", "ttfo_ms", "decode_tps", "decode_cps", "tokens", "e2e_ms"}
    assert shown - THERE[outcome] == shown & set(seen.row(outcome).figures.why)


@pytest.mark.parametrize("column", FIGURES)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_missing_figure_is_no_number_in_a_data_frame(seen: Seen, outcome: Outcome, column: str) -> None:
    frame = read_session(seen.trials.parent).trials
    (value,) = frame.loc[frame["trial_id"] == seen.row(outcome).trial.id, column]
    assert pd.notna(value) == (column in THERE[outcome])


def test_of_a_question_that_was_never_sent_the_machine_is_not_described_either(seen: Seen) -> None:
    row = seen.row("skipped")
    cells = row_cells(row, seen.session)
    about_the_machine = (*MachineFigures.__struct_fields__[1:], "server_size_bytes", "context_length", "cold_source")
    assert {cells[name] for name in about_the_machine} == {""}
    assert row.problem is not None
    assert cells["problem"]


# --- on the screen ----------------------------------------------------------------------------------------------------

ON_SCREEN = {
    "ttft_ms": "ttft_ms",
    "decode_tps": "decode_tps",
    "decode_cps": "decode_cps",
    "e2e_ms": "e2e_ms",
    "memory_peak_bytes": None,
}
"""Columns of the table of trials → figure; a simulated model's process is not visible."""


@pytest.mark.parametrize("column", ON_SCREEN)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_missing_figure_is_blank_in_the_table_of_tests(seen: Seen, outcome: Outcome, column: str) -> None:
    (shown,) = [one for one in trial_table.trial_table_columns() if one.key == column]
    text = shown.cell(seen.row(outcome), seen.session, shown.width).plain
    assert len(text) == shown.width, "blank, not shorter"
    assert bool(text.strip()) == (ON_SCREEN[column] in THERE[outcome])


# --- statistics, tables, plots ----------------------------------------------------------------------------------------

COUNTS: dict[str, set[Outcome]] = {
    "ttft_ms": {"ok", "no_final"},
    "ttfo_ms": {"ok", "no_final"},
    "decode_tps": {"ok"},
    "decode_cps": {"ok", "no_final"},
    "e2e_ms": {"ok"},
    "tokens": {"ok"},
    "reading_x": {"ok", "no_final"},
    "follow_up_ttft_ms": {"ok"},
    "prefill_tps": {"ok", "thinking_only", "cancelled"},
}
"""Figure of a table → outcomes of a model's only warm trial with that figure. Prefill speed is a cold trial's."""
FIELD = {
    "ttft_ms": "ttft", "ttfo_ms": "ttfo", "follow_up_ttft_ms": "follow_up", "tokens": "answer_tokens",
}  # fmt: skip
HEADS = {
    "ttft_ms": "TTFT",
    "decode_tps": "Speed tok/s",
    "decode_cps": "Text chars/s",
    "reading_x": "× reading speed",
    "follow_up_ttft_ms": "Follow-up TTFT",
    "e2e_ms": "Whole answer",
    "tokens": "Output tokens",
}
"""Figure → column of the printed tables."""
WARM = tuple(MODELS)


def lines_of(seen: Seen, outcome: Outcome) -> tuple[ContenderSummary, CategorySummary]:
    contender = seen.contender(outcome)
    (category,) = [line for line in seen.summary.categories if line.contender == contender]
    return seen.summary.lines[contender], category


def cells_of(rows: list[Row], seen: Seen, outcome: Outcome) -> Row:
    return next(row for row in rows if row["Model"] == seen.label(outcome))


@pytest.mark.parametrize("figure", COUNTS)
@pytest.mark.parametrize("outcome", WARM)
def test_a_missing_figure_is_in_no_statistic(seen: Seen, outcome: Outcome, figure: str) -> None:
    for line in lines_of(seen, outcome):
        field = FIELD.get(figure, figure)
        if field in line.__struct_fields__:
            assert (getattr(line, field) is not None) == (outcome in COUNTS[figure]), type(line).__name__


@pytest.mark.parametrize("figure", HEADS)
@pytest.mark.parametrize("outcome", WARM)
def test_a_missing_figure_is_blank_in_the_printed_tables(seen: Seen, outcome: Outcome, figure: str) -> None:
    for rows in (by_model(seen.session), by_category(seen.session)):
        if HEADS[figure] in rows[0]:
            cell = cells_of(rows, seen, outcome)[HEADS[figure]]
            assert (cell != "") == (outcome in COUNTS[figure])
            assert cell == "" or float(cell.removeprefix("≥ ").split()[0]) > 0


@pytest.mark.parametrize("outcome", WARM)
def test_a_missing_figure_is_blank_in_the_tables_of_results(seen: Seen, outcome: Outcome) -> None:
    model, category = lines_of(seen, outcome)
    for one in table_figures("models"):
        if one.id in COUNTS and one.id != "ttfo_ms":
            assert any(board_column(one, [model]).cells) == (outcome in COUNTS[one.id]), one.id
    for other in table_figures("categories"):
        if other.id in COUNTS and other.id != "ttfo_ms":
            assert any(category_cells(other, [category])[1]) == (outcome in COUNTS[other.id]), other.id


@pytest.mark.parametrize("figure", COUNTS)
@pytest.mark.parametrize("outcome", WARM)
def test_a_missing_figure_is_an_empty_cell_of_the_summary(seen: Seen, outcome: Outcome, figure: str) -> None:
    rows = list(csv.DictReader(summary_csv(seen.session).decode().splitlines()))
    mine = [row for row in rows if row["model"] == seen.label(outcome)]
    assert len(mine) == 2, "over everything, and for the category"
    for row in mine:
        of_all = row["category"] == ""
        elsewhere = {"e2e_ms", "tokens"} if of_all else {"reading_x", "follow_up_ttft_ms", "prefill_tps"}
        there = outcome in COUNTS[figure] and figure not in elsewhere
        assert (row[figure] != "") == there
        assert (row.get(f"{figure}_n", row[figure]) != "") == there


@pytest.mark.parametrize("outcome", WARM)
def test_a_missing_figure_is_no_bar_but_a_reason(seen: Seen, outcome: Outcome) -> None:
    for figure in ("decode_tps", "ttft_ms"):
        one = measure_of(figure)
        assert one is not None
        rows = board(seen.session, figure)
        (bars,) = [column.cells for column in board_cells(seen.session, rows, one, width=200) if column.id == "bar"]
        (bar,) = [
            bar.plain for row, bar in zip(rows, bars, strict=True) if row.line.contender == seen.contender(outcome)
        ]
        if outcome in COUNTS[figure]:
            assert set(bar) <= set("█▏▎▍▌▋▊▉╂├─┤")
        else:
            assert "█" not in bar
            assert any(character.isalpha() for character in bar)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_who_has_no_figure_is_compared_with_nobody(seen: Seen, outcome: Outcome) -> None:
    row = seen.row(outcome)
    assert counts_for_speed(row) == (outcome == "ok")
    assert counts_for_ttft(row) == (outcome in ("ok", "no_final"))
    mine = [one for one in verdicts(seen.session) if row.trial.contender in (one.first, one.second)]
    assert {one.word for one in mine} == {"no_verdict"}, "one model alone has a speed"


@pytest.mark.parametrize("outcome", [one for one in WARM if one != "ok"])
def test_the_conclusions_say_who_has_no_speed_and_why(seen: Seen, outcome: Outcome) -> None:
    said = next(line.said for line in headed(seen.session) if line.heading == "Decode speed")
    assert f"{seen.label(outcome)}: speed not available: " in said
    assert f"{seen.label(outcome)}: speed not available: " in seen.printed
    assert seen.label(outcome) in markdown(seen.session)


def test_nothing_that_is_missing_is_printed_as_a_number(seen: Seen) -> None:
    for word in ("nan", "None", "inf", " 0 tok/s", "0.000 s"):
        assert word not in seen.printed
