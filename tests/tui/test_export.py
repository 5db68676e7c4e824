"""The export window and the copy key, in Results and in History."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.export import ExportDialog
from llmtui.tui.screens.results import ResultsScreen
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.sessions import a_plan, a_session

EVENTS = a_session(a_plan(rounds=1))


class Exporting:
    """The results of a saved session, with the window over them."""

    def __init__(self, **host: Any) -> None:
        link = FakeLink(*EVENTS, is_live=False)
        link.name = "results/20261122T224107Z-ab12/events.jsonl"
        self.host = FakeHost(FakeLink(), saved_sessions={"one": lambda: link}, **host)
        self.app = LlmtuiApp(self.host)

    async def begin(self, pilot: Pilot[Any], *keys: str) -> None:
        await pilot.pause()
        self.app.open_session("one", "26 Nov 10:38")
        await wait_until(pilot, lambda: isinstance(self.app.screen, ResultsScreen) and self.app.screen.query("#models"))
        screen = self.app.screen
        assert isinstance(screen, ResultsScreen)
        await wait_until(pilot, lambda: screen.models.board.row_count == 3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()

    async def window(self, pilot: Pilot[Any]) -> ExportDialog:
        await wait_until(pilot, lambda: isinstance(self.app.screen, ExportDialog))
        await pilot.pause()
        window = self.app.screen
        assert isinstance(window, ExportDialog)
        return window

    def has_said(self, words: str) -> bool:
        return words in self.said()

    def said(self) -> str:
        return str(self.app.screen.query_one("#export-said", Static).render())


async def test_this_table_is_written_with_its_figures_and_without_bars_and_signs() -> None:
    exporting = Exporting()
    async with exporting.app.run_test(size=(120, 36)) as pilot:
        await exporting.begin(pilot, "x")
        window = await exporting.window(pilot)
        assert window.query_one(Input).value == "20261122T224107Z-ab12-table.csv"
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(exporting.app.screen, ResultsScreen))
        [table] = exporting.host.tables
        assert len(table) == 4, "a head and three models"
        assert {"llama3:8b", "mistral:7b"} <= {cell for row in table for cell in row}
        assert len({len(row) for row in table}) == 1
        assert "Speed tok/s" in table[0]
        assert not set("█▌▾▴●◐○!") & set("".join(cell for row in table for cell in row))


async def test_a_form_is_chosen_by_the_arrows_and_its_file_is_named_after_it() -> None:
    exporting = Exporting()
    async with exporting.app.run_test(size=(80, 24)) as pilot:
        await exporting.begin(pilot, "x")
        window = await exporting.window(pilot)
        await pilot.press("down", "down", "down", "down")
        await pilot.pause()
        assert window.query_one(Input).value == "20261122T224107Z-ab12.html"
        await pilot.press("enter")
        await wait_until(pilot, lambda: exporting.host.exported)
        source = "results/20261122T224107Z-ab12/events.jsonl"
        assert exporting.host.exported == [((source,), "html", "20261122T224107Z-ab12.html")]


async def test_a_form_is_chosen_by_a_click() -> None:
    exporting = Exporting()
    async with exporting.app.run_test(size=(80, 24)) as pilot:
        await exporting.begin(pilot, "x")
        window = await exporting.window(pilot)
        await pilot.click(window.query_one(OptionList), offset=(2, 3))
        await wait_until(pilot, lambda: exporting.host.exported)
        assert exporting.host.exported[0][1] == "json"


async def test_a_file_that_is_there_is_replaced_only_by_a_second_enter() -> None:
    exporting = Exporting()
    exporting.host.files.add("mine.csv")
    async with exporting.app.run_test(size=(80, 24)) as pilot:
        await exporting.begin(pilot, "x")
        window = await exporting.window(pilot)
        await pilot.press("down", "tab")
        window.query_one(Input).value = "mine.csv"
        await pilot.press("enter")
        await wait_until(pilot, lambda: "already exists" in exporting.said())
        assert exporting.host.exported == []
        await pilot.press("enter")
        await wait_until(pilot, lambda: exporting.host.exported)


async def test_another_name_is_asked_about_again() -> None:
    exporting = Exporting()
    exporting.host.files |= {"mine.csv", "yours.csv"}
    async with exporting.app.run_test(size=(80, 24)) as pilot:
        await exporting.begin(pilot, "x")
        window = await exporting.window(pilot)
        for name in ("mine.csv", "yours.csv"):
            window.query_one(Input).value = name
            await pilot.press("enter")
            await wait_until(pilot, partial(exporting.has_said, name))
        assert exporting.host.exported == []


async def test_what_cannot_be_written_says_why_and_asks_again() -> None:
    exporting = Exporting(export_problem="The folder /nowhere does not exist. Choose another one.")
    async with exporting.app.run_test(size=(80, 24)) as pilot:
        await exporting.begin(pilot, "x")
        await exporting.window(pilot)
        await pilot.press("enter")
        await wait_until(pilot, lambda: "The folder /nowhere does not exist" in exporting.said())
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(exporting.app.screen, ResultsScreen))


async def test_the_llama_bench_table_is_copied_and_the_terminal_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporting = Exporting()
    copied: list[str] = []
    monkeypatch.setattr(exporting.app, "copy_to_clipboard", copied.append)
    async with exporting.app.run_test(size=(80, 24)) as pilot:
        await exporting.begin(pilot, "y")
        await wait_until(pilot, lambda: copied and exporting.app._notifications)
        assert copied == ["| model | of results/20261122T224107Z-ab12/events.jsonl |"]
        [toast] = exporting.app._notifications
        assert "If nothing can be pasted" in toast.message
