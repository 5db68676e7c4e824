"""An invalid value of a choice is refused with one sentence, wherever it is set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from llmtui.cli.app import cli
from llmtui.cli.startup import Refused
from llmtui.config import Settings, SettingsError, flag_of, load_settings, save_choices
from llmtui.core.choices import BadChoice, bounds_of, from_text
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.widgets.options_panel import OptionsPanel
from llmtui.words.choices import refused
from llmtui.words.settings import not_used, settings_words
from tests.tui.fakes import FakeHost

SENTENCE = "must be a whole number from 128 to 4194304, not '17'"


def test_in_the_settings_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("num_ctx = '17'\n", encoding="utf-8")
    loaded = load_settings({}, path)
    assert loaded.settings == Settings()
    assert [not_used(problem) for problem in loaded.problems] == [f"{path}, num_ctx: {SENTENCE}. It is not used."]


def test_in_the_environment(tmp_path: Path) -> None:
    loaded = load_settings({"LLMTUI_NUM_CTX": "17"}, tmp_path / "config.toml")
    assert [settings_words(problem) for problem in loaded.problems] == [f"environment, LLMTUI_NUM_CTX: {SENTENCE}."]


def test_behind_a_flag() -> None:
    with pytest.raises(Refused, match=f"^--num-ctx: {SENTENCE}.$"):
        cli(["run", "--num-ctx", "17"], standalone_mode=False)


def test_when_it_is_saved(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        save_choices(tmp_path / "config.toml", {"num_ctx": "17"})
    assert settings_words(refusal.value) == f"num_ctx: {SENTENCE}."


async def test_in_a_field_of_the_screen() -> None:
    app = LlmtuiApp(FakeHost())
    async with app.run_test(size=(100, 30)) as pilot:
        panel = app.screen.query_exactly_one(OptionsPanel)
        panel.toggle()
        await pilot.pause()
        field = panel.query_exactly_one("#num_ctx")
        field.focus()
        await pilot.press("ctrl+u", *"17")
        said = str(panel.query_exactly_one(".problem").render())
    assert said == f"num_ctx {SENTENCE}; 4096 is kept."


@pytest.mark.parametrize("name", list(bounds_of(Settings)))
def test_every_setting_has_words_for_what_it_may_be(name: str) -> None:
    bounds = bounds_of(Settings)[name]
    try:
        from_text(bounds, "\0")
    except BadChoice as error:
        words = refused(error.bounds, error.given)
        assert words.startswith("must be ")
        assert words.endswith(r", not '\x00'")
    else:
        assert bounds.kind == "names"


@pytest.mark.parametrize("name", [name for name, bounds in bounds_of().items() if bounds.among])
def test_a_closed_set_completes_in_the_shell(name: str) -> None:
    flag = flag_of(name)
    asked = {"_LLMTUI_COMPLETE": "complete_bash", "COMP_WORDS": f"llmtui run {flag} ", "COMP_CWORD": "3"}
    command = [sys.executable, "-c", "from llmtui.cli.app import cli; cli(prog_name='llmtui')"]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False, timeout=60)
    assert tuple(done.stdout.split()) == bounds_of()[name].among
