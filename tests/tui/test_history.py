"""History as a place to work: found, sorted, opened, named, deleted and taken back, by keyboard and by mouse."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Static

from llmtui.core.across import COMPARED, compare_sessions
from llmtui.core.commands import Command, ResumeSession, SetServer
from llmtui.core.differences import Difference
from llmtui.core.events import CommandFailed, Event, SessionOpened
from llmtui.core.pairs import PairVerdict
from llmtui.core.records import Problem
from llmtui.core.session import fold
from llmtui.core.trend import FigureTrend, TrendLine, TrendPoint, TrendSession
from llmtui.store.compared import ComparedSessions
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.host import SessionEntry
from llmtui.tui.screens.dialogs import ConfirmDialog
from llmtui.tui.screens.export import ExportDialog
from llmtui.tui.screens.history import HistoryScreen
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.screens.results_dialogs import Reading
from llmtui.tui.screens.resuming import ResumeDialog
from llmtui.tui.screens.session_dialogs import LabelDialog
from llmtui.tui.widgets.nav_bar import NavBar
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink, an_ollama, engine_beside, replace
from tests.tui.sessions import a_plan, a_session

VERDICT = PairVerdict(
    first=1, second=0, figure="decode_tps", n=3, ratio=1.69, low=1.68, high=1.70, p_adjusted=0.001, word="faster"
)
ENTRIES = (
    SessionEntry(
        session_id="complete",
        wall_ns=1_795_000_000 * 10**9,
        models=("llama3:8b", "mistral:7b"),
        trials=36,
        ok=35,
        finished="complete",
        duration_s=460,
        server="Ollama 0.34.4",
        llmtui="0.1.0",
        verdict=VERDICT,
    ),
    SessionEntry(
        session_id="unanswered",
        wall_ns=1_794_950_000 * 10**9,
        models=("nosuch",),
        trials=6,
        finished="complete",
        duration_s=2,
        server="Ollama 0.34.4",
        llmtui="0.1.0",
    ),
    SessionEntry(
        session_id="broken-off", wall_ns=1_794_900_000 * 10**9, models=("phi3",), trials=4, ok=4, note="on battery"
    ),
    SessionEntry(session_id="elsewhere", wall_ns=1_794_800_000 * 10**9, models=("phi3",), trials=2, ok=2, running=True),
    SessionEntry(session_id="bad", wall_ns=0, models=(), trials=0, problem="Its journal is of a newer version."),
)


def app_with(entries: tuple[SessionEntry, ...]) -> LlmtuiApp:
    events = tuple(a_session())
    saved = {
        name: lambda: FakeLink(*events, is_live=False, accepts_commands=False) for name in ("complete", "broken-off")
    }
    return LlmtuiApp(FakeHost(engine_beside(an_ollama), entries=entries, saved_sessions=saved))


def host_of(app: LlmtuiApp) -> FakeHost:
    assert isinstance(app.host, FakeHost)
    return app.host


def history(app: LlmtuiApp) -> HistoryScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, HistoryScreen)
    return screen


def listed(app: LlmtuiApp) -> list[str]:
    return [line.entry.session_id for line in history(app).table.items]


def line(app: LlmtuiApp) -> str:
    return str(history(app).query_one("#history-line", Static).render())


async def begin(pilot: Pilot[Any], entries: tuple[SessionEntry, ...] = ENTRIES) -> None:
    app = pilot.app
    assert isinstance(app, LlmtuiApp)
    await pilot.press("f5")
    await wait_until(pilot, lambda: isinstance(app.screen, HistoryScreen))
    await wait_until(pilot, lambda: history(app).query("#history-line") and len(listed(app)) == len(entries))
    await pilot.pause()


async def test_without_sessions_it_says_where_they_will_be() -> None:
    app = app_with(())
    async with app.run_test() as pilot:
        await pilot.press("f5")
        await wait_until(pilot, lambda: "No sessions yet" in str(history(app).query_one("#no-sessions").render()))
        assert "results" in str(history(app).query_one("#no-sessions").render())


async def test_a_line_says_how_it_ended_and_who_is_the_fastest() -> None:
    app = app_with(ENTRIES)
    async with app.run_test() as pilot:
        await begin(pilot)
        cells = {one.entry.session_id: one.cells for one in history(app).table.items}
    assert cells["complete"]["verdict"] == "● mistral:7b 1.69×"
    assert (cells["complete"]["ok"], cells["complete"]["state"]) == ("35/36", "✓ complete")
    assert (cells["complete"]["duration"], cells["complete"]["server"]) == ("7 min 40 s", "Ollama 0.34.4")
    assert cells["unanswered"]["state"] == "✗ no answers"
    assert cells["broken-off"]["state"] == "◐ interrupted"
    assert cells["elsewhere"]["state"] == "▶ running"
    assert cells["bad"]["state"] == "✗ cannot be read"


# --- opening, and the way back ---


async def test_a_saved_session_is_a_place_of_its_own_inside_the_history() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        assert "History › " in str(app.screen.query_one(NavBar).render())
        assert next(iter(app.screen.active_bindings.values())) is not None
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is history(app))


@pytest.mark.parametrize("away", [(), ("f2",)])
async def test_f5_lists_wherever_one_is(away: tuple[str, ...]) -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen))
        for key in away:
            await pilot.press(key)
            await pilot.pause()
        await pilot.press("f5")
        await wait_until(pilot, lambda: isinstance(app.screen, HistoryScreen))


async def test_a_click_on_history_lists() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen) and app.screen.query(NavBar))
        await pilot.pause()
        bar = app.screen.query_one(NavBar)
        await pilot.click(bar, offset=(str(bar.render()).index("History") + 2, 0))
        await wait_until(pilot, lambda: isinstance(app.screen, HistoryScreen))


# --- an interrupted one goes on ---


def resumes(*replies: Event) -> Any:
    """Answer like an engine beside an Ollama server that replies to each resuming with the next of ``replies``."""
    left = list(replies)

    def answer(command: Command) -> tuple[Event, ...]:
        return (left.pop(0),) if isinstance(command, ResumeSession) else an_ollama(command)

    return answer


async def ask_about(pilot: Pilot[Any], session: str) -> None:
    """Press Enter on a session, and wait for the question."""
    app = pilot.app
    assert isinstance(app, LlmtuiApp)
    await begin(pilot)
    await pilot.press(*["down"] * listed(app).index(session), "enter")
    await wait_until(pilot, lambda: isinstance(app.screen, ResumeDialog) and app.screen.query(Button))


OPENED = SessionOpened(session_id="broken-off", folder="results/broken-off")


async def test_enter_on_an_interrupted_session_runs_its_rest() -> None:
    link = engine_beside(resumes(OPENED))
    app = LlmtuiApp(FakeHost(link, entries=ENTRIES))
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_about(pilot, "broken-off")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.current_mode == "live")
    assert link.sent_of(SetServer)[-1].address_source == "session"
    assert [(one.folder, one.accept_changes) for one in link.sent_of(ResumeSession)] == [("results/broken-off", False)]


async def test_what_has_changed_since_is_said_and_asked_about() -> None:
    rebuilt = Problem(code="model_rebuilt", args={"name": "phi3"})
    server = Problem(code="server_changed", args={"then": "0.34.4", "now": "0.35.0"}, cause=rebuilt)
    changed = CommandFailed(command="ResumeSession", problem=Problem(code="resume_changed", cause=server))
    link = engine_beside(resumes(changed, OPENED))
    app = LlmtuiApp(FakeHost(link, entries=ENTRIES))
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_about(pilot, "broken-off")
        await pilot.press("enter")
        await wait_until(pilot, lambda: type(app.screen) is ConfirmDialog and app.screen.query(Button))
        words = str(app.screen.query_one(Static).render())
        assert "0.34.4" in words
        assert "0.35.0" in words
        assert "The build of phi3 has changed" in words
        await pilot.press("y")
        await wait_until(pilot, lambda: app.current_mode == "live")
    assert [one.accept_changes for one in link.sent_of(ResumeSession)] == [False, True]


async def test_who_declines_the_changes_runs_nothing() -> None:
    changed = CommandFailed(command="ResumeSession", problem=Problem(code="resume_changed"))
    link = engine_beside(resumes(changed))
    app = LlmtuiApp(FakeHost(link, entries=ENTRIES))
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_about(pilot, "broken-off")
        await pilot.press("enter")
        await wait_until(pilot, lambda: type(app.screen) is ConfirmDialog and app.screen.query(Button))
        await pilot.press("enter")
        await wait_until(pilot, lambda: app.screen is history(app))
    assert len(link.sent_of(ResumeSession)) == 1


async def test_one_with_nothing_left_says_so() -> None:
    nothing = Problem(code="nothing_left", args={"folder": "results/broken-off"})
    app = LlmtuiApp(
        FakeHost(engine_beside(resumes(CommandFailed(command="ResumeSession", problem=nothing))), entries=ENTRIES)
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_about(pilot, "broken-off")
        await pilot.press("enter")
        await wait_until(pilot, lambda: app._notifications)
        assert "every planned trial has a result" in next(iter(app._notifications)).message
        assert app.screen is history(app)


async def test_the_results_of_an_interrupted_session_can_be_opened_instead() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_about(pilot, "broken-off")
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is history(app))
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ResumeDialog) and app.screen.query(Button))
        await pilot.press("n")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen))


async def test_one_that_another_program_runs_is_followed() -> None:
    events = list(a_session(a_plan("llama3:8b")))
    half = len(events) // 2
    link = FakeLink(*events[:half], accepts_commands=False)
    host = FakeHost(engine_beside(an_ollama), entries=ENTRIES, saved_sessions={"elsewhere": lambda: link})
    app = LlmtuiApp(host)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press(*["down"] * listed(app).index("elsewhere"), "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen) and app.screen.feed.session is not None)
        screen = app.screen
        assert isinstance(screen, ResultsScreen)
        assert screen.feed.is_live
        link.play(*events[half:])
        await wait_until(pilot, lambda: screen.feed.session is not None and screen.feed.session.finished == "complete")
        await pilot.press("escape")
        await wait_until(pilot, link.closed.is_set)


async def test_one_that_cannot_be_read_says_why() -> None:
    app = app_with(ENTRIES)
    async with app.run_test() as pilot:
        await begin(pilot)
        await pilot.press("end", "enter")
        await wait_until(pilot, lambda: app._notifications)
        assert [note.message for note in app._notifications] == ["Its journal is of a newer version."]


async def test_a_second_click_on_a_line_opens_it() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        table = history(app).table
        await pilot.click(table, offset=(10, 3))
        assert table.entry is not None
        assert table.entry.session_id == "broken-off"
        await pilot.click(table, offset=(10, 3))
        await wait_until(pilot, lambda: isinstance(app.screen, ResumeDialog))


# --- finding ---


async def test_the_filter_narrows_with_every_key() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("slash", *"phi3")
        await wait_until(pilot, lambda: listed(app) == ["broken-off", "elsewhere"])
        assert "2 shown" in line(app)
        await pilot.press("space", *"batt")
        await wait_until(pilot, lambda: listed(app) == ["broken-off"])
        await pilot.press("enter", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, ResumeDialog))


async def test_escape_takes_the_filter_away_and_then_goes_to_setup() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("slash", *"phi3", "down", "escape")
        await wait_until(pilot, lambda: len(listed(app)) == len(ENTRIES))
        assert not history(app).query_one(Input).display
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.current_mode == "setup")


async def test_the_comma_and_a_click_on_a_head_sort() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(140, 36)) as pilot:
        await begin(pilot)
        table = history(app).table
        assert table.columns[1].head.endswith("▾"), "the newest first, before anything is chosen"
        await pilot.press("comma", "comma")
        await pilot.pause()
        assert table.sorting is not None
        assert table.sorting.column == "name"
        edge = sum(one.width + 2 for one in table.columns[:6])
        await pilot.click(table, offset=(edge + 1, 0))
        await wait_until(pilot, lambda: table.sorting is not None and table.sorting.column == "duration")
        assert listed(app)[:2] == ["complete", "unanswered"]
        await pilot.click(table, offset=(edge + 1, 0))
        await wait_until(pilot, lambda: listed(app)[:2] == ["unanswered", "complete"])


# --- over time ---


def a_trend() -> FigureTrend:
    sessions = (
        TrendSession(session_id="1", wall_ns=10**18),
        TrendSession(
            session_id="2",
            wall_ns=10**18 + 86_400 * 10**9,
            changed=(Difference(aspect="server_version", before="1.0", after="2.0"),),
        ),
    )
    points = (
        TrendPoint(session=0, value=10.0, low=9.9, high=10.1, rounds=5),
        TrendPoint(session=1, value=9.0, low=8.9, high=9.1, rounds=5),
    )
    return FigureTrend(figure="decode_tps", sessions=sessions, lines=(TrendLine(label="phi3", points=points),))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_marked_sessions_are_drawn_over_time(size: tuple[int, int]) -> None:
    app = app_with(ENTRIES)
    host_of(app).trends_found = (a_trend(),)
    async with app.run_test(size=size) as pilot:
        await begin(pilot)
        await pilot.press("space", "down", "space", "t")
        await wait_until(pilot, lambda: isinstance(app.screen, Reading) and app.screen.query(Static))
        words = str(app.screen.query_one(Static).render())
        assert len(host_of(app).trends_of[0]) == 2
        lines = words.splitlines()
        [change] = [at for at, one in enumerate(lines) if "1.0 → 2.0" in one]
        assert "10.0" in lines[change - 1]
        assert "9.00" in lines[change + 1]
        assert all(mark in lines[change + 1] for mark in "├●┤")
        assert max(len(one) for one in lines if "●" in one) <= app.screen.query_one(Static).size.width
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is history(app))


async def test_without_a_figure_there_is_no_trend() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("t")
        await wait_until(pilot, lambda: app._notifications)
        assert host_of(app).trends_of == [("complete",)]


# --- naming, deleting, exporting ---


async def test_a_name_and_a_note_are_kept() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("n")
        await wait_until(pilot, lambda: isinstance(app.screen, LabelDialog))
        await pilot.press(*"fast", "down", *"new", "enter")
        await wait_until(pilot, lambda: history(app).table.items[0].cells["name"] == "fast")
        assert history(app).table.items[0].entry.note == "new"


async def test_a_deleted_session_is_in_the_trash_and_comes_back() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("down", "delete")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await wait_until(pilot, lambda: "unanswered" not in listed(app))
        assert list(host_of(app).trash) == ["unanswered"]
        await pilot.press("u")
        await wait_until(pilot, lambda: "unanswered" in listed(app))
        assert not history(app).check_action("undo", ())


async def test_nothing_is_deleted_where_the_harmless_button_is_clicked() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("delete")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog) and app.screen.query(Button))
        await pilot.click("#no")
        await wait_until(pilot, lambda: app.screen is history(app))
        assert len(listed(app)) == len(ENTRIES)
        assert not host_of(app).trash


async def test_marked_sessions_are_deleted_together_and_one_that_runs_says_why_it_stays() -> None:
    app = app_with(ENTRIES)
    host_of(app).undeletable = {"elsewhere"}
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("space", "down", "down", "space")
        await wait_until(pilot, lambda: "2 marked" in line(app))
        await pilot.press("delete")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("y")
        await wait_until(pilot, lambda: "complete" not in listed(app))
        assert "elsewhere" in listed(app)
        assert any("still running" in note.message for note in app._notifications)


async def test_all_marked_sessions_are_exported() -> None:
    app = app_with(ENTRIES)
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("space", "down", "space", "x")
        await wait_until(pilot, lambda: isinstance(app.screen, ExportDialog))
        await pilot.pause()
        await pilot.press("down", "enter")
        await wait_until(pilot, lambda: host_of(app).exported)
        assert host_of(app).exported == [(("complete", "broken-off"), "csv", "sessions.csv")]


async def test_marked_sessions_are_compared_with_the_oldest() -> None:
    app = app_with(ENTRIES)
    host_of(app).compared = compared()
    async with app.run_test(size=(120, 36)) as pilot:
        await begin(pilot)
        await pilot.press("c")
        await wait_until(pilot, lambda: app._notifications)
        assert any("two or more" in note.message for note in app._notifications)
        await pilot.press("space", "down", "space", "c")
        await wait_until(pilot, lambda: isinstance(app.screen, Reading))
        said = str(app.screen.query(Static).first().render())
        assert said.startswith("A  ")
        assert "B ÷ A" in said
        assert "llama3:8b" in said


def compared() -> tuple[ComparedSessions, ...]:
    """A session of three rounds compared with one just like it."""
    before = fold(a_session(a_plan(rounds=3)))
    assert before is not None
    after = replace(before, session_id="later")
    comparison = compare_sessions(before, after, noise={}, figures=COMPARED, comparisons=1)
    return (ComparedSessions(before=before, after=after, comparison=comparison),)
