"""An old file becomes a session on disk that opens like any other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmtui.core.session import fold
from llmtui.legacy.keeping import CannotImport, import_legacy, read_legacy, write_legacy
from llmtui.legacy.table import parse_legacy
from llmtui.store.journal import read_events
from llmtui.store.listing import list_sessions

FIXTURE = Path(__file__).with_name("legacy.csv")
WALL_S = 1_700_000_000


def test_the_journal_folds_to_the_session_that_was_made(tmp_path: Path) -> None:
    folder, session = import_legacy(FIXTURE, tmp_path)
    assert fold(read_events(folder / "events.jsonl")) == session
    assert len(session.rows) == 8
    assert session.finished == "complete"


def test_it_is_listed_with_its_models_under_the_files_own_date(tmp_path: Path) -> None:
    source = tmp_path / "old.csv"
    source.write_bytes(FIXTURE.read_bytes())
    os.utime(source, (WALL_S, WALL_S))
    import_legacy(source, tmp_path / "results")
    (listed,) = list_sessions(tmp_path / "results")
    assert (listed.models, listed.trials, listed.rounds, listed.preset) == (("alpha", "beta"), 8, 1, "imported")
    assert (listed.wall_ns, listed.finished, listed.problem) == (WALL_S * 10**9, "complete", None)


def test_the_first_rows_are_starts_and_short_rows_are_marked(tmp_path: Path) -> None:
    rows = import_legacy(FIXTURE, tmp_path)[1].rows
    assert [row.trial.kind for row in rows] == ["cold", "warm", "warm", "warm"] * 2
    assert [row.trial.id for row in rows if "short_output" in row.flags] == ["r1-m1-warm-p4", "r1-m2-warm-p4"]
    assert rows[1].figures.decode_tps == pytest.approx(200 / 40)


def test_its_tables_are_there(tmp_path: Path) -> None:
    folder, _ = import_legacy(FIXTURE, tmp_path)
    assert (folder / "trials.csv").read_text("utf-8").count("\n") == 9
    assert (folder / "summary.csv").read_text("utf-8").startswith("model,")


def test_what_the_file_does_not_tell_is_missing_not_zero(tmp_path: Path) -> None:
    row = import_legacy(FIXTURE, tmp_path)[1].rows[1]
    for name in ("decode_cps", "reading_x", "prefill_tps", "load_ms", "gap_p50_ms", "client_lag_ms", "stalls"):
        assert getattr(row.figures, name) is None, name
    assert row.machine is None
    assert row.figures.why["decode_cps"] == "not_recorded"


def test_a_row_that_cannot_be_read_is_a_failed_test_and_says_why(tmp_path: Path) -> None:
    source = tmp_path / "old.csv"
    source.write_text("Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\na,x,1,11,9,,101\na,y,timeout,11,9,,101\n")
    row = import_legacy(source, tmp_path)[1].rows[1]
    assert row.outcome == "error"
    assert row.problem is not None
    assert row.problem.what == "Line 3 cannot be measured: Latencia_TTFT(s) is 'timeout'."


def test_a_first_word_that_is_not_before_the_end_is_no_figure(tmp_path: Path) -> None:
    source = tmp_path / "old.csv"
    source.write_text("Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\na,x,1,11,9,,101\na,y,13,10,10,,100\n")
    row = import_legacy(source, tmp_path)[1].rows[1]
    assert (row.outcome, row.figures.ttft_ms, row.figures.e2e_tps) == ("error", None, None)
    assert row.problem is not None
    assert row.problem.what == "Line 3 cannot be measured: its first word is not before its end."


def test_oddities_become_notes(tmp_path: Path) -> None:
    source = tmp_path / "old.csv"
    source.write_text("Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\na,x,1,11,3,,101\na,y,11,11,9.18,,101\n")
    notes = [note.problem.code for note in import_legacy(source, tmp_path)[1].notes]
    assert notes == ["imported", "usual_off", "ttft_not_below_total"]


def test_the_same_question_asked_again_is_a_further_round(tmp_path: Path) -> None:
    source = tmp_path / "old.csv"
    line = "a,x,1,11,9.18,,101\n"
    source.write_text("Modelo,Categoria,TTFT(s),Total(s),t/s,RAM_MB,Tokens\n" + 3 * line)
    rows = import_legacy(source, tmp_path)[1].rows
    assert [row.trial.round for row in rows] == [1, 2, 3]
    assert len({row.trial.id for row in rows}) == 3


def test_it_is_written_back_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "new" / "back.csv"
    write_legacy(read_legacy(FIXTURE), target)
    assert target.read_bytes() == FIXTURE.read_bytes()


def test_a_file_of_windows_letters_is_read(tmp_path: Path) -> None:
    source = tmp_path / "old.csv"
    source.write_bytes("Modelo,Categoría,TTFT(s),Total(s),t/s,RAM_MB,Tokens\na,Español,1,11,9,,101\n".encode("cp1252"))
    assert read_legacy(source)[0].category == "Español"


def test_what_cannot_be_used_says_so(tmp_path: Path) -> None:
    with pytest.raises(CannotImport, match="cannot be read: No such file"):
        read_legacy(tmp_path / "missing.csv")
    with pytest.raises(CannotImport, match="cannot be read: Is a directory"):
        read_legacy(tmp_path)
    (tmp_path / "other.csv").write_bytes(b"\x00\xff\xfe,a\n1,2\n")
    with pytest.raises(CannotImport, match="no column Modelo"):
        read_legacy(tmp_path / "other.csv")


def test_a_file_that_is_refused_leaves_no_session(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CannotImport):
        import_legacy(tmp_path / "other.csv", tmp_path / "results")
    assert list_sessions(tmp_path / "results") == ()


def test_the_fixture_is_what_the_parser_takes() -> None:
    assert all(not row.problems for row in parse_legacy(FIXTURE.read_text("utf-8")))
