"""The demo's text on the Live screen: held back, labelled, and never in the way of what is measured."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from llmtui.core.events import Chunks, TrialStarted
from llmtui.core.plan import Contender, Model, Plan, Variant
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.live import LiveScreen
from llmtui.tui.text.demo_pace import SLOWED
from tests.core.made import MS, finished, plan, started, trial
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink

STEP_MS = 10.0
WORDS = ("alpha ", "bravo ", "charlie ", "delta ")


def demo_plan() -> Plan:
    model = Model(name="demo", digest="d", backend="builtin", note="built-in demo")
    return plan(contenders=(Contender(model=model, variant=Variant(), label="built-in demo"),), rounds=1, max_rounds=1)


PLAN = demo_plan()
FIRST, SECOND = trial(PLAN, which=0), trial(PLAN, which=1)


def text(of: str, *words: str) -> Chunks:
    return Chunks(
        trial_id=of, chunks=tuple((round((5 + at * STEP_MS) * MS), "a", word) for at, word in enumerate(words))
    )


class Shown:
    """A run of the demo, on the Live screen, with a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 50.0
        monkeypatch.setattr("llmtui.tui.screens.live.monotonic", lambda: self.now_s)
        self.link = FakeLink()
        self.app = LlmtuiApp(FakeHost(self.link))

    async def begin(self, pilot: Pilot[Any]) -> LiveScreen:
        self.app.show("live")
        await wait_until(pilot, lambda: isinstance(self.app.screen, LiveScreen))
        self.link.play(started(PLAN), TrialStarted(t_ns=1_000, trial=FIRST, order=1, total=6))
        await wait_until(pilot, lambda: self.app.feed.session is not None and self.app.feed.session.current)
        return self.screen

    @property
    def screen(self) -> LiveScreen:
        assert isinstance(self.app.screen, LiveScreen)
        return self.app.screen

    @property
    def text(self) -> str:
        self.screen.pane.flush()
        return self.screen.pane.text.extract((0, 0), None)

    async def after(self, pilot: Pilot[Any], seconds: float, what: str) -> None:
        self.now_s += seconds
        await wait_until(pilot, lambda: what in self.text)


async def test_it_comes_at_a_twentieth_of_its_speed_under_a_label(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown(monkeypatch)
    async with shown.app.run_test(size=(120, 36)) as pilot:
        await shown.begin(pilot)
        shown.link.play(text(FIRST.id, *WORDS))
        await wait_until(pilot, lambda: "alpha" in shown.text)
        assert "bravo" not in shown.text
        assert str(shown.screen.pane.border_title).endswith(" · shown 20× slower")
        await shown.after(pilot, STEP_MS / 1000 * SLOWED, "bravo")
        assert "charlie" not in shown.text
        await shown.after(pilot, 2 * STEP_MS / 1000 * SLOWED, "delta")
        await wait_until(pilot, lambda: "slower" not in str(shown.screen.pane.border_title))


async def test_its_end_is_told_below_its_text_and_its_figures_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown(monkeypatch)
    async with shown.app.run_test(size=(120, 36)) as pilot:
        screen = await shown.begin(pilot)
        shown.link.play(text(FIRST.id, *WORDS), finished(PLAN, FIRST, ttft_ms=5, token_ms=STEP_MS))
        await wait_until(pilot, lambda: screen.table.row_count == 1)
        await wait_until(pilot, lambda: "alpha" in shown.text)
        assert float(screen.figures.speed.digits.value) == pytest.approx(100), "the true speed"
        assert "128 tokens" not in shown.text
        await shown.after(pilot, 1.0, "128 tokens")
        assert shown.text.index("delta") < shown.text.index("128 tokens")


async def test_the_next_tests_text_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Shown(monkeypatch)
    async with shown.app.run_test(size=(120, 36)) as pilot:
        await shown.begin(pilot)
        shown.link.play(text(FIRST.id, *WORDS))
        await wait_until(pilot, lambda: "alpha" in shown.text)
        shown.link.play(
            finished(PLAN, FIRST),
            TrialStarted(t_ns=2_000, trial=SECOND, order=2, total=6),
            text(SECOND.id, "echo ", "foxtrot "),
        )
        await pilot.pause()
        assert "echo" not in shown.text
        await shown.after(pilot, 1.0, "echo")
        await shown.after(pilot, 1.0, "foxtrot")
        places = [shown.text.index(word) for word in ("delta", "128 tokens", "echo", "foxtrot")]
        assert places == sorted(places)
