"""What the screens ask of the program around them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmtui.cli.services import Services, copy_trials
from llmtui.cli.startup import load_startup
from llmtui.core.events import encode
from llmtui.store.session_folder import JOURNAL
from llmtui.tui.host import ExportFailed
from tests.core.made import plan, started


@pytest.fixture
def session(tmp_path: Path) -> Path:
    folder = tmp_path / "20261122T224107Z-ab12"
    folder.mkdir()
    (folder / "trials.csv").write_text("round,model\n1,llama3\n", "utf-8")
    return folder


def test_a_folder_gets_a_file_named_after_the_session(session: Path, tmp_path: Path) -> None:
    saved = copy_trials(session, str(tmp_path))
    assert saved == tmp_path / "20261122T224107Z-ab12.csv"
    assert saved.read_text("utf-8") == "round,model\n1,llama3\n"


def test_missing_folders_are_made(session: Path, tmp_path: Path) -> None:
    assert copy_trials(session, str(tmp_path / "a" / "b.csv")).is_file()


def test_a_persons_file_is_left_alone(session: Path, tmp_path: Path) -> None:
    there = tmp_path / "mine.csv"
    there.write_text("precious", "utf-8")
    with pytest.raises(ExportFailed, match="was left alone"):
        copy_trials(session, str(there))
    assert there.read_text("utf-8") == "precious"


def test_a_place_that_cannot_be_written_is_said_in_words(session: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ExportFailed, match="cannot be written"):
        copy_trials(session, str(tmp_path / "file" / "inside.csv"))


def test_a_copied_session_is_a_line_of_its_own_in_the_history(tmp_path: Path) -> None:
    results = tmp_path / "results"
    (results / "one").mkdir(parents=True)
    (results / "one" / JOURNAL).write_bytes(encode(started(plan("a"))))
    shutil.copytree(results / "one", results / "copy of one")
    named = load_startup({}, results=str(results))
    assert sorted(entry.session_id for entry in Services(named).sessions()) == ["copy of one", "one"]
