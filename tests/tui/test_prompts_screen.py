"""All prompts as a list: single ones are picked, and the file is edited."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import msgspec
import pytest
from textual.app import App
from textual.pilot import Pilot

from llmtui.config import Settings, SettingsError
from llmtui.tui.host import EditFailed
from llmtui.tui.screens.prompts import PromptsScreen
from tests.tui.conftest import wait_until
from tests.tui.fakes import a_pack
from tests.tui.stage import SIZE, Stage


@pytest.fixture
def _suspends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal of the tests can be left for an editor."""
    monkeypatch.setattr(App, "suspend", lambda _self: nullcontext())


async def opened(stage: Stage, pilot: Pilot[Any]) -> PromptsScreen:
    await stage.listed(pilot)
    await pilot.press("v")
    await wait_until(pilot, lambda: isinstance(stage.app.screen, PromptsScreen))
    assert isinstance(stage.app.screen, PromptsScreen)
    return stage.app.screen


async def test_single_prompts_are_asked_and_kept_for_the_next_start() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        await pilot.press("down", "space", "down", "space")
        assert "2. Write a short story" in str(screen.query_one("#prompt-text").render())
        await pilot.press("escape")
        await wait_until(pilot, lambda: stage.setup.prompts.picked[0] == "creativity-2")
        await pilot.press("enter")
        plan = await stage.started(pilot)
        await wait_until(pilot, lambda: "prompt_ids" in stage.host.saved)
    asked = ["creativity-2", "reasoning-1", "coding-1", "summary-1"]
    assert [prompt.id for prompt in plan.prompts] == asked
    assert stage.host.saved["prompt_ids"] == tuple(asked)


async def test_the_next_start_has_them() -> None:
    stage = Stage(settings=Settings(prompt_ids=("coding-2", "gone")))
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.listed(pilot)
        assert stage.setup.prompts.picked == ("coding-2",)


async def test_a_categorys_line_picks_all_of_it() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        await pilot.press("home", "space")
        assert {"creativity-1", "creativity-2"} <= screen.prompts.picked
        await pilot.press("space")
        assert not {"creativity-1", "creativity-2"} & screen.prompts.picked


@pytest.mark.usefixtures("_suspends")
async def test_after_the_editor_the_changed_prompts_are_there() -> None:
    stage = Stage()
    first, *others = a_pack().categories
    stage.host.edits = [msgspec.structs.replace(a_pack(), categories=tuple(others))]
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        await pilot.press("e")
        assert first.prompts[0].id not in screen.prompts.prompts
        assert screen.prompts.picked == {"reasoning-1", "coding-1", "summary-1"}
        await pilot.press("escape")
        await wait_until(pilot, lambda: stage.setup.prompts.categories == ("reasoning", "coding", "summary"))
        assert "Creativity" not in stage.said("PromptLine")


@pytest.mark.usefixtures("_suspends")
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SettingsError("not_toml", file="prompts.toml", line=7, why="no value"), "line 7: is not valid TOML: no value"),
        (EditFailed("No editor is named: set EDITOR."), "set EDITOR"),
    ],
)
async def test_what_cannot_be_used_is_said_and_changes_nothing(error: Exception, words: str) -> None:
    stage = Stage()
    stage.host.edits = [error]
    async with stage.app.run_test(size=SIZE, notifications=True) as pilot:
        screen = await opened(stage, pilot)
        await pilot.press("e")
        await wait_until(pilot, lambda: any(words in str(one.message) for one in stage.app._notifications))
        assert len(screen.prompts.prompts) == 8


async def test_a_terminal_that_cannot_be_left_says_so() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE, notifications=True) as pilot:
        await opened(stage, pilot)
        await pilot.press("e")
        await wait_until(
            pilot, lambda: any("cannot open an editor" in str(one.message) for one in stage.app._notifications)
        )
