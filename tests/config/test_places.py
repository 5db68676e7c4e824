"""Folders: the flag's, the settings', the one that is there, the user's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llmtui.config import Settings, SettingsError, config_dir, config_path, data_dir, results_dir


def test_results_go_where_the_person_says_then_where_they_are_then_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert results_dir(None, Settings(), tmp_path) == (data_dir() or Path()) / "results"
    (tmp_path / "results").mkdir()
    assert results_dir(None, Settings(), tmp_path) == tmp_path / "results"
    assert results_dir(None, Settings(results_dir="~/kept"), tmp_path) == tmp_path / "home" / "kept"
    assert results_dir("there", Settings(results_dir="~/kept"), tmp_path) == tmp_path / "there"
    assert results_dir(tmp_path / "x", Settings(), Path("elsewhere")) == tmp_path / "x"


def test_a_file_named_results_is_not_taken_for_the_folder(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("", encoding="utf-8")
    assert results_dir(None, Settings(), tmp_path) == (data_dir() or Path()) / "results"


@pytest.mark.skipif(sys.platform != "linux", reason="the variables are those of Linux")
def test_the_users_folders_are_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "conf"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert config_dir() == tmp_path / "conf" / "llmtui"
    assert config_path() == tmp_path / "conf" / "llmtui" / "config.toml"
    assert data_dir() == tmp_path / "share" / "llmtui"
    assert not (tmp_path / "conf").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="a user without a folder is made by its id there")
def test_without_a_home_folder_there_are_none_and_results_need_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 54321)
    assert (config_dir(), config_path(), data_dir()) == (None, None, None)
    assert results_dir("~/there", Settings(), tmp_path) == tmp_path / "~/there"
    with pytest.raises(SettingsError) as failed:
        results_dir(None, Settings(), tmp_path)
    assert failed.value.reason == "no_home"
