from __future__ import annotations

from llmtui.tui.app import LlmtuiApp
from llmtui.tui.host import SessionEntry
from llmtui.tui.screens.history import HistoryScreen
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink, an_ollama, engine_beside
from tests.tui.sessions import a_session

ENTRIES = (
    SessionEntry(
        session_id="complete",
        wall_ns=1_795_000_000 * 10**9,
        models=("llama3:8b", "mistral:7b"),
        trials=36,
        rounds=2,
        finished="complete",
    ),
    SessionEntry(session_id="broken-off", wall_ns=1_794_900_000 * 10**9, models=("phi3",), trials=4, rounds=0),
    SessionEntry(
        session_id="bad", wall_ns=0, models=(), trials=0, rounds=0, problem="Its journal is of a newer version."
    ),
)


def app_with(entries: tuple[SessionEntry, ...]) -> LlmtuiApp:
    events = tuple(a_session())
    saved = {
        name: lambda: FakeLink(*events, is_live=False, accepts_commands=False) for name in ("complete", "broken-off")
    }
    return LlmtuiApp(FakeHost(engine_beside(an_ollama), entries=entries, saved_sessions=saved))


def history(app: LlmtuiApp) -> HistoryScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, HistoryScreen)
    return screen


async def test_without_sessions_it_says_where_they_will_be() -> None:
    app = app_with(())
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await wait_until(pilot, lambda: "No sessions yet" in str(history(app).query_one("#no-sessions").render()))
        assert "results" in str(history(app).query_one("#no-sessions").render())


async def test_sessions_are_listed_with_how_they_ended() -> None:
    app = app_with(ENTRIES)
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await wait_until(pilot, lambda: history(app).table.row_count == 3)
        rows = [" ".join(str(cell) for cell in history(app).table.get_row_at(n)) for n in range(3)]
    assert "complete" in rows[0]
    assert "llama3:8b, mistral:7b" in rows[0]
    assert "interrupted" in rows[1]
    assert "cannot be read" in rows[2]


async def test_enter_opens_one_and_escape_comes_back() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f5")
        await wait_until(pilot, lambda: history(app).table.row_count == 3)
        await pilot.press("enter")
        await wait_until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is history(app))


async def test_one_that_cannot_be_read_says_why() -> None:
    app = app_with(ENTRIES)
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await wait_until(pilot, lambda: history(app).table.row_count == 3)
        await pilot.press("end", "enter")
        await wait_until(pilot, lambda: app._notifications)
        assert [note.message for note in app._notifications] == ["Its journal is of a newer version."]
