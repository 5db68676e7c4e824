"""``llmtui sessions``: list, show, rename, delete and restore, as a shell uses them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report.recorded import recorded_events, write_recorded


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one session in its results folder."""
    write_recorded(tmp_path / "results" / "one", recorded_events())
    return tmp_path


def sessions(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    homes = {name: str(home / "home") for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    return subprocess.run(
        [sys.executable, "-m", "llmtui", "sessions", *words, "--results", str(home / "results")],
        env={**os.environ, **homes, "LANGUAGE": "en", "PYTHONUTF8": "1", **env},
        cwd=home,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def test_the_list_has_a_head_and_a_line_for_each(home: Path) -> None:
    said = sessions(home, "list").stdout.splitlines()
    assert said[0].split()[:3] == ["session", "name", "verdict"]
    assert [line.split()[0] for line in said[1:]] == ["one"]


def test_words_narrow_the_list(home: Path) -> None:
    assert sessions(home, "list", "no-such-model").stdout == ""
    assert "No sessions" in sessions(home, "list", "no-such-model").stderr


def test_a_name_and_a_note_are_shown_and_the_session_is_found_by_its_name(home: Path) -> None:
    assert sessions(home, "rename", "last", "before the driver", "--note", "on battery").returncode == 0
    said = sessions(home, "show", "before the driver")
    assert said.returncode == 0
    head = said.stdout.split("\n\n")[0]
    assert "before the driver" in head
    assert "on battery" in head
    assert "Ollama" in head
    assert len(said.stdout) > 2 * len(head), "its tables follow"


def test_a_note_alone_keeps_the_name(home: Path) -> None:
    sessions(home, "rename", "one", "named")
    sessions(home, "rename", "one", "--note", "noted")
    assert "named" in sessions(home, "list").stdout


def test_nothing_to_keep_is_refused(home: Path) -> None:
    said = sessions(home, "rename", "one")
    assert said.returncode == 2
    assert "Give a name" in said.stderr


def test_nothing_is_deleted_where_nobody_can_be_asked(home: Path) -> None:
    said = sessions(home, "delete", "one")
    assert said.returncode == 2
    assert "--yes" in said.stderr
    assert (home / "results" / "one").is_dir()


def test_a_deleted_session_is_restored(home: Path) -> None:
    assert sessions(home, "delete", "one", "--yes").returncode == 0
    assert sessions(home, "list").stdout == ""
    assert sessions(home, "restore", "last").returncode == 0
    assert (home / "results" / "one").is_dir()
    assert sessions(home, "restore", "last").returncode == 2


@pytest.mark.parametrize("command", ["show", "rename", "delete"])
def test_one_that_is_not_there_is_a_sentence(home: Path, command: str) -> None:
    said = sessions(home, command, "nothing", *(["x"] if command == "rename" else []))
    assert said.returncode == 2
    assert "neither a file nor a session" in said.stderr
    assert "Traceback" not in said.stderr
