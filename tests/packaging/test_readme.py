"""The README is true; the check script runs the commands that it recommends."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from llmtui.cli.app import cli
from llmtui.cli.exits import Exit
from llmtui.config.settings import lasting
from tests.packaging.documents import DOCUMENTS, README, ROOT, commands, links, table_rows

CHECKS = (ROOT / ".ci" / "run").read_text("utf-8")
SUBCOMMANDS: dict[str, Any] = get_command(cli).commands  # type: ignore[attr-defined]


def test_one_command_starts_it_and_one_tests_it_with_pip_and_with_uv() -> None:
    for heading, does in (("Start", "llmtui"), ("Test it", "pytest")):
        [with_pip, with_uv] = commands(heading)
        assert with_pip.startswith("python3 -m venv .venv && .venv/bin/pip install ")
        assert with_pip.endswith(f" && .venv/bin/{does}")
        assert with_uv.startswith("uv")
        assert with_uv.endswith(f" {does}")


def test_the_check_script_runs_the_test_command_to_the_letter() -> None:
    [test_command, _] = commands("Test it")
    assert f"\n{test_command}\n" in CHECKS


def test_the_extras_it_names_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for command in (*commands("Start"), *commands("Test it")):
        [named] = re.findall(r"'\.\[([\w,]+)\]'", command)
        assert set(named.split(",")) <= set(extras)


def test_every_command_is_in_its_table() -> None:
    named = {row[0].strip("`") for row in table_rows("command")}
    assert named == {"llmtui", *(f"llmtui {name}" for name in SUBCOMMANDS)}


def test_the_options_it_uses_exist() -> None:
    for line in commands("Without screens"):
        for part in line.split("|"):
            words = part.split("llmtui ", 1)[1].split()
            known = {option for one in SUBCOMMANDS[words[0]].params for option in one.opts}
            assert {word for word in words if word.startswith("--")} <= known


def test_every_exit_code_is_in_its_table() -> None:
    assert {int(row[0]) for row in table_rows("exit code")} == {int(code) for code in Exit}


def test_the_settings_it_names_exist() -> None:
    named = re.findall(r"LLMTUI_([A-Z_]+)=", README)
    assert named
    assert {name.lower() for name in named} <= set(lasting())


def test_files_lie_where_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs.macos import MacOS
    from platformdirs.unix import Unix

    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", "/home/you")
    files = {row[0]: row[1:] for row in table_rows("", README.split("## Files", 1)[1])}
    for column, system in enumerate((Unix, MacOS)):
        folders = system("llmtui", appauthor=False)
        settings, results = (_expanded(files[name][column]) for name in ("settings", "results"))
        assert settings == folders.user_config_path / "config.toml"
        assert results == folders.user_data_path / "results"
    assert files["settings"][2] == r"`%LOCALAPPDATA%\llmtui\config.toml`"


def _expanded(cell: str) -> Path:
    return Path(os.path.expanduser(cell.strip("`")))  # noqa: PTH111  # HOME is not this user's


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_linked_is_there(document: Path) -> None:
    for target in links(document):
        if not target.startswith(("http://", "https://", "#")):
            assert (document.parent / target.partition("#")[0]).exists(), f"{document.name} links {target}"


def test_every_picture_is_shown_with_words() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\(docs/pictures/([\w-]+)\.svg\)", README)
    pictures = {path.stem for path in (ROOT / "docs" / "pictures").glob("*.svg")}
    assert {name for _, name in shown} == pictures
    assert all(len(words) > 10 for words, _ in shown)
