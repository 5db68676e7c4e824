"""Folders: the flag's, the settings', the one that is there, the user's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llmtui.config import Settings, config_dir, config_path, data_dir, results_dir


def test_results_go_where_the_person_says_then_where_they_are_then_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert results_dir(None, Settings(), tmp_path) == data_dir() / "results"
    (tmp_path / "results").mkdir()
    assert results_dir(None, Settings(), tmp_path) == tmp_path / "results"
    assert results_dir(None, Settings(results_dir="~/kept"), tmp_path) == tmp_path / "home" / "kept"
    assert results_dir("there", Settings(results_dir="~/kept"), tmp_path) == tmp_path / "there"
    assert results_dir(tmp_path / "x", Settings(), Path("elsewhere")) == tmp_path / "x"


def test_a_file_named_results_is_not_taken_for_the_folder(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("", encoding="utf-8")
    assert results_dir(None, Settings(), tmp_path) == data_dir() / "results"


@pytest.mark.skipif(sys.platform != "linux", reason="the variables are those of Linux")
def test_the_users_folders_are_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "conf"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert config_dir() == tmp_path / "conf" / "llmtui"
    assert config_path() == tmp_path / "conf" / "llmtui" / "config.toml"
    assert data_dir() == tmp_path / "share" / "llmtui"
    assert not config_dir().exists()
