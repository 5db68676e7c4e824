"""The settings screen: a change is kept at once, and what is wrong is said in place."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, Select

from llmtui.config import Settings
from llmtui.config.settings import lasting
from llmtui.tui.screens.settings import GROUPS, SettingRow, SettingsScreen
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words.choices import setting_meaning
from tests.tui.conftest import wait_until
from tests.tui.stage import SIZE, Stage


async def opened(stage: Stage, pilot: Pilot[Any]) -> SettingsScreen:
    await stage.listed(pilot)
    await pilot.press("f7")
    await wait_until(pilot, lambda: isinstance(stage.app.screen, SettingsScreen))
    assert isinstance(stage.app.screen, SettingsScreen)
    return stage.app.screen


def row(screen: SettingsScreen, name: str) -> SettingRow:
    return screen.query_exactly_one(f"#setting-{name}", SettingRow)


async def test_every_setting_has_its_meaning_and_a_place() -> None:
    on_setup = {"models", "categories", "prompt_ids", "preset", "think", "num_ctx", "num_predict", "temperature"}
    elsewhere = on_setup | {"unload_others", "keymap"}
    placed = {name for names in GROUPS.values() for name in names}
    assert set(lasting()) <= placed | elsewhere
    assert all(setting_meaning(name) for name in placed)


async def test_what_is_typed_is_kept_when_the_field_is_left() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        row(screen, "stall_s").query_exactly_one(Input).focus()
        await pilot.press("ctrl+u", *"45", "tab")
        await wait_until(pilot, lambda: stage.host.saved.get("stall_s") == 45.0)
        await pilot.press("escape", "enter")
        plan = await stage.started(pilot)
    assert plan.options.stall_s == 45.0


async def test_a_wrong_value_is_said_in_place_and_not_kept() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        wrong = row(screen, "host")
        wrong.query_exactly_one(Input).focus()
        await pilot.press("ctrl+u", *"my box")
        await wait_until(pilot, lambda: wrong.has_class("-wrong"))
        assert "a server's address such as" in str(wrong.query_exactly_one(".problem").render())
        await pilot.press("tab")
        assert "host" not in stage.host.saved
        assert isinstance(stage.app.screen, SettingsScreen)


async def test_words_are_picked_by_keyboard_and_mouse() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        row(screen, "language").query_exactly_one(ChoiceLine).focus()
        await pilot.press("right", "right")
        await wait_until(pilot, lambda: stage.host.saved.get("language") == "es")
        line = row(screen, "bell").query_exactly_one(ChoiceLine)
        await pilot.click(line, offset=(7, 0))
        await wait_until(pilot, lambda: stage.host.saved.get("bell") is False)


async def test_a_theme_is_seen_at_once() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        row(screen, "theme").query_exactly_one(Select).value = "dracula"
        await wait_until(pilot, lambda: stage.app.theme == "dracula")
        await wait_until(pilot, lambda: stage.host.saved.get("theme") == "dracula")


async def test_an_emptied_field_takes_the_built_in_value() -> None:
    stage = Stage(settings=Settings(results_dir="here", quiet_wait_s=3.0))
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        for name in ("results_dir", "quiet_wait_s"):
            row(screen, name).query_exactly_one(Input).focus()
            await pilot.press("ctrl+u", "tab")
        await wait_until(pilot, lambda: {"results_dir": None, "quiet_wait_s": 10.0}.items() <= stage.host.saved.items())


async def test_the_palette_has_it() -> None:
    stage = Stage()
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.listed(pilot)
        assert "Settings" in {command.title for command in stage.app.get_system_commands(stage.app.screen)}
