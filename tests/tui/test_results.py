from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from llmtui.core.commands import ExtendPlan
from llmtui.core.events import SessionStarted
from llmtui.core.rivals import rivals
from llmtui.core.session import Session, fold
from llmtui.core.summary import summarise
from llmtui.tui.app import LlmtuiApp, WatchApp
from llmtui.tui.screens.answers import AnswerScreen
from llmtui.tui.screens.replay import ReplayScreen
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.screens.results_dialogs import Reading, SaveDialog, columns_explained
from llmtui.tui.text.numbers import number_column
from llmtui.tui.widgets.bars import Bar, Chart, Group, bar_blocks, chart_rows, charts_of
from llmtui.tui.widgets.result_tables import ModelTable, category_columns, model_columns
from llmtui.words.measures import explain_measure
from llmtui.words.more_rounds import rounds_wanted
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.sessions import a_plan, a_session, finished_trials, until

EVENTS = a_session()


def folded(*args: Any, **kwargs: Any) -> Session:
    session = fold(a_session(*args, **kwargs))
    assert session is not None
    return session


class Looking:
    """Results of a session that is over, or still under way."""

    def __init__(
        self,
        events: list[Any] = EVENTS,
        *,
        seconds: float = 10_000,
        read_only: bool = False,
        problem: str | None = None,
    ) -> None:
        trials = finished_trials(events)
        self.link = FakeLink(*until(events, seconds), accepts_commands=not read_only, trials=trials)
        self.host = FakeHost(self.link, export_problem=problem)
        self.app = WatchApp(self.host, self.link) if read_only else LlmtuiApp(self.host)

    async def begin(self, pilot: Pilot[Any], *keys: str) -> ResultsScreen:
        await wait_until(pilot, lambda: self.app.feed.session is not None)
        self.app.show("results")
        await wait_until(
            pilot, lambda: isinstance(self.app.screen, ResultsScreen) and bool(self.app.screen.query(ModelTable))
        )
        screen = self.app.screen
        assert isinstance(screen, ResultsScreen)
        await wait_until(pilot, lambda: screen.models.row_count == 3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return screen


async def results(pilot: Pilot[Any], app: LlmtuiApp) -> ResultsScreen:
    """Waits for the screen and its parts."""
    await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen) and bool(app.screen.query(ModelTable)))
    screen = app.screen
    assert isinstance(screen, ResultsScreen)
    return screen


def cells(table: Any) -> list[list[str]]:
    return [[cell.plain.strip() for cell in table.get_row_at(number)] for number in range(table.row_count)]


def heads(table: Any) -> list[str]:
    return [" ".join(one.label.plain.split()) for one in table.ordered_columns]


async def test_the_title_line_says_which_session_it_is() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(140, 40)) as pilot:
        screen = await looking.begin(pilot)
        said = str(screen.title_line.render())
        assert "Ollama 0.34.4 · 3 models × 4 prompts · 1 round · cap 128 · temp 0 · 17/18" in said
        assert said.rstrip().endswith("! 1 failed  ! 1 clocks disagree")


async def test_a_badge_opens_its_lines_by_key_and_by_click() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(80, 24)) as pilot:
        screen = await looking.begin(pilot, "exclamation_mark")
        for _ in range(2):
            await wait_until(pilot, lambda: isinstance(looking.app.screen, Reading))
            await wait_until(pilot, lambda: bool(looking.app.screen.query(Static)))
            words = str(looking.app.screen.query_one(Static).render())
            assert "round 1 · mistral:7b · Coding: The server broke the answer off after 31 chunks." in words
            await pilot.press("escape")
            await wait_until(pilot, lambda: looking.app.screen is screen)
            await pilot.click(screen.title_line, offset=(str(screen.title_line.render()).index("failed") + 1, 0))


@pytest.mark.parametrize(
    ("number", "tab"), enumerate(("models", "categories", "trials", "answers", "words"), start=1), ids=str
)
async def test_each_tab_opens_by_its_number_and_by_a_click(number: int, tab: str) -> None:
    looking = Looking()
    async with looking.app.run_test(size=(80, 24)) as pilot:
        screen = await looking.begin(pilot, "2" if number == 1 else "1", str(number))
        assert screen.tabs.current == tab
        await pilot.press("2" if number == 1 else "1")
        names = str(screen.tab_line.render())
        await pilot.click(screen.tab_line, offset=(names.index(str(number)) + 2, 0))
        await wait_until(pilot, lambda: screen.tabs.current == tab)


async def test_the_words_are_the_last_tab() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "5")
        titles = [line.heading for line in screen.words.words]
        assert titles[0] == "Writing speed"
        assert "Usual formula" in titles
        await wait_until(pilot, lambda: all(line.is_on_screen for line in screen.words.lines[:3]))


async def test_the_answers_are_on_show_below_their_prompt() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "4")
        await wait_until(pilot, lambda: "mistral:7b" in str(screen.answers.query_exactly_one(Static).render()))


async def test_after_an_own_prompt_the_answers_are_open() -> None:
    started, *rest = a_session(a_plan(categories=("creativity",)))
    assert isinstance(started, SessionStarted)
    own = msgspec.structs.replace(started.plan.prompts[0], category="free")
    plan = msgspec.structs.replace(started.plan, prompts=(own,))
    looking = Looking([msgspec.structs.replace(started, plan=plan), *rest])
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        await wait_until(pilot, lambda: screen.tabs.current == "answers")


async def test_a_line_a_model_with_units_in_the_heads() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        assert heads(screen.models)[:6] == [
            "Model", "First word s", "Answer word s", "Speed tok/s", "Text chars/s", "Cold start s",
        ]  # fmt: skip
        assert cells(screen.models)[1][:6] == ["mistral:7b", "0.706", "", "6.12", "27.4", "16.5"]


async def test_figures_that_nobody_has_have_no_column() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        assert "On GPU GB" not in heads(screen.models)
        assert "Cold again s" not in heads(screen.models)


async def test_a_missing_figure_is_blank_and_enter_says_why() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "2")
        rows = cells(screen.categories)
        broken = next(number for number, row in enumerate(rows) if row[-1] == "0 +1✗")
        assert rows[broken][2:-1] == [""] * (len(rows[broken]) - 3)
        screen.categories.move_cursor(row=broken)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, Reading))
        assert "failed" in str(looking.app.screen.query_one(Static).render())


async def test_a_narrow_terminal_leaves_figures_out_and_cuts_none() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(80, 24)) as pilot:
        screen = await looking.begin(pilot)
        assert screen.models.shown_columns[-1] == "finished"
        await wait_until(pilot, lambda: screen.models.virtual_size.width <= 80)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, Reading))
        assert "Total time" in str(looking.app.screen.query_one(Static).render())


async def test_models_of_a_category_stand_under_each_other() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "2")
        names = [row[:2] for row in cells(screen.categories)]
        assert names[:4] == [
            ["Creativity", "llama3:8b"], ["", "mistral:7b"], ["", "qwen3:4b thinking"], ["Reasoning", "llama3:8b"],
        ]  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_decimal_points_stand_under_each_other(size: tuple[int, int]) -> None:
    looking = Looking()
    async with looking.app.run_test(size=size) as pilot:
        screen = await looking.begin(pilot)
        for at in range(1, len(screen.models.ordered_columns) - 1):
            texts = [screen.models.get_row_at(number)[at].plain for number in range(3)]
            assert len({text.index(".") for text in texts if "." in text}) <= 1


async def test_the_table_grows_while_the_run_goes_on_and_keeps_the_cursor() -> None:
    looking = Looking(seconds=120)
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "down", "down")
        before = cells(screen.models)[0]
        looking.link.play(*EVENTS[len(until(EVENTS, 120)) :])
        await wait_until(pilot, lambda: cells(screen.models)[0] != before)
        assert screen.models.cursor_row == 2
        assert "17/18" in str(screen.title_line.render())


async def test_enter_on_a_test_shows_the_test() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        await looking.begin(pilot, "3", "enter")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, AnswerScreen))


async def test_the_columns_are_explained_with_formula_and_source() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        await looking.begin(pilot, "question_mark")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, Reading))
        words = str(looking.app.screen.query_one(Static).render())
        assert "÷ (end of the answer − first text)" in words
        assert "Source: " in words
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, ResultsScreen))


async def test_the_comma_sorts_by_the_next_column_and_marks_it() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        own = [row[0] for row in cells(screen.models)]
        await pilot.press("comma")
        assert heads(screen.models)[0] == "Model▴"
        assert [row[0] for row in cells(screen.models)] == sorted(own, key=str.casefold)
        await pilot.press("comma")
        first_words = [float(row[1]) for row in cells(screen.models) if row[1]]
        assert heads(screen.models)[:2] == ["Model", "First word s▴"]
        assert first_words == sorted(first_words), "the shortest wait first"
        for _ in screen.models.sortable()[2:]:
            await pilot.press("comma")
        await pilot.press("comma")
        assert [row[0] for row in cells(screen.models)] == own
        assert not any("▴" in head or "▾" in head for head in heads(screen.models))


async def test_a_click_on_a_head_sorts_turns_round_and_restores_and_never_opens_a_window() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        own = cells(screen.models)
        at = screen.models.shown_columns.index("decode_tps") + 1
        before = sum(one.get_render_width(screen.models) for one in screen.models.ordered_columns[:at])
        for mark in ("▾", "▴", ""):
            await pilot.click(screen.models, offset=(before + 4, 1))
            await pilot.pause()
            assert looking.app.screen is screen
            assert heads(screen.models)[at] == f"Speed tok/s{mark}"
            speeds = [float(row[at]) for row in cells(screen.models) if row[at]]
            assert speeds == sorted(speeds, reverse=mark == "▾") or not mark
        assert cells(screen.models) == own


async def test_trials_keep_their_order_while_more_come() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(150, 36)) as pilot:
        screen = await looking.begin(pilot, "3")
        table = screen.trials
        at = [key for key, _descending in table.sortable()].index("ttft_ms")
        for _ in range(at + 1):
            await pilot.press("comma")
        waits = [float(row[at]) for row in cells(table) if row[at]]
        assert waits == sorted(waits)
        assert table.row_count == len(screen.feed.session.rows if screen.feed.session else ())
        under = table.trial_row
        table.show_session(folded())
        assert table.trial_row == under


def test_every_figure_of_both_tables_has_an_explanation() -> None:

    ids = {one.id for one in model_columns()} | {one.id for one in category_columns()}
    assert {one for one in ids if not explain_measure(one)} == {"speed_range"}


def test_only_what_is_on_show_is_explained() -> None:
    words = str(columns_explained(("ttft_ms",)))
    assert words.startswith("Time to first token (TTFT)")
    assert "Decode speed (TPS)" not in words


async def test_the_csv_is_saved_where_the_person_says() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        await looking.begin(pilot, "s")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, SaveDialog))
        field = looking.app.screen.query_one(Input)
        assert field.value == "llmtui-20261122T224107Z-ab12.csv"
        field.value = "~/mine.csv"
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, ResultsScreen))
        assert looking.host.exported == [("20261122T224107Z-ab12", "~/mine.csv")]
        assert any("/home/person/~/mine.csv" in toast.message for toast in looking.app._notifications)


async def test_what_cannot_be_saved_says_why_and_asks_again() -> None:
    looking = Looking(problem="The folder /nowhere does not exist. Choose another one.")
    async with looking.app.run_test(size=(120, 36)) as pilot:
        await looking.begin(pilot, "s")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, SaveDialog))
        await pilot.press("enter")
        said = looking.app.screen.query_one("#save-said", Static)
        await wait_until(pilot, lambda: "The folder /nowhere does not exist" in str(said.render()))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, ResultsScreen))


async def test_two_picked_tests_are_replayed() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "3", "end", "home", "down", "space", "down", "space", "down", "space")
        assert screen.trials.picked == ("3:r1-m3-warm-p2", "4:r1-m3-warm-p1")
        assert cells(screen.trials)[3][1].startswith("▸ ")
        await pilot.press("r")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, ReplayScreen))


async def test_space_lets_go_of_a_picked_test() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "3", "space", "space")
        assert screen.trials.picked == ()


async def test_without_a_pick_two_models_answer_the_same_question() -> None:
    session = folded()
    pair = rivals(session, None)
    assert pair is not None
    assert pair[0].trial.prompt == pair[1].trial.prompt
    assert pair[0].trial.contender < pair[1].trial.contender
    chosen = session.rows[1]
    with_rival = rivals(session, chosen)
    assert with_rival is not None
    assert chosen in with_rival


async def test_one_model_alone_has_nobody_to_race_against() -> None:
    assert rivals(folded(a_plan("llama3:8b")), None) is None


async def test_more_rounds_can_be_asked_for_while_the_run_goes_on() -> None:
    looking = Looking(seconds=200)
    async with looking.app.run_test(size=(120, 36)) as pilot:
        await looking.begin(pilot, "plus")
        assert looking.link.sent_of(ExtendPlan) == [ExtendPlan(rounds=2)]


async def test_who_only_watches_can_ask_for_nothing() -> None:
    looking = Looking(seconds=200, read_only=True)
    async with looking.app.run_test(size=(120, 36)) as pilot:
        await looking.begin(pilot, "plus")
        assert looking.link.sent == []


def test_as_many_rounds_are_wanted_as_the_open_pairs_need() -> None:
    assert rounds_wanted(folded(a_plan(rounds=3))) >= 1


async def test_the_open_tab_can_have_the_whole_screen() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(80, 24)) as pilot:
        screen = await looking.begin(pilot)
        before = screen.tabs.size.height
        await pilot.press("m")
        await wait_until(pilot, lambda: screen.tabs.size.height > before)
        await pilot.press("m")
        await wait_until(pilot, lambda: screen.tabs.size.height == before)


async def test_without_a_session_it_says_what_to_do() -> None:
    app = LlmtuiApp(FakeHost(FakeLink()))
    async with app.run_test(size=(120, 36)) as pilot:
        app.show("results")
        await wait_until(
            pilot, lambda: isinstance(app.screen, ResultsScreen) and bool(app.screen.query("#results-empty"))
        )
        await wait_until(pilot, lambda: app.screen.query_one("#results-empty").is_on_screen)
        assert "start a test" in str(app.screen.query_one("#results-empty", Static).render())


async def test_a_saved_session_opens_above_and_escape_goes_back() -> None:
    host = FakeHost(FakeLink(), saved_sessions={"one": lambda: FakeLink(*EVENTS, is_live=False)})
    app = LlmtuiApp(host)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        app.open_session("one")
        screen = await results(pilot, app)
        await wait_until(pilot, lambda: screen.models.row_count == 3)
        await pilot.press("escape")
        await wait_until(pilot, lambda: not isinstance(app.screen, ResultsScreen))


# --- bars ---


def test_a_bar_is_as_long_as_its_share_to_an_eighth() -> None:
    assert bar_blocks(0.5, 10) == "█████"
    assert bar_blocks(0.5125, 10) == "█████▏"
    assert bar_blocks(0.0001, 10) == "▏"


def test_all_groups_share_one_scale() -> None:
    groups = (Group("a", (Bar("x", 0, 10.0),)), Group("b", (Bar("x", 0, 5.0),)))
    rows = chart_rows(Chart("t", "", groups), 40)
    long, short = (row[-1][0] for row in (rows[2], rows[4]))
    assert len(long) == 2 * len(short)


def test_a_missing_figure_has_no_bar_but_its_reason() -> None:
    session = folded()
    chart = charts_of(session, summarise(session))[0]
    rows = ["".join(text for text, _role in row) for row in chart_rows(chart, 60)]
    coding = rows.index("Coding")
    assert rows[coding + 2].startswith(" mistral:7b")
    assert rows[coding + 2].endswith("failed")
    assert "█" not in rows[coding + 2]


def test_speed_and_waiting_are_grouped_by_category_with_all_tests_first() -> None:
    session = folded()
    for chart in charts_of(session, summarise(session)):
        assert [group.title for group in chart.groups] == ["All tests", "Creativity", "Reasoning", "Coding", "Summary"]
        assert all(len(group.bars) == 3 for group in chart.groups)


def test_numbers_of_a_column_are_aligned_and_the_missing_stay_blank() -> None:
    assert number_column([0.908, 19.1, None, 1800]) == ["0.908", "19.1  ", "", "1800    "]
