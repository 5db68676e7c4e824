"""The whole program's keys, the way out, and what survives it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from llmtui.config import Settings
from llmtui.core.commands import SetServer
from llmtui.core.events import SessionFinished
from llmtui.tui import terminal
from llmtui.tui.app import LlmtuiApp, WatchApp
from llmtui.tui.screens.dialogs import ConfirmDialog
from llmtui.tui.screens.help import HelpScreen
from llmtui.tui.screens.setup import SetupScreen
from llmtui.tui.widgets.banner import Banner
from tests.core import made
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink, an_ollama, engine_beside

PLAN = made.plan()


def app_with(*links: FakeLink, **host: Any) -> LlmtuiApp:
    return LlmtuiApp(FakeHost(*links, **host))


async def until_listed(pilot: Pilot[Any]) -> None:
    app = pilot.app
    assert isinstance(app, LlmtuiApp)
    await wait_until(pilot, lambda: app.feed.models is not None)
    await pilot.pause()


async def begin_a_run(pilot: Pilot[Any], link: FakeLink) -> None:
    app = pilot.app
    assert isinstance(app, LlmtuiApp)
    link.play(made.started(PLAN))
    await wait_until(pilot, lambda: app.running)


def a_finish() -> SessionFinished:
    return SessionFinished(t_ns=5_000, wall_ns=made.WALL_NS, how="complete")


class TestStart:
    async def test_the_first_screen_is_there_before_the_engine(self) -> None:
        app = app_with()
        async with app.run_test():
            assert isinstance(app.screen, SetupScreen)

    async def test_an_engine_that_is_up_is_told_the_server(self) -> None:
        link = engine_beside(an_ollama)
        app = app_with(link, settings=Settings(host="box:9"))
        async with app.run_test() as pilot:
            await until_listed(pilot)
        assert link.sent_of(SetServer) == [SetServer(address="http://box:9", kind="ollama")]

    async def test_an_engine_that_cannot_be_started_is_said_and_can_be_tried_again(self) -> None:
        app = app_with()
        async with app.run_test() as pilot:
            banner = app.screen.query_one(Banner)
            await wait_until(pilot, lambda: banner.has_class("-error"))
            assert "cannot be started" in str(banner.render())
            assert "ctrl+r" in str(banner.render())


class TestQuit:
    async def test_q_leaves_at_once_while_nothing_runs(self) -> None:
        app = app_with(engine_beside(an_ollama))
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await pilot.press("q")
        assert app.return_value is not None
        assert (app.return_value.how, app.return_value.session) == ("quit", None)

    async def test_q_asks_while_a_test_runs_and_the_harmless_answer_is_at_hand(self) -> None:
        link = engine_beside(an_ollama)
        app = app_with(link)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await begin_a_run(pilot, link)
            await pilot.press("q")
            assert isinstance(app.screen, ConfirmDialog)
            await pilot.press("enter")
            assert app.screen is app.screen_stack[0]
            await pilot.press("q", "y")
        assert app.return_value is not None
        assert app.return_value.session is not None
        assert app.return_value.session.session_id == "20261122T224107Z-ab12"

    async def test_after_the_end_q_asks_no_more(self) -> None:
        link = engine_beside(an_ollama)
        app = app_with(link)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await begin_a_run(pilot, link)
            link.play(a_finish())
            await wait_until(pilot, lambda: not app.running)
            await pilot.press("q")
        assert app.return_value is not None

    async def test_ctrl_c_leaves_without_asking_also_in_a_window(self) -> None:
        link = engine_beside(an_ollama)
        app = app_with(link)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await begin_a_run(pilot, link)
            await pilot.press("q", "ctrl+c")
        assert app.return_value is not None
        assert app.return_value.how == "interrupted"

    async def test_ctrl_c_copies_what_is_selected_instead(self) -> None:
        app = app_with(engine_beside(an_ollama))
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await pilot.press("slash", *"phi", "shift+home", "ctrl+c")
            assert app.clipboard == "phi"
            assert app.return_value is None

    async def test_the_link_is_closed_however_the_app_ends(self) -> None:
        link = engine_beside(an_ollama)
        app = app_with(link)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            app.leave("terminated")
        await asyncio.to_thread(link.closed.wait, 10)
        assert link.closed.is_set()
        assert app.return_value is not None
        assert app.return_value.how == "terminated"


class TestLostEngine:
    async def test_the_app_stays_up_says_why_and_starts_it_again(self) -> None:
        first, second = engine_beside(an_ollama), engine_beside(an_ollama)
        app = app_with(first, second)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            banner = app.screen.query_one(Banner)
            first.break_off("The measuring process has gone. Its log: engine.log")
            await wait_until(pilot, lambda: banner.has_class("-error"))
            assert "engine.log" in str(banner.render())
            await pilot.press("ctrl+r")
            await wait_until(pilot, lambda: not banner.has_class("-error"))
            await wait_until(pilot, lambda: second.sent_of(SetServer))
            await wait_until(pilot, first.closed.is_set)  # it leaves neither a process nor a log behind
            assert not second.closed.is_set()

    async def test_a_run_whose_engine_is_gone_does_not_hold_the_person_back(self) -> None:
        link = engine_beside(an_ollama)
        app = app_with(link)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await begin_a_run(pilot, link)
            link.break_off("It has gone.")
            await wait_until(pilot, lambda: not app.running)
            await pilot.press("q")
        assert app.return_value is not None
        assert app.return_value.session is not None


class TestEverywhere:
    async def test_the_palette_offers_what_can_be_done_now_and_nothing_else(self) -> None:
        link = engine_beside(an_ollama)
        app = app_with(link)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            titles = [command.title for command in app.get_system_commands(app.screen)]
            assert {"Setup", "History", "Help", "Quit", "Server", "Your prompt"} <= set(titles)
            assert not {"Live", "Results", "Start again"} & set(titles)
            await begin_a_run(pilot, link)
            titles = [command.title for command in app.get_system_commands(app.screen)]
            assert {"Live", "Results"} <= set(titles)

    async def test_light_and_dark_are_kept_for_the_next_start(self) -> None:
        host = FakeHost(engine_beside(an_ollama))
        app = LlmtuiApp(host)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await pilot.press("f6")
            await wait_until(pilot, lambda: host.saved.get("theme") == "llmtui-light")
            assert not app.current_theme.dark

    async def test_a_theme_of_the_settings_is_used_and_an_unknown_one_is_not(self) -> None:
        assert app_with(settings=Settings(theme="nord")).theme == "nord"
        assert app_with(settings=Settings(theme="no such theme")).theme == "llmtui-dark"

    async def test_keys_can_be_moved_by_the_settings(self) -> None:
        app = app_with(engine_beside(an_ollama), settings=Settings(keymap={"help": "f9"}))
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await pilot.press("f9")
            assert isinstance(app.screen, HelpScreen)

    async def test_a_key_that_does_not_exist_takes_no_key_away_and_is_told(self) -> None:
        keymap = {"quit": "nokeyxx", "help": "f9, ctrl+question_mark,ctrl+nonsense"}
        app = app_with(engine_beside(an_ollama), settings=Settings(keymap=keymap))
        async with app.run_test() as pilot:
            await until_listed(pilot)
            (told,) = [note.message for note in app._notifications if "keymap" in note.message]
            assert told.endswith("nokeyxx, ctrl+nonsense.")
            await pilot.press("f9")
            assert isinstance(app.screen, HelpScreen)
            await pilot.press("escape")
            await pilot.press("q")
            await wait_until(pilot, lambda: not app.is_running)

    async def test_help_lists_the_keys_of_the_screen_and_goes_back(self) -> None:
        app = app_with(engine_beside(an_ollama))
        async with app.run_test(size=(100, 60)) as pilot:
            await until_listed(pilot)
            await pilot.press("f1")
            assert isinstance(app.screen, HelpScreen)
            keys = str(app.screen.query_one("#help-keys").render())
            for said in (
                "Type a prompt and run it now",
                "Run the picked models",
                "Switch between light and dark",
                "Find a command",
            ):
                assert said in keys
            await pilot.press("escape")
            assert isinstance(app.screen, SetupScreen)

    @pytest.mark.parametrize("key", ["f5", "f2"])
    async def test_places_have_keys(self, key: str) -> None:
        app = app_with(engine_beside(an_ollama))
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await pilot.press(key)
            await wait_until(pilot, lambda: app.current_mode == {"f5": "history", "f2": "setup"}[key])

    async def test_a_finished_run_rings_once_and_names_itself_in_the_title(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rings: list[int] = []
        titles: list[str] = []
        monkeypatch.setattr(LlmtuiApp, "bell", lambda _self: rings.append(1))
        monkeypatch.setattr("llmtui.tui.app.write_sequence", lambda _app, sequence: titles.append(sequence))
        link = engine_beside(an_ollama)
        app = app_with(link)
        async with app.run_test() as pilot:
            await until_listed(pilot)
            await begin_a_run(pilot, link)
            link.play(a_finish())
            await wait_until(pilot, lambda: rings)
        assert rings == [1]
        assert terminal.title_sequence("llmtui: running") in titles
        assert terminal.title_sequence("llmtui: finished") in titles
        assert titles[-1] == terminal.RESTORE_TITLE

    async def test_a_title_cannot_carry_control_characters(self) -> None:
        assert terminal.title_sequence("a\x1b]b\x07c") == "\x1b]2;a]bc\x07"


class TestWatching:
    async def test_a_watched_source_starts_nothing(self) -> None:
        link = FakeLink(made.started(PLAN), a_finish(), is_live=False, accepts_commands=False)
        app = WatchApp(FakeHost(), link)
        async with app.run_test() as pilot:
            await wait_until(pilot, lambda: app.feed.session is not None)
            assert app.current_mode == "live"
            assert not app.running
            titles = [command.title for command in app.get_system_commands(app.screen)]
            assert "Setup" not in titles
            await pilot.press("q")
        assert link.sent == []
