"""The command line itself: its help, and nothing on it that is dropped in silence."""

from __future__ import annotations

import re

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from llmtui import __version__
from llmtui.cli.app import cli
from llmtui.cli.startup import Refused

COMMANDS = sorted(get_command(cli).commands)  # type: ignore[attr-defined]


def help_of(*words: str) -> str:
    return CliRunner().invoke(cli, [*words, "--help"], env={"COLUMNS": "80", "TERM": "dumb"}).output


def unwrapped(text: str) -> str:
    """Return a help text with each option's lines joined."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)])
def test_help_fits_80_columns_and_ends_with_examples_and_shows_no_type(words: tuple[str, ...]) -> None:
    text = help_of(*words)
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"<\w+", text), text
    assert len(re.findall(r"^ Example: ", text, re.MULTILINE)) >= 2


def test_the_options_of_run_are_in_groups_with_their_defaults() -> None:
    text = help_of("run")
    for heading in ("What to measure", "How to measure", "Server", "Output"):
        assert f"─ {heading} ─" in text
    for words in ("MODEL", "CATEGORY", "FILE", "TIME", "Default: 4096.", "Default: 128.", "Default: auto."):
        assert words in unwrapped(text)


@pytest.mark.parametrize("option", ["--host=x", "--results=x", "--prompts=x.toml", "--api-key-file=x"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_before_the_command_is_refused(option: str, command: str) -> None:
    with pytest.raises(Refused, match=f"^`{option.partition('=')[0]}` has no effect before `{command}`"):
        cli([option, command], standalone_mode=False)


def test_what_is_no_option_is_a_usage_error_before_the_command_too() -> None:
    assert CliRunner().invoke(cli, ["--nonsense", "run"]).exit_code == 2


@pytest.mark.parametrize("words", [["--version"], ["--version", "run"], ["--host", "x", "--version"]])
def test_the_version_is_printed_whatever_else_is_there(words: list[str]) -> None:
    done = CliRunner().invoke(cli, words)
    assert (done.exit_code, done.output) == (0, f"llmtui {__version__}\n")


def test_help_speaks_the_language_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    text = unwrapped(help_of("run"))
    for words in (
        "Uso: ",
        "─ Qué medir ─",
        "Ejecuta exactamente N rondas (1 a 50)",
        "Por defecto: auto.",
        "Ejemplo: llmtui run",
    ):
        assert words in text
    monkeypatch.setenv("LANGUAGE", "en")
    assert "Run exactly N rounds (1 to 50)." in help_of("run")
