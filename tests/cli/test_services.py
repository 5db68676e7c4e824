"""What the screens ask of the program around them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmtui.cli.services import Services
from llmtui.cli.startup import load_startup
from llmtui.core.events import encode
from llmtui.store.session_folder import JOURNAL
from llmtui.tui.host import ExportFailed, FileIsThere, SessionRefused
from tests.core.made import plan, started
from tests.report.recorded import recorded_events, write_recorded


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """A results folder with one recorded session."""
    write_recorded(tmp_path / "results" / "one", recorded_events())
    return Services(load_startup({}, results=str(tmp_path / "results")))


@pytest.mark.parametrize(
    ("form", "start"), [("csv", "round,model"), ("markdown", "# "), ("llama-bench", "| model |"), ("html", "<!")]
)
def test_a_session_is_written_in_a_form_of_the_report(
    services: Services, tmp_path: Path, form: str, start: str
) -> None:
    target = tmp_path / "new" / "file"
    assert services.export(["one"], form, str(target), replace=False) == str(target)
    assert target.read_text("utf-8").lower().startswith(start)


def test_a_journal_elsewhere_is_exported_too(services: Services, tmp_path: Path) -> None:
    journal = tmp_path / "elsewhere" / "events.jsonl"
    shutil.copytree(tmp_path / "results" / "one", journal.parent)
    assert Path(services.export([str(journal)], "csv", str(tmp_path / "a.csv"), replace=False)).is_file()


def test_a_file_that_is_there_is_replaced_only_where_that_is_wanted(services: Services, tmp_path: Path) -> None:
    there = tmp_path / "mine.csv"
    there.write_text("precious", "utf-8")
    table = [("model",), ("=llama3",)]
    with pytest.raises(FileIsThere, match=r"mine\.csv"):
        services.export(["one"], "csv", str(there), replace=False)
    with pytest.raises(FileIsThere, match=r"mine\.csv"):
        services.export_table(table, str(there), replace=False)
    assert there.read_text("utf-8") == "precious"
    services.export(["one"], "csv", str(there), replace=True)
    assert there.read_text("utf-8").startswith("round,model")
    services.export_table(table, str(there), replace=True)
    assert there.read_text("utf-8") == "model\n'=llama3\n"


def test_a_place_that_cannot_be_written_is_said_in_words(services: Services, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    for target in (str(tmp_path / "file" / "inside.csv"), str(tmp_path)):
        with pytest.raises(ExportFailed, match=r"cannot be written|is a folder"):
            services.export(["one"], "csv", target, replace=True)
        with pytest.raises(ExportFailed, match="cannot be written"):
            services.export_table([("model",)], target, replace=True)


def test_the_table_that_people_paste(services: Services) -> None:
    assert services.llama_bench("one").startswith("| model |")


def test_a_session_is_named_deleted_and_taken_back(services: Services) -> None:
    services.label_session("one", name="before", note="on battery")
    [entry] = services.sessions()
    assert (entry.name, entry.note) == ("before", "on battery")
    deleted = services.delete_session("one")
    assert services.sessions() == ()
    services.restore_session(deleted)
    assert services.sessions() == (entry,)


def test_one_that_is_not_there_is_refused_in_words(services: Services) -> None:
    with pytest.raises(SessionRefused, match="none"):
        services.delete_session("none")
    with pytest.raises(SessionRefused, match="cannot be written"):
        services.restore_session(str(Path(services.results_dir) / ".trash" / "none"))


def test_a_copied_session_is_a_line_of_its_own_in_the_history(tmp_path: Path) -> None:
    results = tmp_path / "results"
    (results / "one").mkdir(parents=True)
    (results / "one" / JOURNAL).write_bytes(encode(started(plan("a"))))
    shutil.copytree(results / "one", results / "copy of one")
    named = load_startup({}, results=str(results))
    assert sorted(entry.session_id for entry in Services(named).sessions()) == ["copy of one", "one"]
