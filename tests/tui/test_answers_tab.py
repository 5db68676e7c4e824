"""The Answers tab: what the models wrote, side by side where there is room."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Markdown, Static

from llmtui.core.events import Event, TrialFinished
from llmtui.core.planning import make_free_plan
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.widgets.answers_tab import AnswerColumn, AnswersTab
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink, a_model, a_pack, replace
from tests.tui.sessions import a_plan, a_session

EVENTS = a_session(a_plan(rounds=1))
HOSTILE = (
    "[red]red[/red] **bold** [a link](https://example.org) <script>alert(1)</script> \x1b[31m [@click=app.quit]x[/]"
)


def with_text(events: list[Event], text: str) -> list[Event]:
    """Every trial has written this."""

    def rewritten(event: Event) -> Event:
        if not isinstance(event, TrialFinished):
            return event
        timeline = replace(
            event.timeline, t_ns=(event.timeline.t_ns[-1],), chars=(len(text),), channels="a", server_ns=None
        )
        return replace(event, text=text, timeline=timeline)

    return list(map(rewritten, events))


class Reading:
    """The answers of a saved session."""

    def __init__(self, events: list[Event]) -> None:
        host = FakeHost(FakeLink(), saved_sessions={"one": lambda: FakeLink(*events, is_live=False)})
        self.app = LlmtuiApp(host)

    @property
    def tab(self) -> AnswersTab:
        assert isinstance(self.app.screen, ResultsScreen)
        return self.app.screen.answers

    async def begin(self, pilot: Pilot[Any], *keys: str) -> None:
        await pilot.pause()
        self.app.open_session("one", "26 Nov 10:38")
        await wait_until(
            pilot, lambda: isinstance(self.app.screen, ResultsScreen) and self.app.screen.query(AnswersTab)
        )
        await wait_until(pilot, lambda: self.app.screen.query_one(AnswersTab)._session is not None)
        for key in keys:
            await pilot.press(key)
        await wait_until(pilot, lambda: self.tab.current is not None)
        await pilot.pause()

    def shown(self) -> list[str]:
        return [str(column.border_title) for column in self.tab.query(AnswerColumn) if column.display]

    def current(self) -> str:
        assert self.tab.current is not None
        return self.tab.current[0]

    def prompt(self) -> str:
        return str(self.tab.query_one("#answers-prompt", Static).render())


@pytest.mark.parametrize(("size", "columns"), [((80, 24), 2), ((140, 40), 3)])
async def test_answers_are_side_by_side_where_there_is_room(size: tuple[int, int], columns: int) -> None:
    reading = Reading(EVENTS)
    async with reading.app.run_test(size=size) as pilot:
        await reading.begin(pilot, "4")
        assert len(reading.shown()) == columns
        assert reading.shown()[0].startswith("llama3:8b")
        figures = str(reading.tab.query(".answer-figures").first(Static).render())
        assert "TTFT " in figures
        assert "tok/s" in figures
        assert figures.endswith("127 tok")


async def test_arrows_go_to_the_next_model_and_brackets_to_the_next_prompt() -> None:
    reading = Reading(EVENTS)
    async with reading.app.run_test(size=(80, 24)) as pilot:
        await reading.begin(pilot, "4", "right", "right")
        await wait_until(pilot, lambda: reading.current().startswith("qwen3:4b"))
        assert [name.split()[0] for name in reading.shown()] == ["mistral:7b", "qwen3:4b"]
        assert "1/4" in reading.prompt()
        await pilot.press("right_square_bracket")
        await wait_until(pilot, lambda: "2/4" in reading.prompt())
        await pilot.press("left_square_bracket", "left_square_bracket")
        await wait_until(pilot, lambda: "4/4" in reading.prompt())


async def test_a_click_makes_an_answer_the_current_one_and_y_copies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(EVENTS)
    copied: list[str] = []
    monkeypatch.setattr(reading.app, "copy_to_clipboard", copied.append)
    async with reading.app.run_test(size=(140, 40)) as pilot:
        await reading.begin(pilot, "4")
        await pilot.click(reading.tab.query(AnswerColumn)[1], offset=(5, 8))
        await wait_until(pilot, lambda: reading.current() == "mistral:7b")
        await pilot.press("y")
        await wait_until(pilot, lambda: copied)
        assert copied == [reading.tab.current[1] if reading.tab.current else None]
        assert any("mistral:7b" in toast.title for toast in reading.app._notifications)


async def test_a_hostile_answer_is_only_text(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(with_text(EVENTS, HOSTILE))
    opened: list[str] = []
    monkeypatch.setattr(reading.app, "open_url", lambda url, **_more: opened.append(url))
    async with reading.app.run_test(size=(140, 40)) as pilot:
        await reading.begin(pilot, "4")
        column = reading.tab.query(AnswerColumn)[0]
        await wait_until(pilot, lambda: column.query_one(Markdown).children)
        assert reading.tab.current is not None
        assert "\x1b" not in reading.tab.current[1]
        for x in range(2, column.size.width - 2, 3):
            for y in (3, 4, 5):
                await pilot.click(column, offset=(x, y))
        assert opened == []
        assert reading.app.is_running
        lines = [str(child.render()) for child in column.query_one(Markdown).children]
        assert any("[red]red[/red] bold a link" in line for line in lines)


def own_prompt() -> list[Event]:
    plan = make_free_plan((a_model("llama3:8b"), a_model("mistral:7b")), a_pack(), "Why is the sky blue?", server="s")
    return a_session(plan, failing=None)


async def test_the_answers_to_ones_own_prompt_come_first() -> None:
    reading = Reading(own_prompt())
    async with reading.app.run_test(size=(100, 30)) as pilot:
        await reading.begin(pilot)
        assert "Why is the sky blue?" in reading.prompt()
        assert len(reading.shown()) == 2
