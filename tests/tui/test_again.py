"""Going on after the end: more rounds at a price, the same test again, and what changed since last time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from llmtui.core.across import Earlier
from llmtui.core.commands import ExtendPlan, StartPlan
from llmtui.core.events import (
    Event,
    PhaseChanged,
    PlanExtended,
    SessionFinished,
    SessionStarted,
    TrialFinished,
    TrialStarted,
)
from llmtui.core.plan import IMPORTED, Plan, contender_block
from llmtui.core.records import PhaseDetail
from llmtui.core.session import PhaseMark, Session, fold
from llmtui.core.verdict import verdicts
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.dialogs import ConfirmDialog
from llmtui.tui.screens.live import LiveScreen
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.screens.setup import SetupScreen
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.tui.widgets.phase_bar import asked, loading_now, step_words
from llmtui.tui.widgets.scoreboard import Scoreboard
from llmtui.tui.widgets.start_line import StartLine
from llmtui.words.more_rounds import rounds_to_settle
from tests.core.compared import compared_plan, warm
from tests.core.made import started
from tests.tui.conftest import wait_until
from tests.tui.fakes import ADDRESS, FakeHost, FakeLink, an_ollama, models, ollama_up, ready, some_models
from tests.tui.sessions import a_plan, a_session, finished_trials

SIZE = (120, 36)
S = 10**9


def apart_after(rounds: int, *, how: Any = "complete") -> list[Event]:
    """Return a session whose two models are too close to tell yet."""
    of = compared_plan("a", "b", rounds=rounds, max_rounds=rounds)
    factors = (1.0, 1.05, 0.97, 1.02, 0.99)
    events: list[Event] = [started(of)]
    for number in range(1, rounds + 1):
        for contender, base in enumerate((20.0, 18.9)):
            rate = base * factors[(number + 2 * contender) % 5]
            events += [warm(of, contender, number, which, rate) for which in range(3)]
    assert isinstance(events[-1], TrialFinished)
    return [*events, SessionFinished(t_ns=events[-1].t_ns + 1, wall_ns=1, how=how)]


class Over:
    """A session that is over, with the engine still there."""

    def __init__(self, events: list[Event], answer: Any = None, **host: Any) -> None:
        self.events = events
        self.link = FakeLink(
            ready(), ollama_up(), models(*some_models()), *events, answer=answer, trials=finished_trials(events)
        )
        self.host = FakeHost(self.link, **host)
        self.app = LlmtuiApp(self.host)

    async def results(self, pilot: Pilot[Any]) -> ResultsScreen:
        await wait_until(pilot, lambda: self.app.feed.session is not None and self.app.feed.models is not None)
        await pilot.press("f4")
        await wait_until(
            pilot, lambda: isinstance(self.app.screen, ResultsScreen) and bool(self.app.screen.query(Scoreboard))
        )
        screen = self.app.screen
        assert isinstance(screen, ResultsScreen)
        await wait_until(pilot, lambda: screen.models.board.row_count > 0)
        return screen


def said(screen: ResultsScreen) -> str:
    """Return the lines above the tabs."""
    return str(screen.holds.render())


def session_of(events: list[Event]) -> Session:
    session = fold(events)
    assert session is not None
    return session


# --- more rounds ------------------------------------------------------------------------------------------------------


async def test_plus_runs_exactly_the_rounds_that_the_open_verdict_names_and_says_their_price() -> None:
    events = apart_after(5)
    session = session_of(events)
    (verdict,) = verdicts(session)
    assert verdict.is_open
    assert verdict.more_rounds is not None
    assert verdict.more_rounds > 1
    over = Over(events)
    async with over.app.run_test(size=SIZE) as pilot:
        screen = await over.results(pilot)
        assert f"+ {verdict.more_rounds} more rounds, " in said(screen)
        [words] = [line.said for line in screen.words.words if line.heading == "Decode speed"]
        [price] = [line.split("rounds, ")[1] for line in said(screen).splitlines() if "more rounds, " in line]
        assert f"about {verdict.more_rounds} more rounds, perhaps twice that ({price})" in words, (
            "the same price in the sentence"
        )
        await pilot.press("plus")
        await wait_until(pilot, lambda: isinstance(over.app.screen, ConfirmDialog))
        asked = " ".join(str(one.render()) for one in over.app.screen.query(Static))
        assert f"{verdict.more_rounds} more rounds, {price}" in asked
        assert "Expected to settle the pairs that are still open." in asked
        await pilot.press("escape")
        assert over.link.sent_of(ExtendPlan) == [], "nothing starts before Enter"
        await pilot.press("plus", "enter")
        await wait_until(pilot, lambda: over.link.sent_of(ExtendPlan))
        assert over.link.sent_of(ExtendPlan) == [ExtendPlan(rounds=verdict.more_rounds)]
        await wait_until(pilot, lambda: isinstance(over.app.screen, LiveScreen))


async def test_after_that_the_session_runs_again_and_more_rows_come() -> None:
    events = apart_after(3)
    of = session_of(events).plan
    later = [PlanExtended(t_ns=10**15, rounds=4, why="asked for"), warm(of, 0, 4, 0, 20.0, t_ns=10**15 + 1)]
    over = Over(events, answer=lambda command: tuple(later) if isinstance(command, ExtendPlan) else ())
    async with over.app.run_test(size=SIZE) as pilot:
        await over.results(pilot)
        assert not over.app.running
        await pilot.press("plus", "enter")
        await wait_until(pilot, lambda: over.app.running)
        session = over.app.feed.session
        assert session is not None
        assert session.rounds == 4
        assert len(session.rows) == len([event for event in events if isinstance(event, TrialFinished)]) + 1


async def test_one_round_is_priced_up_to_three() -> None:
    events = apart_after(1)
    over = Over(events)
    async with over.app.run_test(size=SIZE) as pilot:
        screen = await over.results(pilot)
        assert "2 more rounds" in said(screen)


async def test_where_nothing_is_open_nothing_is_priced() -> None:
    of = compared_plan("a", "b", rounds=3, max_rounds=3)
    rows = [
        warm(of, contender, number, which, 20.0 + 9 * contender)
        for number in (1, 2, 3)
        for contender in (0, 1)
        for which in range(3)
    ]
    events: list[Event] = [started(of), *rows, SessionFinished(t_ns=10**12, wall_ns=1, how="complete")]
    assert rounds_to_settle(session_of(events)) == 1
    over = Over(events)
    async with over.app.run_test(size=SIZE) as pilot:
        screen = await over.results(pilot)
        assert "+ " not in said(screen)


async def test_a_session_that_was_stopped_offers_no_rounds() -> None:
    over = Over(apart_after(3, how="cancelled"))
    async with over.app.run_test(size=SIZE) as pilot:
        screen = await over.results(pilot)
        assert "+ " not in said(screen)
        await pilot.press("plus")
        await pilot.pause()
        assert over.link.sent_of(ExtendPlan) == []


# --- the same test again --------------------------------------------------------------------------------------------


async def test_g_runs_the_same_plan_in_another_order_with_the_models_as_they_are_now() -> None:
    events = a_session()
    plan = session_of(events).plan
    over = Over(events)
    async with over.app.run_test(size=SIZE) as pilot:
        await over.results(pilot)
        await pilot.press("g")
        await wait_until(pilot, lambda: over.link.sent_of(StartPlan))
        [start] = over.link.sent_of(StartPlan)
        now = {one.model.name: one.model for one in some_models()}
        assert [one.model for one in start.plan.contenders] == [now[one.model.name] for one in plan.contenders]
        assert [one.label for one in start.plan.contenders] == [one.label for one in plan.contenders]
        assert (start.plan.prompts, start.plan.options, start.plan.rounds) == (plan.prompts, plan.options, plan.rounds)
        assert start.plan.server == ADDRESS
        assert start.plan.seed != plan.seed
        await wait_until(pilot, lambda: isinstance(over.app.screen, LiveScreen))


def imported() -> Plan:
    return msgspec.structs.replace(a_plan(), preset=IMPORTED)


def elsewhere() -> Plan:
    plan = a_plan()
    others = tuple(
        msgspec.structs.replace(one, model=msgspec.structs.replace(one.model, backend="openai"))
        for one in plan.contenders
    )
    return msgspec.structs.replace(plan, contenders=others)


@pytest.mark.parametrize(
    ("last", "why"),
    [(imported(), "cannot be run again"), (elsewhere(), "has none of the models")],
    ids=["imported", "other server"],
)
async def test_where_there_is_nothing_to_run_again_it_says_why(last: Plan, why: str) -> None:
    link = FakeLink(ready(), answer=an_ollama)
    app = LlmtuiApp(FakeHost(link, last_plan=last))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await wait_until(pilot, lambda: app.feed.models is not None and isinstance(app.screen, SetupScreen))
        await wait_until(pilot, lambda: "Again" in str(app.screen.query_exactly_one(StartLine).render()))
        await pilot.press("g")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        await pilot.press("enter")
        await wait_until(pilot, lambda: any(why in str(one.message) for one in app._notifications))
        assert link.sent_of(StartPlan) == []


async def test_before_the_first_session_g_is_not_offered() -> None:
    app = LlmtuiApp(FakeHost(FakeLink(ready(), answer=an_ollama)))
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: app.feed.models is not None and isinstance(app.screen, SetupScreen))
        assert "g" not in app.screen.active_bindings


async def test_on_the_first_screen_g_shows_the_newest_sessions_plan_and_enter_runs_it() -> None:
    link = FakeLink(ready(), answer=an_ollama)
    last = a_plan("mistral:7b")
    app = LlmtuiApp(FakeHost(link, last_plan=last))
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: app.feed.models is not None and isinstance(app.screen, SetupScreen))
        await wait_until(
            pilot, lambda: "Again: 1 model, 6 trials" in str(app.screen.query_exactly_one(StartLine).render())
        )
        await pilot.press("g")
        await wait_until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "mistral:7b" in str(app.screen.query("Static").first().render())
        assert link.sent_of(StartPlan) == []
        await pilot.press("enter")
        await wait_until(pilot, lambda: link.sent_of(StartPlan))
        assert [one.label for one in link.sent_of(StartPlan)[0].plan.contenders] == ["mistral:7b"]


# --- since last time --------------------------------------------------------------------------------------------------


def a_day_later(events: list[Event]) -> list[Event]:
    first = events[0]
    assert isinstance(first, SessionStarted)
    later = msgspec.structs.replace(first, session_id="20261123T224107Z-cd34", wall_ns=first.wall_ns + 86_400 * S)
    return [later, *events[1:]]


async def test_results_of_a_repetition_open_with_what_changed() -> None:
    before = session_of(apart_after(3))
    over = Over(a_day_later(apart_after(3)), earlier=Earlier(session=before))
    async with over.app.run_test(size=SIZE) as pilot:
        screen = await over.results(pilot)
        await wait_until(pilot, lambda: screen.words.words[0].heading == "Since last time")
        assert "Compared with" in screen.words.words[0].said
        assert len(screen.words.words) == 7, "all trials count, which is not said"


async def test_lines_that_say_nothing_are_left_out() -> None:
    over = Over(apart_after(3))
    async with over.app.run_test(size=SIZE) as pilot:
        screen = await over.results(pilot)
        titles = [line.heading for line in screen.words.words]
        assert "Since last time" not in titles, "this plan has not run before"
        assert "Not counted" not in titles, "every trial counts"
        assert "Decode speed" in titles


# --- the same model twice ---------------------------------------------------------------------------------------------


async def test_the_same_model_twice_has_a_place_in_the_options() -> None:
    link = FakeLink(ready(), answer=an_ollama)
    app = LlmtuiApp(FakeHost(link))
    async with app.run_test(size=SIZE) as pilot:
        await wait_until(pilot, lambda: app.feed.models is not None and isinstance(app.screen, SetupScreen))
        setup = app.screen
        assert isinstance(setup, SetupScreen)
        await wait_until(pilot, lambda: setup.models.models.facts)
        await pilot.press("o")
        await wait_until(pilot, lambda: bool(setup.options.query("#option-twice")))
        setup.options.query_exactly_one("#option-twice", ChoiceLine).focus()
        await pilot.press("space")
        await wait_until(pilot, lambda: setup.options.values.twice)
        assert "same model twice" in str(setup.options.query_exactly_one("#options-said").render())
        assert [one.label for one in setup.plan().contenders] == ["phi3:mini", "phi3:mini #2"]
        await pilot.press("space")
        await wait_until(pilot, lambda: not setup.options.values.twice)
        assert len(setup.plan().contenders) == 1


# --- waiting for others -----------------------------------------------------------------------------------------------


def test_who_waits_for_other_programs_says_so_and_that_nothing_loads_yet() -> None:
    of = compared_plan("a")
    trial = contender_block(of, 2, 0).trials[0]
    session = session_of(
        [
            started(of),
            TrialStarted(t_ns=10, trial=trial, order=1, total=5),
            PhaseChanged(t_ns=20, phase="unload", trial_id=trial.id),
            PhaseChanged(t_ns=30, phase="waiting", detail=PhaseDetail(step="waiting_for_others")),
        ]
    )
    assert step_words(session, session.phases[-1], 3.4) == "busy at start · waits at most 6 s more"
    assert not loading_now(session)
    assert not asked(session, session.phases[-1])


def test_what_the_engine_does_between_trials_is_said_in_whole_words() -> None:
    of = compared_plan("a")
    trial = contender_block(of, 1, 0).trials[1]
    session = session_of([started(of), TrialStarted(t_ns=10, trial=trial, order=1, total=5)])
    marks = (
        PhaseMark(20, "unload", trial.id, "unloading", ("theirs:13b",)),
        PhaseMark(20, "waiting", trial.id, "loading", ("a",)),
        PhaseMark(20, "waiting", None, "loading_again", ("theirs:13b",)),
        PhaseMark(20, "idle", None, "paused"),
        PhaseMark(20, "idle", None),
    )
    before_a_warm_trial = msgspec.structs.replace(session, phases=(marks[1],))
    assert loading_now(before_a_warm_trial)  # the step names the model: the line need not
    assert [step_words(session, mark, 2) for mark in marks] == [
        "Unloading theirs:13b · 2 s",
        "Loading a · 2 s",
        "Loading the models that were in memory before · 2 s",
        "Paused · 2 s",
        "Getting ready · 2 s",
    ]
