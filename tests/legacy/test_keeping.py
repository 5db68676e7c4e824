"""A file of another program becomes a session on disk that opens like any other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmtui.core.session import Session, fold
from llmtui.legacy.keeping import keep, read_file
from llmtui.legacy.rows import CannotImport
from llmtui.legacy.write_back import write_legacy
from llmtui.store.journal import read_events
from llmtui.store.listing import list_sessions

FIXTURE = Path(__file__).with_name("legacy.csv")
WALL_S = 1_700_000_000
HEADER = "Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\n"


def imported(tmp_path: Path, *lines: str) -> Session:
    source = tmp_path / "old.csv"
    source.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return keep(read_file(source), source, tmp_path / "results")[1]


def test_the_journal_folds_to_the_session_that_was_made(tmp_path: Path) -> None:
    folder, session = keep(read_file(FIXTURE), FIXTURE, tmp_path)
    assert fold(read_events(folder / "events.jsonl")) == session
    assert len(session.rows) == 8
    assert session.finished == "complete"


def test_it_is_listed_with_its_models_under_the_files_own_date(tmp_path: Path) -> None:
    source = tmp_path / "old.csv"
    source.write_bytes(FIXTURE.read_bytes())
    os.utime(source, (WALL_S, WALL_S))
    keep(read_file(source), source, tmp_path / "results")
    (listed,) = list_sessions(tmp_path / "results")
    assert (listed.models, listed.trials, listed.rounds, listed.preset) == (("alpha", "beta"), 8, 1, "imported")
    assert (listed.wall_ns, listed.finished, listed.problem) == (WALL_S * 10**9, "complete", None)


def test_the_first_rows_are_cold_and_short_rows_are_marked(tmp_path: Path) -> None:
    rows = keep(read_file(FIXTURE), FIXTURE, tmp_path)[1].rows
    assert [row.trial.kind for row in rows] == ["cold", "warm", "warm", "warm"] * 2
    assert [row.trial.id for row in rows if "short_output" in row.flags] == ["r1-m1-warm-p4", "r1-m2-warm-p4"]
    assert rows[1].figures.decode_tps == pytest.approx(200 / 40)


def test_its_tables_are_there(tmp_path: Path) -> None:
    folder, _ = keep(read_file(FIXTURE), FIXTURE, tmp_path)
    assert (folder / "trials.csv").read_text("utf-8").count("\n") == 9
    assert (folder / "summary.csv").read_text("utf-8").startswith("model,")


def test_what_the_file_does_not_tell_is_missing_not_zero(tmp_path: Path) -> None:
    row = keep(read_file(FIXTURE), FIXTURE, tmp_path)[1].rows[1]
    for name in ("ttfo_ms", "decode_cps", "reading_x", "prefill_tps", "gap_p50_ms", "client_lag_ms", "stalls"):
        assert getattr(row.figures, name) is None, name
        assert row.figures.why[name] == "not_recorded"
    assert row.figures.load_ms is None
    assert row.machine is None


def test_a_row_that_cannot_be_read_is_a_failed_trial_and_says_why(tmp_path: Path) -> None:
    row = imported(tmp_path, "a,x,1,11,9,,101", "a,y,timeout,11,9,,101").rows[1]
    assert row.outcome == "error"
    assert row.problem is not None
    assert row.problem.code == "bad_row_cells"
    assert row.figures.e2e_tps is None


@pytest.mark.parametrize("line", ["a,y,13,10,10,,100", "a,y,-1,10,10,,100", "a,y,,,,,"])
def test_times_that_cannot_be_make_no_figures(tmp_path: Path, line: str) -> None:
    row = imported(tmp_path, "a,x,1,11,9,,101", line).rows[1]
    assert (row.outcome, row.figures.ttft_ms, row.figures.e2e_tps) == ("error", None, None)
    assert row.problem is not None


def test_oddities_become_notes(tmp_path: Path) -> None:
    session = imported(tmp_path, "a,x,1,11,3,,101", "a,y,11,11,9.18,,101")
    assert [note.problem.code for note in session.notes] == ["imported", "usual_off", "ttft_not_below_total"]


def test_the_same_prompt_asked_again_is_a_further_run(tmp_path: Path) -> None:
    rows = imported(tmp_path, *3 * ["a,x,1,11,9.18,,101"]).rows
    assert [row.trial.round for row in rows] == [1, 2, 3]
    assert len({row.trial.id for row in rows}) == 3


def test_it_is_written_back_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "new" / "back.csv"
    write_legacy(read_file(FIXTURE).rows, target)
    assert target.read_bytes() == FIXTURE.read_bytes()


def test_a_file_of_which_nothing_can_be_measured_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text(HEADER + "a,x,timeout,11,9,,101\n")
    with pytest.raises(CannotImport) as caught:
        read_file(tmp_path / "old.csv")
    assert (caught.value.code, caught.value.told) == ("nothing_measured", {"rows": 1, "cells": {"ttft": "timeout"}})
