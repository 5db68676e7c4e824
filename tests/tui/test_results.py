from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from llmtui.core.commands import ExtendPlan
from llmtui.core.events import SessionStarted
from llmtui.core.rivals import rivals
from llmtui.core.session import Session, fold
from llmtui.tui.app import LlmtuiApp, WatchApp
from llmtui.tui.screens.answers import AnswerScreen
from llmtui.tui.screens.replay import ReplayScreen
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.screens.results_dialogs import Reading, columns_explained
from llmtui.tui.widgets.answers_tab import AnswerColumn
from llmtui.tui.widgets.result_table import table_figures
from llmtui.tui.widgets.scoreboard import Scoreboard
from llmtui.words.measures import explain_measure
from llmtui.words.more_rounds import rounds_to_settle
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.sessions import a_plan, a_session, finished_trials, until

EVENTS = a_session()
THREE_ROUNDS = a_session(a_plan(rounds=3))


def folded(*args: Any, **kwargs: Any) -> Session:
    session = fold(a_session(*args, **kwargs))
    assert session is not None
    return session


class Looking:
    """Results of a finished or running session."""

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
            pilot, lambda: isinstance(self.app.screen, ResultsScreen) and bool(self.app.screen.query(Scoreboard))
        )
        screen = self.app.screen
        assert isinstance(screen, ResultsScreen)
        await wait_until(pilot, lambda: screen.models.board.row_count == 3)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return screen


async def results(pilot: Pilot[Any], app: LlmtuiApp) -> ResultsScreen:
    """Wait for the screen and its parts."""
    await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen) and bool(app.screen.query(Scoreboard)))
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
        assert "Ollama 0.34.4 · 3 models × 4 prompts · 1 round · ≤ 128 tok · temp 0 · 17/18" in said
        assert said.rstrip().endswith("! 1 failed  ! 1 times differ")


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
        assert titles[0] == "Decode speed"
        assert "Usual formula" in titles
        await wait_until(pilot, lambda: all(line.is_on_screen for line in screen.words.lines[:3]))


async def test_the_answers_are_on_show_below_their_prompt() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "4")
        await wait_until(pilot, lambda: screen.answers.current is not None)
        prompt = screen.answers.query_exactly_one("#answers-prompt", Static)
        assert "Creativity" in str(prompt.render())
        shown = [str(column.border_title) for column in screen.answers.query(AnswerColumn) if column.display]
        assert "mistral:7b" in shown


async def test_after_an_own_prompt_the_answers_are_open() -> None:
    started, *rest = a_session(a_plan(categories=("creativity",)))
    assert isinstance(started, SessionStarted)
    own = msgspec.structs.replace(started.plan.prompts[0], category="free")
    plan = msgspec.structs.replace(started.plan, prompts=(own,))
    looking = Looking([msgspec.structs.replace(started, plan=plan), *rest])
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        await wait_until(pilot, lambda: screen.tabs.current == "answers")


async def test_a_row_per_model_by_speed_with_ranks_and_units_in_the_heads() -> None:
    looking = Looking(THREE_ROUNDS)
    async with looking.app.run_test(size=(140, 40)) as pilot:
        screen = await looking.begin(pilot)
        assert heads(screen.models.board)[:4] == ["#", "Model", "quant", "Speed tok/s▾"]
        assert [row[:4] for row in cells(screen.models.board)] == [
            ["1", "qwen3:4b thinking", "Q4_K_M", "●9.88"],
            ["2", "mistral:7b", "Q4_K_M", "6.12"],
            ["3", "llama3:8b", "Q4_K_M", "5.87"],
        ]


async def test_figures_that_no_model_has_have_no_column() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(200, 50)) as pilot:
        screen = await looking.begin(pilot)
        assert "vram_bytes" not in screen.models.board.shown_columns
        assert "cold_again_ms" not in screen.models.board.shown_columns
        assert "cold_first_ms" in screen.models.board.shown_columns


async def test_a_missing_figure_is_blank_and_enter_says_why() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "2")
        rows = cells(screen.categories)
        broken = next(number for number, row in enumerate(rows) if row[-1] == "0/1")
        assert rows[broken][2:-1] == [""] * (len(rows[broken]) - 3)
        screen.categories.move_cursor(row=broken)
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, Reading))
        assert "failed" in str(looking.app.screen.query_one(Static).render())


async def test_a_narrow_terminal_leaves_figures_out_and_cuts_none() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(80, 24)) as pilot:
        screen = await looking.begin(pilot)
        assert screen.models.board.virtual_size.width <= 80
        await pilot.press("enter")
        await wait_until(pilot, lambda: isinstance(looking.app.screen, Reading))
        assert "Total time" in str(looking.app.screen.query_one(Static).render())


async def test_each_row_of_a_category_names_its_model_and_its_category() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "2")
        names = [row[:2] for row in cells(screen.categories)]
        assert names[:4] == [
            ["Creativity", "llama3:8b"], ["Creativity", "mistral:7b"], ["Creativity", "qwen3:4b thinking"],
            ["Reasoning", "llama3:8b"],
        ]  # fmt: skip


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50)])
async def test_decimal_points_stand_under_each_other(size: tuple[int, int]) -> None:
    looking = Looking()
    async with looking.app.run_test(size=size) as pilot:
        screen = await looking.begin(pilot)
        table = screen.models.board
        for at, column in enumerate(table.ordered_columns):
            if column.key.value in table.shown_columns:
                texts = [table.get_row_at(number)[at].plain for number in range(3)]
                assert len({text.index(".") for text in texts if "." in text}) <= 1
                assert len({len(text) for text in texts}) == 1


async def test_the_table_grows_while_the_run_goes_on_and_keeps_the_cursor() -> None:
    looking = Looking(seconds=120)
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot, "down", "down")
        before, under_cursor = cells(screen.models.board), screen.models.board.contender
        looking.link.play(*EVENTS[len(until(EVENTS, 120)) :])
        await wait_until(pilot, lambda: cells(screen.models.board) != before)
        assert screen.models.board.contender == under_cursor, "the cursor stays on its model"
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


async def test_the_comma_orders_by_the_next_figure_and_the_bars_show_it() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        board = screen.models.board
        assert [row[1] for row in cells(board)] == ["qwen3:4b…hinking", "mistral:7b", "llama3:8b"]
        await pilot.press("comma")
        at = list(board.shown_columns).index("ttft_ms")
        marked = [head for head in heads(board) if head.endswith(("▴", "▾"))]
        assert len(marked) == 1
        assert board.sorting == ("ttft_ms", False)
        assert at >= 0
        waits = [line.ttft.value for line in board.lines if line.ttft is not None]
        assert waits == sorted(waits), "the shortest first"
        for _ in board.sortable()[1:]:
            await pilot.press("comma")
        assert board.sorting == ("decode_tps", True), "after the last figure it is speed again"


async def test_a_click_on_a_head_orders_by_it_and_turns_round_and_never_opens_a_window() -> None:
    looking = Looking()
    async with looking.app.run_test(size=(120, 36)) as pilot:
        screen = await looking.begin(pilot)
        board = screen.models.board
        at = [str(column.key.value) for column in board.ordered_columns].index("ttft_ms")
        before = sum(one.get_render_width(board) for one in board.ordered_columns[:at])
        for descending in (False, True):
            await pilot.click(board, offset=(before + 4, 0))
            await pilot.pause()
            assert looking.app.screen is screen
            assert board.sorting == ("ttft_ms", descending)
            waits = [line.ttft.value for line in board.lines if line.ttft is not None]
            assert waits == sorted(waits, reverse=descending)


async def test_the_category_pane_is_of_the_model_under_the_cursor() -> None:
    looking = Looking(a_session(failing=None))
    async with looking.app.run_test(size=(80, 24)) as pilot:
        screen = await looking.begin(pilot)
        panes = screen.models.query(".pane")
        assert "qwen3:4b thinking by category" in str(panes[0].border_title)
        await pilot.press("down")
        await wait_until(pilot, lambda: "mistral:7b by category" in str(panes[0].border_title))


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
    figures = (*table_figures("models"), *table_figures("categories"))
    assert [one.id for one in figures if not explain_measure(one.id)] == []


def test_only_what_is_on_show_is_explained() -> None:
    words = str(columns_explained(("ttft_ms",)))
    assert words.startswith("Time to first token (TTFT)")
    assert "Decode speed (TPS)" not in words


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
        await looking.begin(pilot, "plus", "enter")
        assert looking.link.sent_of(ExtendPlan) == [ExtendPlan(rounds=2)]


async def test_who_only_watches_can_ask_for_nothing() -> None:
    looking = Looking(seconds=200, read_only=True)
    async with looking.app.run_test(size=(120, 36)) as pilot:
        await looking.begin(pilot, "plus")
        assert looking.link.sent == []


def test_as_many_rounds_are_wanted_as_the_open_pairs_need() -> None:
    assert rounds_to_settle(folded(a_plan(rounds=3))) >= 1


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
        assert "Start a run" in str(app.screen.query_one("#results-empty", Static).render())


async def test_a_saved_session_opens_above_and_escape_goes_back() -> None:
    host = FakeHost(FakeLink(), saved_sessions={"one": lambda: FakeLink(*EVENTS, is_live=False)})
    app = LlmtuiApp(host)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        app.open_session("one", "26 Nov 10:38")
        screen = await results(pilot, app)
        await wait_until(pilot, lambda: screen.models.board.row_count == 3)
        await pilot.press("escape")
        await wait_until(pilot, lambda: not isinstance(app.screen, ResultsScreen))
