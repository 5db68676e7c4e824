"""A run and its results, at the three sizes of the layouts, with a stopped clock."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from llmtui.config import Settings
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.answers import AnswerScreen
from llmtui.tui.screens.live import LiveScreen
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.shell import Mode
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.sessions import a_plan, a_session, finished_trials, until

SIZES = [(80, 24), (120, 36), (200, 50)]
LIVE_SIZES = [(80, 24), (100, 30), (140, 40), (200, 50)]
Compare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]

ONE_ROUND = a_session()
THREE_ROUNDS = a_session(a_plan(rounds=3))
LOADING_S = 6.0
THINKING_S = 28.0
WRITING_S = 123.0
SECOND_ROUND_S = 400.0
WHOLE_S = 10_000.0

pytestmark = pytest.mark.usefixtures("still", "_frozen")


@pytest.fixture
def _frozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No second hand moves, and it is the same time of day everywhere."""
    monkeypatch.setattr("llmtui.tui.widgets.phase_bar.monotonic", lambda: 100.0)
    monkeypatch.setattr("llmtui.tui.screens.live.TICK_S", 1e6)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def an_app(events: list[Any], seconds: float, *, theme: str = "llmtui-dark") -> LlmtuiApp:
    link = FakeLink(*until(events, seconds), trials=finished_trials(events))
    return LlmtuiApp(FakeHost(link, settings=Settings(theme=theme)))


def on(mode: Mode, *keys: str) -> Before:
    """Show a screen, press keys, wait until all is drawn."""

    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, LlmtuiApp)
        await wait_until(pilot, lambda: app.feed.session is not None)
        app.show(mode)
        await wait_until(pilot, lambda: complete(app))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await wait_until(pilot, lambda: complete(app) and not app.animator._animations)
        await pilot.pause()

    return before


def complete(app: LlmtuiApp) -> bool:
    """Everything on the screen shows the newest session."""
    screen = app.screen
    if isinstance(screen, LiveScreen):
        if not screen.query("MachinePlots") or not screen.plots._seen:
            return False
        drawn = screen.plots._drawn is not None and screen.plots._drawn == screen.plots._key()
        written = not screen.pane._waiting and not screen.pane.text.is_empty
        return (drawn or not screen.plots.is_on_screen) and written
    if isinstance(screen, ResultsScreen):
        return bool(screen.query("Scoreboard")) and screen.models.board.row_count > 0
    if isinstance(screen, AnswerScreen):
        return screen._finished is not None
    return True


@pytest.mark.parametrize("size", LIVE_SIZES, ids=str)
def test_live_while_a_model_writes(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(THREE_ROUNDS, SECOND_ROUND_S), terminal_size=size, run_before=on("live"))


@pytest.mark.parametrize("size", LIVE_SIZES[::2], ids=str)
def test_live_while_a_model_loads(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(ONE_ROUND, LOADING_S), terminal_size=size, run_before=on("live"))


@pytest.mark.parametrize("size", LIVE_SIZES, ids=str)
def test_live_when_all_is_over(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(THREE_ROUNDS, WHOLE_S), terminal_size=size, run_before=on("live"))


@pytest.mark.parametrize("size", LIVE_SIZES[::2], ids=str)
def test_live_while_a_model_thinks_in_daylight(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = an_app(ONE_ROUND, THINKING_S, theme="llmtui-light")
    assert snap_compare(app, terminal_size=size, run_before=on("live"))


def test_live_with_high_contrast(snap_compare: Compare) -> None:
    app = an_app(THREE_ROUNDS, SECOND_ROUND_S, theme="llmtui-high-contrast")
    assert snap_compare(app, terminal_size=(140, 40), run_before=on("live"))


@pytest.mark.parametrize("size", LIVE_SIZES[::2], ids=str)
def test_live_without_colours(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(an_app(THREE_ROUNDS, SECOND_ROUND_S), terminal_size=size, run_before=on("live"))


@pytest.mark.parametrize("size", LIVE_SIZES, ids=str)
def test_live_in_spanish(snap_compare: Compare, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    assert snap_compare(an_app(THREE_ROUNDS, SECOND_ROUND_S), terminal_size=size, run_before=on("live"))


def test_live_with_the_machine_alone(snap_compare: Compare) -> None:
    assert snap_compare(an_app(ONE_ROUND, WRITING_S), terminal_size=(140, 40), run_before=on("live", "2"))


def test_results_trial_by_trial(snap_compare: Compare) -> None:
    app = an_app(ONE_ROUND, WHOLE_S)
    assert snap_compare(app, terminal_size=(80, 24), run_before=on("results", "3", "end", "space", "up", "space"))


def test_one_test(snap_compare: Compare) -> None:
    app = an_app(ONE_ROUND, WHOLE_S)
    assert snap_compare(app, terminal_size=(120, 36), run_before=on("results", "3", "end", "up", "enter"))


def test_what_the_columns_mean(snap_compare: Compare) -> None:
    assert snap_compare(an_app(ONE_ROUND, WHOLE_S), terminal_size=(80, 24), run_before=on("results", "question_mark"))


def test_export(snap_compare: Compare) -> None:
    assert snap_compare(an_app(ONE_ROUND, WHOLE_S), terminal_size=(80, 24), run_before=on("results", "x"))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
def test_answers(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(ONE_ROUND, WHOLE_S), terminal_size=size, run_before=on("results", "4", "right"))
