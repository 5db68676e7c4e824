"""How much is painted while text comes, while nothing happens, and of what cannot be seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest
from textual._compositor import Compositor
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.timer import Timer
from textual.widget import Widget

from llmtui.config import Settings
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.host import ExitReport
from llmtui.tui.screens.live import LiveScreen
from llmtui.tui.widgets.machine_plots import MachinePlots
from llmtui.tui.widgets.run_pane import RunPane
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.sessions import a_session, finished_trials, start_of, until

EVENTS = a_session()
SIZE = (140, 40)
NEWS = 20
PAINTED_PER_NEWS = 2.0
"""Widgets, on average; 1.2 when this was written: the text, and once a second the seconds and the plots."""


class Painted(Counter[str]):
    """Counts repaints by the compositor, by the widget's class."""


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> Painted:
    seen = Painted()
    update = Compositor.update_widgets

    def noted(self: Compositor, widgets: set[Widget]) -> None:
        seen.update(type(widget).__name__ for widget in widgets)
        update(self, widgets)

    monkeypatch.setattr(Compositor, "update_widgets", noted)
    return seen


class Writing:
    """The Live screen while an answer is written: ``news`` lets a fifth of a second of the engine's time pass."""

    def __init__(self) -> None:
        self.link = FakeLink(trials=finished_trials(EVENTS))
        self.app = LlmtuiApp(FakeHost(self.link, settings=Settings(theme="llmtui-dark")))
        self._played = 0
        self._times: Iterator[float] = (start_of(EVENTS, "r1-m1-warm-p1") + 1 + step / 5 for step in count())

    def news(self) -> None:
        """Add more text, and machine readings."""
        now = until(EVENTS, next(self._times))
        self.link.play(*now[self._played :])
        self._played = len(now)


async def test_what_is_painted_while_text_comes(painted: Painted) -> None:
    run = Writing()
    async with run.app.run_test(size=SIZE) as pilot:
        run.app.show("live")
        run.news()
        await wait_until(pilot, lambda: isinstance(run.app.screen, LiveScreen) and run.app.screen.pane.flushes > 0)
        await pilot.pause(1.5)
        painted.clear()
        for _ in range(NEWS):
            run.news()
            await pilot.pause(0.25)
    assert painted[RunPane.__name__] >= NEWS / 4, "the text was drawn"
    assert painted.total() / NEWS <= PAINTED_PER_NEWS, painted


async def test_nothing_is_painted_while_nothing_happens(painted: Painted) -> None:
    run = Writing()
    async with run.app.run_test(size=SIZE) as pilot:
        run.app.show("live")
        run.link.play(*EVENTS)
        await wait_until(pilot, lambda: run.app.feed.session is not None and run.app.feed.session.finished is not None)
        await wait_until(pilot, lambda: not _running(run.app))
        await _comes_to_rest(pilot, painted)
        await pilot.pause(1.5)
        assert not painted
        assert not _running(run.app)


async def test_what_cannot_be_seen_is_not_painted(painted: Painted) -> None:
    run = Writing()
    async with run.app.run_test(size=SIZE) as pilot:
        run.app.show("live")
        run.news()
        await wait_until(pilot, lambda: isinstance(run.app.screen, LiveScreen) and run.app.screen.pane.flushes > 0)
        live = run.app.screen
        assert isinstance(live, LiveScreen)
        run.app.show("history")
        await wait_until(pilot, lambda: run.app.screen is not live)
        drawings, flushes = live.plots.canvas.drawings, live.pane.flushes
        painted.clear()
        for _ in range(5):
            run.news()
            await pilot.pause(0.3)
        assert live.plots.canvas.drawings == drawings
        assert live.pane.flushes == flushes
        assert not painted.keys() & {RunPane.__name__, MachinePlots.__name__, "TrialTable"}


def _running(app: LlmtuiApp) -> list[Timer]:
    """Return the ticking timers, without Textual's own that wait for a screen's next frame."""
    nodes: list[MessagePump] = [app, *app.screen_stack]
    for screen in app.screen_stack:
        nodes += screen.walk_children()
    timers = [timer for node in nodes for timer in node._timers if timer.name not in ("UpdateScreen", "auto_refresh")]
    return [timer for timer in timers if timer._active.is_set()]


async def _comes_to_rest(pilot: Pilot[ExitReport], painted: Painted) -> None:
    """Return once nothing was painted for a third of a second: a busy machine draws the last change late."""
    for _ in range(30):
        painted.clear()
        await pilot.pause(0.3)
        if not painted:
            return
