"""A new figure is one record and its words; everything that shows figures then has it."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from llmtui.core import measures as core
from llmtui.core.measures import Measure
from llmtui.core.summary import summarise
from llmtui.report.frames import read_session
from llmtui.report.markdown import markdown
from llmtui.report.rows import by_category, by_model
from llmtui.store.summary_csv import summary_columns, summary_csv
from llmtui.store.trials_csv import trials_columns
from llmtui.tui.widgets.category_table import category_cells
from llmtui.tui.widgets.result_table import table_figures
from llmtui.tui.widgets.scoreboard import ordered_figures
from llmtui.tui.widgets.trial_table import trial_table_columns
from llmtui.words import measures as words
from llmtui.words.measures import MeasureWords, explain_measure
from llmtui.words.scoreboard import board_column
from tests.core.compared import compared
from tests.report.test_frames import events_of, saved

SESSION = compared({"a": [10.0], "b": [20.0]})


@pytest.fixture(autouse=True)
def _one_figure_more(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Measure(
        id="double_tps", unit="tok/s", better="higher", decimals=1, computed_by="tests:double", has_range=False,
        of_trial=lambda row: None if row.figures.decode_tps is None else 2 * row.figures.decode_tps,
        of_model=lambda line: None if line.decode_tps is None else 2 * line.decode_tps.value,
        of_category=lambda line: None if line.decode_tps is None else 2 * line.decode_tps.value,
    )  # fmt: skip
    said = MeasureWords(
        title="Double speed", short="Double", formula="2 × speed.", excluded="Nothing at all.", source="This test."
    )
    monkeypatch.setattr(core, "MEASURES", (*core.MEASURES, new))
    monkeypatch.setitem(words.WORDS, "double_tps", said)


def test_it_is_in_the_tables_of_the_screen() -> None:
    summary = summarise(SESSION)
    (by_line,) = [one for one in ordered_figures(summary.lines) if one.id == "double_tps"]
    assert board_column(by_line, summary.lines)[:2] == ("Double tok/s", ("20.0", "40.0"))
    (in_category,) = [one for one in table_figures("categories") if one.id == "double_tps"]
    assert category_cells(in_category, summary.categories)[1][0] == "20.0"
    (of_trial,) = [one for one in trial_table_columns() if one.key == "double_tps"]
    assert of_trial.head == "Double tok/s"
    warm = next(row for row in SESSION.rows if row.figures.decode_tps)
    assert of_trial.cell(warm, SESSION, 8).plain.strip() == "20.0"
    assert "2 × speed." in explain_measure("double_tps")


def test_it_is_in_printed_tables_and_markdown() -> None:
    assert [row["Double tok/s"] for row in by_model(SESSION)] == ["20.0", "40.0"]
    assert by_category(SESSION)[0]["Double tok/s"] == "20.0"
    report = markdown(SESSION)
    assert "| Double tok/s |" in report
    assert "**Double speed** (`double_tps`): 2 × speed. Left out: Nothing at all." in report


def test_it_is_the_last_column_of_the_files() -> None:
    assert trials_columns()[-1] == summary_columns()[-1] == "double_tps"
    rows = list(csv.DictReader(summary_csv(SESSION).decode().splitlines()))
    assert [row["double_tps"] for row in rows[:2]] == ["20", "40"]


def test_it_is_in_the_frames(tmp_path: Path) -> None:
    frames = read_session(saved(tmp_path, events_of({"a": (10.0,), "b": (20.0,)})))
    pd.testing.assert_series_equal(frames.trials["double_tps"], 2 * frames.trials["decode_tps"], check_names=False)
    assert frames.models["double_tps"].tolist() == pytest.approx([20, 40])
    assert frames.categories["double_tps"].tolist()[0] == pytest.approx(20)
    assert "double_tps" in frames.rounds
