"""The answer in five seconds: what holds is in the first lines at every size, in few words, and every figure is one."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from textual.pilot import Pilot

from llmtui.core.board import board
from llmtui.core.measures import measure_of
from llmtui.core.session import Session, fold
from llmtui.core.verdict import verdicts
from llmtui.core.what_holds import what_holds
from llmtui.report.terminal import print_result
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.results import ResultsScreen
from llmtui.tui.widgets.scoreboard import Scoreboard, board_cells
from llmtui.words.conclusions import sentences
from llmtui.words.ratios import factor, factor_range
from llmtui.words.what_holds import holding_words
from tests.tui import made_results
from tests.tui.conftest import wait_until
from tests.tui.fakes import FakeHost, FakeLink
from tests.tui.made_results import MADE
from tests.tui.sessions import finished_trials

SIZES = [(80, 24), (100, 30), (140, 40), (200, 50)]
MOST_WORDS = {80: 60, 140: 110}
"""Words of three letters or more between the first line and the last, by width."""


def folded(events: Any) -> Session:
    session = fold(events)
    assert session is not None
    return session


async def looked_at(pilot: Pilot[Any], models: int, *keys: str) -> list[str]:
    """Return the lines of the screen once all is drawn."""
    app = pilot.app
    assert isinstance(app, LlmtuiApp)
    await wait_until(pilot, lambda: app.feed.session is not None)
    app.show("results")
    await wait_until(pilot, lambda: isinstance(app.screen, ResultsScreen) and bool(app.screen.query(Scoreboard)))
    screen = app.screen
    assert isinstance(screen, ResultsScreen)
    await wait_until(pilot, lambda: screen.models.board.row_count == models)
    for key in keys:
        await pilot.press(key)
    await pilot.pause()
    await wait_until(pilot, lambda: bool(screen.query("KeyLine")))
    await pilot.pause()
    return ["".join(segment.text for segment in strip) for strip in screen._compositor.render_strips(screen.size)]


def an_app(events: Any) -> LlmtuiApp:
    return LlmtuiApp(FakeHost(FakeLink(*events, trials=finished_trials(events))))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("made", MADE)
async def test_who_leads_or_that_none_does_is_in_the_first_eight_lines(made: str, size: tuple[int, int]) -> None:
    events = MADE[made]()
    session = folded(events)
    app = an_app(events)
    async with app.run_test(size=size) as pilot:
        lines = await looked_at(pilot, len(session.plan.contenders))
    head = "\n".join(lines[:8])
    (first, *_rest) = what_holds(session)
    assert first.topic == "fastest"
    said = holding_words(first, session, {})
    assert f"{said.sign} {said.topic}" in head
    assert said.word in head
    assert first.verdict is not None
    if first.verdict.ratio is not None:
        assert f"{factor(first.verdict.ratio)}×" in head
    if first.verdict.low is not None and first.verdict.high is not None:
        assert f"[{factor_range(first.verdict.low, first.verdict.high)}]" in head
    assert all(line.rstrip() == line[: size[0]].rstrip() for line in lines)


@pytest.mark.parametrize("size", [size for size in SIZES if size[0] in MOST_WORDS], ids=str)
@pytest.mark.parametrize("made", MADE)
async def test_it_takes_few_words(made: str, size: tuple[int, int]) -> None:
    events = MADE[made]()
    app = an_app(events)
    async with app.run_test(size=size) as pilot:
        lines = await looked_at(pilot, len(folded(events).plan.contenders), "1")
    words = re.findall(r"[^\W\d_]{3,}", "\n".join(lines[1:-1]))
    assert len(words) <= MOST_WORDS[size[0]], (len(words), words)


@pytest.mark.parametrize("made", ["three", "seven", "failures"])
async def test_every_figure_of_the_table_is_that_of_the_printed_table_and_of_the_words(made: str) -> None:
    events = MADE[made]()
    session = folded(events)
    out = io.StringIO()
    print_result(session, out)
    printed = [line.split() for line in out.getvalue().splitlines()]
    spoken = " ".join(sentences(session))
    app = an_app(events)
    async with app.run_test(size=(200, 50)) as pilot:
        lines = await looked_at(pilot, len(session.plan.contenders), "1")
        screen = app.screen
        assert isinstance(screen, ResultsScreen)
        table = screen.models.board
        rows = {line.label: table.get_row_at(at) for at, line in enumerate(table.lines)}
        columns = [str(column.key.value) for column in table.ordered_columns]
    compared = 0
    for label, cells in rows.items():
        figures = {name: cell.plain.strip().lstrip("●") for name, cell in zip(columns, cells, strict=True)}
        if not figures["decode_tps"]:
            continue
        begin = label[:8]  # long names lose their middle
        on_screen = next(line for line in lines if begin in line and figures["decode_tps"] in line and "Q4" in line)
        row = next(words for words in printed if any(word.startswith(begin) for word in words[:2]))
        for figure in ("decode_tps", "ttft_ms", "cold_first_ms", "follow_up_ttft_ms", "memory_peak_bytes"):
            if figures[figure]:
                assert figures[figure] in on_screen
                assert figures[figure] in row, (figure, row)
                compared += 1
        assert f"{label} {figures['decode_tps']} tok/s" in spoken or "and 3 more" in spoken
    assert compared >= 4 * (len(rows) - 1)


async def test_the_interval_on_the_screen_is_the_one_that_decides() -> None:
    session = folded(made_results.three())
    shown = {factor_range(one.low or 0, one.high or 0) for one in verdicts(session)}
    app = an_app(made_results.three())
    async with app.run_test(size=(140, 40)) as pilot:
        lines = await looked_at(pilot, 3)
    fastest = next(line for line in lines if "fastest" in line)
    (interval,) = re.findall(r"\[([^\]]+)\]", fastest)
    assert interval in shown


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_twenty_models_scroll(size: tuple[int, int]) -> None:
    events = made_results.twenty()
    app = an_app(events)
    async with app.run_test(size=size) as pilot:
        await looked_at(pilot, 20)
        screen = app.screen
        assert isinstance(screen, ResultsScreen)
        table = screen.models.board
        assert table.size.height >= 5
        assert table.virtual_size.width <= size[0]
        await pilot.press("end")
        await wait_until(pilot, lambda: table.cursor_row == 19)


def test_ranks_are_shared_where_no_verdict_separates_and_the_next_has_its_mark() -> None:
    session = folded(made_results.tie())
    rows = board(session)
    speed = measure_of("decode_tps")
    assert speed is not None
    columns = {column.id: column for column in board_cells(session, rows, speed, width=140)}
    assert [cell.plain.strip() for cell in columns["rank"].cells] == ["1=", "1="]
    assert columns["next"].cells[0].plain.startswith("= 1.00")
    assert "●" not in columns["decode_tps"].cells[0].plain, "no verdict bears a best one"


def test_a_model_that_failed_has_its_reason_in_its_row() -> None:
    session = folded(made_results.failures())
    rows = board(session)
    speed = measure_of("decode_tps")
    assert speed is not None
    columns = {column.id: column for column in board_cells(session, rows, speed, width=140)}
    assert rows[-1].line.label == "llama3.1:8b"
    assert columns["bar"].cells[-1].plain.startswith("✗ ")
    assert columns["finished"].cells[-1].plain.strip() == "0/18"
    assert "$text-error" in columns["finished"].cells[-1].markup


def test_a_disturbed_trial_is_marked_in_its_models_row() -> None:
    session = folded(made_results.three())
    rows = board(session)
    speed = measure_of("decode_tps")
    assert speed is not None
    columns = {column.id: column for column in board_cells(session, rows, speed, width=140)}
    assert any("!" in cell.plain for cell in columns["finished"].cells)


# --- while it runs ---


async def test_while_a_round_runs_only_complete_ones_are_claimed_from_and_it_is_dim() -> None:
    events = made_results.session_of(made_results.THREE, rounds=4, until_round=3, finish=False)
    whole = folded([one for one in events if getattr(getattr(one, "trial", None), "round", 1) < 3])
    app = an_app(events)
    async with app.run_test(size=(140, 40)) as pilot:
        lines = await looked_at(pilot, 3)
        screen = app.screen
        assert isinstance(screen, ResultsScreen)
        assert screen.holds.holdings == what_holds(whole)
        table = screen.models.board
        assert [line.finished for line in table.lines] == [12, 12, 12], "the table has the complete rounds alone"
        panes = {str(pane.border_title): str(pane.render()) for pane in screen.models.query(".pane")}
    assert "round 3 of 4" in lines[1]
    assert "r3" in panes["Speed tok/s by round"]


async def test_in_the_first_round_nothing_is_claimed() -> None:
    events = made_results.session_of(made_results.THREE, rounds=2, until_round=1, finish=False)
    app = an_app(events)
    async with app.run_test(size=(80, 24)) as pilot:
        lines = await looked_at(pilot, 3)
    assert "The first round is running" in lines[2]
    assert not any(sign in "".join(lines[2:12]) for sign in ("●", "◐", "× next"))
