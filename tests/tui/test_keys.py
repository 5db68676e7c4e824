"""The keys: one meaning each on a screen, those of the footer work at every size, and the page that lists them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets._footer import FooterKey

from llmtui.config import Settings
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.keys import RENAMED, present_names
from llmtui.tui.screens.help import HelpScreen
from llmtui.tui.shell import Mode
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink, an_ollama, engine_beside
from tests.tui.sessions import a_session, finished_trials, start_of, until
from tests.tui.test_history import ENTRIES
from tools.key_table import Key, all_screens, app_keys, document

KEYS_PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
SIZES = [(80, 24), (100, 30), (140, 40), (200, 50)]
MOVING = {"enter", "space", "escape", "left", "right", "up", "down", "home", "end", "tab"}
"""Keys that act on what has the focus."""
SCREENS = dict(all_screens())
EVENTS = a_session()


def test_the_page_of_keys_is_what_the_bindings_say() -> None:
    assert KEYS_PAGE.read_text("utf-8") == document(), "python -m tools.key_table docs/keys.md"


@pytest.mark.parametrize("title", SCREENS)
def test_no_key_does_two_things_on_a_screen(title: str) -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for key in (*SCREENS[title], *of_the_program(title)):
        if key.key not in MOVING:
            meanings[key.key].add("all" if key.name.startswith("all_") else key.name or key.does)
    assert {key: names for key, names in meanings.items() if len(names) > 1} == {}


def of_the_program(title: str) -> tuple[Key, ...]:
    """The keys of the program, where the screen is no window above another."""
    return app_keys() if title in ("Setup", "Live", "Results", "History") else ()


def in_setup() -> LlmtuiApp:
    return LlmtuiApp(FakeHost(engine_beside(an_ollama)))


def in_a_run() -> LlmtuiApp:
    now = until(EVENTS, start_of(EVENTS, "r1-m1-warm-p1") + 2)
    return LlmtuiApp(FakeHost(FakeLink(*now, trials=finished_trials(EVENTS))))


def after_a_run() -> LlmtuiApp:
    return LlmtuiApp(FakeHost(FakeLink(*EVENTS, trials=finished_trials(EVENTS))))


def with_sessions() -> LlmtuiApp:
    return LlmtuiApp(FakeHost(engine_beside(an_ollama), entries=ENTRIES))


PLACES: dict[str, tuple[Mode, Callable[[], LlmtuiApp]]] = {
    "setup": ("setup", in_setup),
    "live": ("live", in_a_run),
    "live, finished": ("live", after_a_run),
    "results": ("results", after_a_run),
    "history": ("history", in_setup),
}


async def go(pilot: Pilot[Any], mode: Mode) -> LlmtuiApp:
    app = pilot.app
    assert isinstance(app, LlmtuiApp)
    await wait_until(pilot, lambda: app.feed.session is not None or app.feed.models is not None)
    app.show(mode)
    await wait_until(pilot, lambda: app.current_mode == mode and shown(app))
    await wait_until(pilot, lambda: all(key.region.width for key in shown(app)))
    return app


def shown(app: App[Any]) -> list[FooterKey]:
    return list(app.screen.query(FooterKey))


async def press_and_click_each_key(pilot: Pilot[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that each key of the footer is whole, and that a press and a click run its action."""
    ran: list[str] = []

    async def noted(_app: LlmtuiApp, action: str, *_args: object) -> bool:
        ran.append(action)
        return True

    monkeypatch.setattr(LlmtuiApp, "run_action", noted)
    for name, action, region, disabled in [(k.key, k.action, k.region, k.disabled) for k in shown(pilot.app)]:
        assert not disabled
        assert region.right <= pilot.app.size.width, "no key is cut"
        ran.clear()
        await pilot.press(name)
        assert action.removeprefix("app.") in [one.removeprefix("app.") for one in ran], name
        ran.clear()
        await pilot.click(offset=(region.x + 1, region.y))
        await pilot.pause()
        assert ran, "a click does what the key does"
    monkeypatch.undo()


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("place", PLACES)
async def test_every_key_of_the_footer_works_and_the_last_leads_to_all_others(
    place: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mode, make = PLACES[place]
    app = make()

    async with app.run_test(size=size) as pilot:
        await go(pilot, mode)
        assert shown(app)[-1].key == "ctrl+p"
        commands = {str(command.title) for command in app.get_system_commands(app.screen)}
        hidden = {one.binding.description for one in app.screen.active_bindings.values() if one.node is app.screen}
        assert hidden - {""} <= commands
        await press_and_click_each_key(pilot, monkeypatch)


async def test_the_help_begins_with_the_keys_of_what_has_the_focus() -> None:
    async with in_a_run().run_test(size=(120, 36)) as pilot:
        app = await go(pilot, "live")
        assert app.screen.focused is not None
        await pilot.press("f1")
        await wait_until(pilot, lambda: isinstance(app.screen, HelpScreen) and app.screen.query("#help-keys"))
        lines = str(app.screen.query_one("#help-keys").render()).splitlines()
        titles = [line for line in lines if line and not line.startswith(" ")]
        assert [title for title in titles if title.startswith("Keys")] == [
            "Keys where the cursor is",
            "Keys of this screen",
            "Keys everywhere",
        ]
        assert any("Follow the text" in line for line in lines)
        assert not any("live." in line for line in lines), "names of the keymap are in the documents only"


WINDOWS: dict[str, tuple[Mode, Callable[[], LlmtuiApp], tuple[str, ...]]] = {
    "answer": ("results", after_a_run, ("3", "enter")),
    "replay": ("results", after_a_run, ("r",)),
    "evidence": ("results", after_a_run, ("e",)),
    "columns": ("results", after_a_run, ("question_mark",)),
    "export": ("results", after_a_run, ("x",)),
    "own prompt": ("setup", in_setup, ("p",)),
    "prompts": ("setup", in_setup, ("v",)),
    "model": ("setup", in_setup, ("i",)),
    "download": ("setup", in_setup, ("d",)),
    "settings": ("setup", in_setup, ("f7",)),
    "help": ("setup", in_setup, ("f1",)),
    "glossary": ("setup", in_setup, ("f1", "g")),
    "name of a session": ("history", with_sessions, ("n",)),
}
"""Screens above the main ones: where they are opened, and with which keys."""


async def press_and_see(pilot: Pilot[Any], key: str) -> None:
    """Press a key; unless it only changes a tab, wait until another screen is shown."""
    below = pilot.app.screen
    await pilot.press(key)
    if not key.isdigit():
        await wait_until(pilot, lambda: pilot.app.screen is not below)


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
@pytest.mark.parametrize("window", WINDOWS)
async def test_every_key_in_the_footer_of_a_window_works(
    window: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    mode, make, keys = WINDOWS[window]
    app = make()

    async with app.run_test(size=size) as pilot:
        await go(pilot, mode)
        for key in keys:
            await press_and_see(pilot, key)
        await wait_until(pilot, lambda: shown(app) and all(key.region.width for key in shown(app)))
        await press_and_click_each_key(pilot, monkeypatch)


@pytest.mark.parametrize(("earlier", "present"), RENAMED.items())
def test_a_keymap_may_use_the_earlier_names(earlier: str, present: str) -> None:
    assert present_names({earlier: "f9", "live.stop": "f8"}) == {present: "f9", "live.stop": "f8"}
    assert present_names({earlier: "f9", present: "f10"}) == {present: "f10"}
    assert {key.name for keys in SCREENS.values() for key in keys}.isdisjoint(RENAMED)


async def test_a_key_under_its_earlier_name_works() -> None:
    app = LlmtuiApp(FakeHost(engine_beside(an_ollama), settings=Settings(keymap={"look_again": "f9"})))
    async with app.run_test(size=(120, 36)) as pilot:
        await go(pilot, "history")
        assert app.screen.active_bindings["f9"].binding.action == "refresh_list"
