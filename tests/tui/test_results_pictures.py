"""How Results looks: at the four sizes, dark, light and without colour, in both languages."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from llmtui.config import Settings
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.results import ResultsScreen
from tests.tui import made_results
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.made_results import MADE
from tests.tui.sessions import finished_trials

SIZES = [(80, 24), (100, 30), (140, 40), (200, 50)]
Compare = Callable[..., bool]

pytestmark = pytest.mark.usefixtures("still", "_utc")


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def an_app(events: list[Any], theme: str = "llmtui-dark") -> LlmtuiApp:
    link = FakeLink(*events, trials=finished_trials(events))
    return LlmtuiApp(FakeHost(link, settings=Settings(theme=theme)))


def pressed(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Go to Results, press keys, wait until all is drawn."""

    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, LlmtuiApp)
        await wait_until(pilot, lambda: app.feed.session is not None)
        app.show("results")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen) and bool(app.screen.query("Scoreboard")))
        screen = app.screen
        assert isinstance(screen, ResultsScreen)
        await wait_until(pilot, lambda: screen.models.board.row_count > 0 and bool(screen.query("KeyLine")))
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await wait_until(pilot, lambda: app.animator is None or not app.animator._animations)
        await pilot.pause()

    return before


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("made", ["three", "seven"])
def test_models(snap_compare: Compare, made: str, size: tuple[int, int]) -> None:
    assert snap_compare(an_app(MADE[made]()), terminal_size=size, run_before=pressed("1"))


@pytest.mark.parametrize("made", ["failures", "tie", "still_open", "one_round", "own_prompt"])
def test_models_in_a_small_terminal(snap_compare: Compare, made: str) -> None:
    assert snap_compare(an_app(MADE[made]()), terminal_size=(80, 24), run_before=pressed("1"))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
def test_models_in_daylight(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = an_app(made_results.three(), theme="llmtui-light")
    assert snap_compare(app, terminal_size=size, run_before=pressed("1"))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)], ids=str)
def test_models_without_colours(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(an_app(made_results.three()), terminal_size=size, run_before=pressed("1"))


def test_models_in_spanish(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "es")
    assert snap_compare(an_app(made_results.three()), terminal_size=(140, 40), run_before=pressed("1"))


def test_models_ordered_by_ttft(snap_compare: Compare) -> None:
    assert snap_compare(an_app(made_results.three()), terminal_size=(100, 30), run_before=pressed("1", "comma"))


def test_categories(snap_compare: Compare) -> None:
    assert snap_compare(an_app(made_results.three()), terminal_size=(80, 24), run_before=pressed("2"))


def test_words(snap_compare: Compare) -> None:
    assert snap_compare(an_app(made_results.three()), terminal_size=(140, 40), run_before=pressed("5"))


def test_evidence(snap_compare: Compare) -> None:
    assert snap_compare(an_app(made_results.three()), terminal_size=(100, 30), run_before=pressed("e"))


def test_while_a_round_runs(snap_compare: Compare) -> None:
    events = made_results.session_of(made_results.THREE, rounds=4, until_round=3, finish=False)
    assert snap_compare(an_app(events), terminal_size=(140, 40), run_before=pressed("1"))
