from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from llmtui.core.session import Session, fold
from llmtui.core.trial_row import TrialRow
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.answers import AnswerScreen
from llmtui.tui.screens.replay import ReplayScreen, Side
from llmtui.tui.widgets.token_pane import TokenPane
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.sessions import a_session, finished_trials

EVENTS = a_session()
TRIALS = finished_trials(EVENTS)
NOW = [100.0]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes when the test says so."""
    NOW[0] = 100.0
    monkeypatch.setattr("llmtui.tui.screens.replay.monotonic", lambda: NOW[0])


def an_app() -> LlmtuiApp:
    return LlmtuiApp(FakeHost(FakeLink()))


class Texts:
    """Texts of finished trials from a feed."""

    def trial(self, trial_id: str) -> Any:
        return TRIALS.get(trial_id)


def session() -> Session:
    folded = fold(EVENTS)
    assert folded is not None
    return folded


def row(trial_id: str) -> TrialRow:
    return next(one for one in session().rows if one.trial.id == trial_id)


async def replay(pilot: Pilot[Any], left: str, right: str) -> ReplayScreen:
    screen = ReplayScreen(Texts(), session(), (row(left), row(right)))  # type: ignore[arg-type]
    await pilot.app.push_screen(screen)
    await wait_until(pilot, lambda: screen.playing)
    return screen


async def at(pilot: Pilot[Any], screen: ReplayScreen, seconds: float) -> tuple[str, str]:
    """Let the clock come to a time; return both texts."""
    NOW[0] = 100.0 + seconds
    screen._tick()
    left, right = (text_of(side) for side in screen.sides)
    return left, right


def text_of(side: Side) -> str:
    side.pane.flush()
    return side.pane.text.extract((0, 0), None)


def clock_of(side: Side) -> str:
    return " ".join(str(side.clock.render()).split())


async def test_each_answer_appears_when_it_really_did() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await replay(pilot, "r1-m1-warm-p1", "r1-m2-warm-p1")
        assert await at(pilot, screen, 0.70) == ("", "The")
        for seconds in (3.0, 9.0, 15.0):
            shown = await at(pilot, screen, seconds)
            for text, trial in zip(shown, ("r1-m1-warm-p1", "r1-m2-warm-p1"), strict=True):
                finished = TRIALS[trial]
                chunks = sum(time <= seconds * 1e9 for time in finished.timeline.t_ns)
                expected = finished.text[: sum(finished.timeline.chars[:chunks])]
                assert text == expected


async def test_the_clocks_say_what_each_is_doing() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await replay(pilot, "r1-m1-warm-p1", "r1-m3-warm-p1")
        left, right = screen.sides
        await at(pilot, screen, 0.2)
        assert clock_of(left) == "0.2 s waiting for the first token"
        await at(pilot, screen, 2.0)
        assert clock_of(right).startswith("2.0 s TTFT 0.414 s thinking")
        await at(pilot, screen, 8.0)
        assert clock_of(right).endswith(" writing")
        await at(pilot, screen, 60)
        assert clock_of(right) == "13.3 s TTFT 0.414 s complete (length limit)"
        assert not screen.playing


async def test_thinking_is_dimmed_as_it_was_live() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await replay(pilot, "r1-m1-warm-p1", "r1-m3-warm-p1")
        await at(pilot, screen, 60)
        pane = screen.sides[1].query_one(TokenPane)
        assert {kind for line in pane.text.lines for _at, kind in line.runs} == {"thinking", "answer"}


async def test_pause_stops_the_clock_and_play_goes_on_from_there() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await replay(pilot, "r1-m1-warm-p1", "r1-m2-warm-p1")
        await at(pilot, screen, 3)
        await pilot.press("space")
        assert not screen.playing
        NOW[0] += 50
        assert screen.now_s == pytest.approx(3)
        await pilot.press("space")
        NOW[0] += 1
        assert screen.now_s == pytest.approx(4)


async def test_r_begins_anew() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await replay(pilot, "r1-m1-warm-p1", "r1-m2-warm-p1")
        await at(pilot, screen, 60)
        await pilot.press("r")
        assert screen.playing
        assert screen.now_s == 0
        assert [text_of(side) for side in screen.sides] == ["", ""]


async def test_the_quick_view_says_that_it_is_quick() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await replay(pilot, "r1-m1-warm-p1", "r1-m2-warm-p1")
        title = screen.query_one("#replay-title")
        assert "at original speed" in str(title.render())
        await at(pilot, screen, 1)
        await pilot.press("f")
        assert "at 8 × the original speed" in str(title.render())
        NOW[0] += 1
        assert screen.now_s == pytest.approx(9)


async def test_an_idle_replay_has_no_running_timer() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await replay(pilot, "r1-m1-warm-p1", "r1-m2-warm-p1")
        await at(pilot, screen, 60)
        assert screen._timer is not None
        assert not screen._timer._active.is_set()


# --- one answer ---


async def answer(pilot: Pilot[Any], trial_id: str) -> AnswerScreen:
    screen = AnswerScreen(Texts(), session(), row(trial_id))  # type: ignore[arg-type]
    await pilot.app.push_screen(screen)
    await wait_until(pilot, lambda: screen._finished is not None)
    return screen


async def test_an_answer_shows_question_text_and_figures() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await answer(pilot, "r1-m1-warm-p4")
        text = screen.pane.text.extract((0, 0), None)
        assert text.startswith("[9320] Summarise in three sentences")
        assert "Photosynthesis is how plants" in text
        details = str(screen.details.render())
        assert "Time to first token (TTFT)" in details
        assert "5.87 tok/s" in details
        assert "5.20 GB" in details


async def test_figures_are_in_groups_of_five_with_points_and_units_below_each_other() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await answer(pilot, "r1-m1-warm-p4")
        lines = str(screen.details.render()).splitlines()
        at = lines.index("Speeds") + 1
        speeds = lines[at : lines.index("", at)]
        assert 2 <= len(speeds) <= 5
        assert len({line.index(".") for line in speeds if "." in line}) == 1
        assert (
            len({line.index("/s") - len(line[: line.index("/s")].split()[-1]) for line in speeds if "/s" in line}) == 1
        )
        assert any(line.split(maxsplit=2)[:2] == ["Random", "tag"] and "[9320]" in line for line in lines)


async def test_in_a_low_window_the_prompt_is_one_line_until_p() -> None:
    async with an_app().run_test(size=(80, 24)) as pilot:
        screen = await answer(pilot, "r1-m1-warm-p4")
        first, second, third, *_rest = screen.pane.text.extract((0, 0), None).splitlines()
        assert first.startswith("Summarise in three sentences")
        assert second == "", "the answer follows"
        assert third.startswith("Photosynthesis is how plants")
        await pilot.press("p")
        assert screen.pane.text.extract((0, 0), None).startswith("[9320] Summarise")
        await pilot.press("p")
        assert screen.pane.text.extract((0, 0), None).startswith("Summarise")


async def test_marks_are_explained_with_what_was_seen() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await answer(pilot, "r1-m1-warm-p4")
        assert "times differ: " in str(screen.details.render())
        assert "by +6.0 % from the time measured here" in str(screen.details.render())


async def test_missing_figures_stand_with_their_reason() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await answer(pilot, "r1-m2-warm-p3")
        details = str(screen.details.render())
        assert "Decode speed (TPS)" in details
        assert ": the answer was not completed" in details
        assert "Text speed, × reading" in details
        assert "The server broke the answer off after 31 chunks." in details


async def test_m_shows_the_answer_as_markdown_and_back() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await answer(pilot, "r1-m1-warm-p3")
        await pilot.press("m")
        await wait_until(pilot, lambda: bool(screen.markdown.query("MarkdownFence")))
        assert not screen.pane.is_on_screen
        await pilot.press("m")
        await wait_until(pilot, lambda: screen.pane.is_on_screen)


async def test_the_arrows_go_to_the_neighbours() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = await answer(pilot, "r1-m3-cold")
        await pilot.press("left")
        assert "trial 1 of 18" in str(screen.query_one("#answer-title").render())
        await pilot.press("right")
        assert "trial 2 of 18" in str(screen.query_one("#answer-title").render())


async def test_an_answer_is_copied_and_replayed_beside_another_models(monkeypatch: pytest.MonkeyPatch) -> None:
    app = an_app()
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(120, 36)) as pilot:
        await answer(pilot, "r1-m1-warm-p4")
        await pilot.press("y")
        await wait_until(pilot, lambda: copied)
        assert copied[0].startswith("Photosynthesis is how plants")
        await pilot.press("r")
        await wait_until(pilot, lambda: isinstance(app.screen, ReplayScreen))


async def test_a_text_that_is_gone_says_so() -> None:
    async with an_app().run_test(size=(120, 36)) as pilot:
        screen = AnswerScreen(Gone(), session(), row("r1-m1-warm-p1"))  # type: ignore[arg-type]
        await pilot.app.push_screen(screen)
        await wait_until(pilot, lambda: "cannot be read" in screen.pane.text.extract((0, 0), None))


class Gone:
    """A feed whose file is gone."""

    def trial(self, trial_id: str) -> None:
        return None
