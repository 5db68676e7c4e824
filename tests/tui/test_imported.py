"""A file of another program opens in Results like any session, with its audit for conclusions."""

from __future__ import annotations

from pathlib import Path

from llmtui.core.events import TrialFinished
from llmtui.legacy.events import legacy_events
from llmtui.legacy.keeping import read_file
from llmtui.tui.app import WatchApp
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.widgets.scoreboard import Scoreboard
from llmtui.tui.widgets.words_tab import WordsTab
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink

FIXTURE = Path(__file__).parents[1] / "legacy" / "legacy.csv"


async def test_results_of_an_imported_file() -> None:
    events = legacy_events(read_file(FIXTURE), name="old.csv", session_id="x", wall_ns=10**18, version="0")
    trials = {event.trial.id: event for event in events if isinstance(event, TrialFinished)}
    link = FakeLink(*events, accepts_commands=False, trials=trials)
    app = WatchApp(FakeHost(link), link)
    async with app.run_test(size=(120, 36)) as pilot:
        await wait_until(pilot, lambda: app.feed.session is not None)
        app.show("results")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen) and bool(app.screen.query(Scoreboard)))
        await wait_until(pilot, lambda: app.screen.query_one(Scoreboard).row_count == 2)
        headings = [line.heading for line in app.screen.query_one(WordsTab).words]
        assert headings[:2] == ["What this file can show", "Decode speed"]
        assert "“beta is the fastest: 5.13 tok/s, as recorded”" in headings
