from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from llmtui.config import Settings
from llmtui.core.commands import Cancel, Command, ExtendPlan, Pause, Resume, Skip, StopWaiting
from llmtui.core.events import (
    Chunks,
    Event,
    Paused,
    PhaseChanged,
    Resumed,
    SessionFinished,
    SessionStarted,
    TrialFinished,
)
from llmtui.core.records import PhaseDetail
from llmtui.tui.app import LlmtuiApp, WatchApp
from llmtui.tui.screens.answers import AnswerScreen
from llmtui.tui.screens.live import LiveScreen
from llmtui.tui.text.live_pane import pane_title
from llmtui.tui.widgets.token_pane import TokenPane
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink, replace
from tests.tui.sessions import a_plan, a_session, finished_trials, start_of, until

EVENTS = a_session()
NOW = [100.0]


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop our clock; the engine's advances with its events."""
    NOW[0] = 100.0
    monkeypatch.setattr("llmtui.tui.widgets.phase_bar.monotonic", lambda: NOW[0])


TRIALS = finished_trials(EVENTS)


def pauses(command: Command) -> tuple[Event, ...]:
    """The engine's answer to the key that pauses."""
    if isinstance(command, Pause):
        return (Paused(t_ns=1),)
    return (Resumed(t_ns=1),) if isinstance(command, Resume) else ()


class Run:
    """The Live screen over a run that the test advances."""

    def __init__(self, *, read_only: bool = False) -> None:
        self.link = FakeLink(accepts_commands=not read_only, trials=TRIALS, answer=pauses)
        host = FakeHost(self.link, settings=Settings(theme="llmtui-dark"))
        self.app = WatchApp(host, self.link) if read_only else LlmtuiApp(host)
        self._played = 0

    def play_until(self, seconds: float) -> None:
        """Let everything happen up to this time."""
        now = until(EVENTS, seconds)
        self.link.play(*now[self._played :])
        self._played = len(now)

    async def show(self, pilot: Pilot[Any], seconds: float) -> LiveScreen:
        """Show the screen and let the run come to a time."""
        self.app.show("live")
        await wait_until(pilot, lambda: isinstance(self.app.screen, LiveScreen))
        await self.go_on(pilot, seconds)
        return self.screen

    async def go_on(self, pilot: Pilot[Any], seconds: float) -> None:
        last = self.app.feed.session
        self.play_until(seconds)
        await wait_until(pilot, lambda: self.app.feed.session is not last)
        await pilot.pause()

    @property
    def screen(self) -> LiveScreen:
        assert isinstance(self.app.screen, LiveScreen)
        return self.app.screen


def words(screen: LiveScreen) -> dict[str, str]:
    """What the lines and figures say."""
    return {
        "progress": screen.progress.render().plain,
        "phase": screen.phase.render().plain,
        "first": screen.figures.first_word.digits.value,
        "answer": screen.figures.first_answer.digits.value if screen.figures.first_answer.display else "",
        "speed": screen.figures.speed.digits.value,
    }


def pane_text(pane: TokenPane) -> str:
    pane.flush()
    return pane.text.extract((0, 0), None)


async def test_before_a_run_it_says_what_to_do() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        run.app.show("live")
        await wait_until(pilot, lambda: isinstance(run.app.screen, LiveScreen))
        await wait_until(pilot, lambda: any(one.is_on_screen for one in run.screen.query("#empty")))
        assert not run.screen.pane.is_on_screen


async def test_loading_is_told_in_figures() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 6)
        assert "Loading qwen3:4b thinking · 1.7 of 2.6 GB in memory · 4 s · about 3 s left" in words(screen)["phase"]
        assert words(screen)["progress"].startswith(
            "Round 1 of 1–5 · trial 1 of 18–90 · time left: known after the first trial"
        )
        assert words(screen)["first"] == "4"


async def test_the_seconds_go_on_while_the_server_is_silent() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 6)
        NOW[0] += 3
        screen._tick()
        assert " · 7 s · " in words(screen)["phase"]
        assert words(screen)["first"] == "7"


async def test_a_trial_of_a_loaded_model_processes_the_prompt_first() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        at = start_of(EVENTS, "r1-m1-warm-p4", "waiting")
        screen = await run.show(pilot, at + 0.6)
        assert "llama3:8b · Summary" in words(screen)["phase"]
        assert "Processing the prompt · 0 s" in words(screen)["phase"]


async def test_while_text_comes_the_first_word_is_exact_and_the_speed_an_estimate() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, start_of(EVENTS, "r1-m1-warm-p1") + 5)
        assert words(screen)["first"] == "0.747"
        assert float(words(screen)["speed"]) == pytest.approx(5.9, abs=0.2)
        assert "≈ tok/s" in str(screen.figures.speed.label.render())
        assert "The lamp had turned for forty years" in pane_text(screen.pane).replace("\n", " ")


async def test_a_model_that_thinks_has_a_third_figure() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, start_of(EVENTS, "r1-m3-warm-p1", "thinking") + 2)
        assert screen.figures.first_answer.display
        assert words(screen)["answer"] == ""
        await run.go_on(pilot, start_of(EVENTS, "r1-m3-warm-p1") + 1)
        assert words(screen)["answer"] == "5.27"


async def test_at_its_end_a_test_shows_what_its_row_shows() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 10_000)
        session = run.app.feed.session
        assert session is not None
        row = session.rows[-1]
        assert words(screen)["speed"] == f"{row.figures.decode_tps:.2f}"
        assert words(screen)["progress"].startswith("Finished · 18 of 18 trials")


async def test_the_random_tag_is_not_shown() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, start_of(EVENTS, "r1-m1-warm-p1") + 1)
        assert run.app.feed.session.current.tag is not None  # type: ignore[union-attr]
        assert "[" not in pane_text(screen.pane)


async def test_a_row_a_test_the_newest_last_with_its_kind_and_one_mark() -> None:
    run = Run()
    async with run.app.run_test(size=(160, 50)) as pilot:
        screen = await run.show(pilot, 10_000)
        table = screen.table
        rows = [[cell.plain.strip() for cell in table.get_row_at(number)] for number in range(table.row_count)]
        assert [row[0] for row in rows] == [str(number) for number in range(1, 19)]
        assert rows[0][1:4] == ["qwen3:4b thinking", "cold start", "9.51"]
        assert rows[5][2] == "follow-up: Coding"
        assert rows[16][-1] == "✗ failed"
        assert rows[16][4] == ""
        assert [row[-1] for row in rows if row[-1]] == ["✗ failed"]
        assert table.cursor_row == 17


async def test_decimal_points_stand_under_each_other() -> None:
    run = Run()
    async with run.app.run_test(size=(160, 50)) as pilot:
        screen = await run.show(pilot, 10_000)
        cells = [screen.table.get_row_at(number)[3].plain for number in range(screen.table.row_count)]
        assert len({cell.index(".") for cell in cells}) == 1


async def test_the_keys_of_a_run_send_commands() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        await run.show(pilot, 30)
        await pilot.press("p")
        await wait_until(pilot, lambda: "pauses after this trial" in words(run.screen)["progress"])
        await pilot.press("p")
        await wait_until(pilot, lambda: "pauses" not in words(run.screen)["progress"])
        await pilot.press("n", "N", "plus")
        await pilot.press("s")
        await pilot.press("y")
        await pilot.pause()
        sent = run.link.sent
        assert [type(command) for command in sent if isinstance(command, Pause | Resume)] == [Pause, Resume]
        assert run.link.sent_of(Skip) == [Skip(what="trial"), Skip(what="model")]
        assert run.link.sent_of(ExtendPlan) == [ExtendPlan(rounds=1)]
        assert run.link.sent_of(Cancel) == [Cancel()]


async def test_stop_asks_first() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        await run.show(pilot, 30)
        await pilot.press("s")
        await pilot.press("n")
        await pilot.pause()
        assert run.link.sent_of(Cancel) == []


async def test_who_only_watches_sees_a_pause() -> None:
    run = Run(read_only=True)
    async with run.app.run_test(size=(120, 36)) as pilot:
        await run.show(pilot, 30)
        run.link.play(Paused(t_ns=1))
        await wait_until(pilot, lambda: "pauses after this trial" in words(run.screen)["progress"])
        run.link.play(Resumed(t_ns=2))
        await wait_until(pilot, lambda: "pauses" not in words(run.screen)["progress"])


async def test_who_only_watches_has_no_commands() -> None:
    run = Run(read_only=True)
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 30)
        shown = {binding.binding.action for binding in screen.active_bindings.values() if binding.enabled}
        assert not shown & {"pause", "skip('trial')", "skip('model')", "stop", "one_more"}
        await pilot.press("p", "n", "N", "s", "plus")
        assert run.link.sent == []


async def test_after_a_run_the_commands_are_gone() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 10_000)
        shown = {binding.binding.action for binding in screen.active_bindings.values() if binding.enabled}
        assert not shown & {"pause", "stop"}
        assert "results" in shown


@pytest.mark.parametrize(("key", "kept"), [("1", "#text"), ("2", "#machine"), ("3", "#trials")])
async def test_a_number_shows_one_pane_alone_and_escape_all_of_them(key: str, kept: str) -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 30)
        panes = ("#text", "#machine", "#trials")
        await pilot.press(key)
        await wait_until(pilot, lambda: [pane for pane in panes if screen.query_one(pane).size.height > 15] == [kept])
        assert [pane for pane in panes if screen.query_one(pane).is_on_screen] == [kept]
        await pilot.press("escape")
        await wait_until(pilot, lambda: all(screen.query_one(pane).is_on_screen for pane in panes))


async def test_panes_can_be_hidden() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 30)
        await pilot.press("g", "t")
        await wait_until(pilot, lambda: not screen.query_one("#machine").is_on_screen)
        assert not screen.query_one("#trials").is_on_screen


async def test_enter_on_a_row_shows_all_of_the_test() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 60)
        screen.table.focus()
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(run.app.screen, AnswerScreen))


async def test_a_file_shows_its_last_test_although_no_text_came_live() -> None:
    facts = [event for event in EVENTS if not isinstance(event, Chunks)]
    link = FakeLink(*facts, is_live=False, accepts_commands=False)
    app = WatchApp(FakeHost(), link)
    async with app.run_test(size=(120, 36)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LiveScreen) and app.feed.session is not None)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        await wait_until(pilot, lambda: "def longest_palindrome" in pane_text(screen.pane))


async def test_a_new_session_begins_with_an_empty_pane() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 10_000)
        second = [as_second(event) for event in until(a_session(a_plan("llama3:8b")), 3)]
        run.link.play(*second)
        await wait_until(pilot, lambda: run.app.feed.session.session_id == "second")  # type: ignore[union-attr]
        await pilot.pause()
        assert screen.table.row_count == 0
        assert "mistral" not in pane_text(screen.pane)


def as_second(event: Event) -> Event:
    """The event as one of another session."""
    return replace(event, session_id="second") if isinstance(event, SessionStarted) else event


async def test_live_text_lays_nothing_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    layouts = 0
    lay_out = Screen._refresh_layout

    def counted(screen: Screen[Any], *args: Any, **kwargs: Any) -> None:
        nonlocal layouts
        layouts += 1
        lay_out(screen, *args, **kwargs)

    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        begin_s = start_of(EVENTS, "r1-m1-warm-p1") + 2
        screen = await run.show(pilot, begin_s)
        await pilot.pause(0.3)
        flushes = screen.pane.flushes
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        for step in range(1, 9):
            await run.go_on(pilot, begin_s + step)
        await wait_until(pilot, lambda: screen.pane.flushes > flushes + 2)
        assert layouts == 0


async def test_timers_stand_still_when_nothing_runs() -> None:
    run = Run()
    async with run.app.run_test(size=(120, 36)) as pilot:
        screen = await run.show(pilot, 30)
        assert ticking(screen)
        await run.go_on(pilot, 10_000)
        await wait_until(pilot, lambda: not ticking(screen))


def ticking(screen: LiveScreen) -> bool:
    """The second hand goes."""
    return screen._seconds is not None and screen._seconds._active.is_set()


async def test_the_strip_has_a_row_per_model_and_marks_the_one_that_writes() -> None:
    run = Run()
    async with run.app.run_test(size=(140, 40)) as pilot:
        screen = await run.show(pilot, start_of(EVENTS, "r1-m1-warm-p1") + 5)
        head, *rows = screen.strip.render().plain.splitlines()
        assert [word for word in ("model", "rounds", "Speed", "TTFT", "Memory", "now") if word not in head] == []
        assert len(rows) == 3
        [writing] = [row for row in rows if row.startswith("▶")]
        assert "llama3:8b" in writing
        assert "Creativity" in writing
        assert "/128" in writing


async def test_at_the_end_the_verdict_is_shown_and_enter_goes_to_the_results() -> None:
    run = Run()
    async with run.app.run_test(size=(140, 40)) as pilot:
        screen = await run.show(pilot, 10_000)
        await wait_until(pilot, lambda: screen.board.is_on_screen)
        assert "qwen3:4b thinking" in str(screen.board.said.render())
        assert not screen.figures.is_on_screen
        screen.pane.focus()
        await pilot.press("enter")
        await wait_until(pilot, lambda: run.app.current_mode == "results")


async def test_keys_say_what_they_will_do() -> None:
    run = Run()
    async with run.app.run_test(size=(140, 40)) as pilot:
        screen = await run.show(pilot, 30)

        def says(key: str) -> str:
            return screen.active_bindings[key].binding.description

        assert (says("p"), says("m"), says("n")) == ("Pause", "Enlarge", "Skip trial")
        await pilot.press("m")
        await wait_until(pilot, lambda: says("m") == "Shrink")
        await pilot.press("m", "p")
        await wait_until(pilot, lambda: (says("m"), says("p")) == ("Enlarge", "Resume"))


async def test_a_wait_for_other_programs_can_be_ended() -> None:
    run = Run()
    async with run.app.run_test(size=(140, 40)) as pilot:
        screen = await run.show(pilot, 30)
        assert "space" not in screen.active_bindings
        assert run.app.feed.session is not None
        run.link.play(
            PhaseChanged(
                t_ns=run.app.feed.session.last_t_ns, phase="waiting", detail=PhaseDetail(step="waiting_for_others")
            )
        )
        await wait_until(pilot, lambda: "machine busy" in words(screen)["phase"])
        assert "/8 cores · waits at most" in words(screen)["phase"]
        await pilot.press("space")
        await wait_until(pilot, lambda: run.link.sent_of(StopWaiting))


async def test_a_finished_file_shows_its_last_trial_whole_under_its_own_name() -> None:
    facts = [event for event in EVENTS if not isinstance(event, Chunks)]
    last = [event for event in facts if isinstance(event, TrialFinished)][-1]
    app = WatchApp(FakeHost(), FakeLink(*facts, is_live=False, accepts_commands=False))
    async with app.run_test(size=(140, 40)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LiveScreen) and app.feed.session is not None)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        await wait_until(pilot, lambda: last.text in pane_text(screen.pane))
        assert screen.pane.border_title == pane_title(app.feed.session, last.trial)  # type: ignore[arg-type]
        assert not screen.pane.border_subtitle


async def test_the_failed_trials_of_a_finished_file_leave_the_pane_to_its_last_trial() -> None:
    facts = [event for event in EVENTS if not isinstance(event, Chunks)]
    assert any(isinstance(event, TrialFinished) and event.outcome != "ok" for event in facts)
    last = [event for event in facts if isinstance(event, TrialFinished)][-1]
    app = WatchApp(FakeHost(), FakeLink(*facts, is_live=False, accepts_commands=False))
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LiveScreen) and app.feed.session is not None)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        await wait_until(pilot, lambda: last.text in pane_text(screen.pane))
        shown = pane_text(screen.pane)
        assert shown.startswith(pane_title(app.feed.session, last.trial))  # type: ignore[arg-type]
        assert "✗" not in shown
        assert screen.pane.scroll_offset.y == 0


async def test_a_stopped_run_says_the_round_in_which_it_stopped() -> None:
    events = a_session(a_plan(rounds=3))
    cut = start_of(events, "r2-m1-warm-p1")
    stopped = [*until(events, cut), SessionFinished(t_ns=10**15, wall_ns=1, how="cancelled")]
    facts = [event for event in stopped if not isinstance(event, Chunks)]
    done = sum(isinstance(event, TrialFinished) for event in facts)
    assert 18 < done < 36
    app = WatchApp(FakeHost(), FakeLink(*facts, is_live=False, accepts_commands=False))
    async with app.run_test(size=(120, 36)) as pilot:
        await wait_until(pilot, lambda: isinstance(app.screen, LiveScreen) and app.feed.session is not None)
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        await wait_until(pilot, lambda: f"Stopped · {done} of 54 trials" in words(screen)["progress"])
        assert words(screen)["progress"].startswith(f"Stopped · {done} of 54 trials · round 2 of 3")
