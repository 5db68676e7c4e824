from __future__ import annotations

import gc
import re
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from llmtui.core.session import Session, fold
from llmtui.tui.text.plot_axis import GUTTER, Window, axis_row, ceiling
from llmtui.tui.text.plot_canvas import Canvas, Run, Series
from llmtui.tui.widgets.machine_plots import WORDS_WIDTH, MachinePlots
from tests.tui.conftest import wait_until
from tests.tui.sessions import S, a_session, until

EVENTS = a_session()
BRAILLE = re.compile("[\u2801-\u28ff]")


def session_at(seconds: float) -> Session:
    session = fold(until(EVENTS, seconds))
    assert session is not None
    return session


def text_of(rows: Sequence[Sequence[Run]]) -> list[str]:
    return ["".join(text for text, _role in row) for row in rows]


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()

    def compose(self) -> ComposeResult:
        yield MachinePlots(clock=self.clock)

    @property
    def plots(self) -> MachinePlots:
        return self.query_one(MachinePlots)


async def drawn(pilot: Pilot[Any], plots: MachinePlots, session: Session) -> list[str]:
    """Show a session and return the rows when it is drawn."""
    plots.show_session(session)
    await wait_until(pilot, lambda: plots._drawn is not None)
    return text_of(plots._rows)


# --- the canvas ---


def test_lines_stand_where_their_values_are() -> None:
    rows = text_of(Canvas().draw([Series("model", [0.1] * 10 + [9.9] * 10)], width=20, height=4, top=10))
    assert rows[3][:9].strip()
    assert not rows[3][11:].strip()
    assert rows[0][11:].strip()
    assert not rows[0][:9].strip()


def test_each_line_keeps_its_role() -> None:
    rows = Canvas().draw([Series("all", [8.0] * 10), Series("model", [1.0] * 10)], width=10, height=4, top=10)
    roles = [{role for text, role in row if text.strip()} for row in rows]
    assert roles[0] == {"all"}
    assert roles[3] == {"model"}


def test_no_line_is_drawn_over_a_hole() -> None:
    rows = text_of(Canvas().draw([Series("model", [1.0, 1.0, None, None, 1.0, 1.0])], width=6, height=2, top=10))
    assert not rows[1][2:4].strip()


@given(st.lists(st.one_of(st.none(), st.floats(0, 10)), min_size=30, max_size=30), st.integers(2, 9))
def test_the_field_is_always_as_large_as_asked(values: list[float | None], height: int) -> None:
    rows = text_of(Canvas().draw([Series("model", values)], width=30, height=height, top=10))
    assert [len(row) for row in rows] == [30] * height


def test_drawing_again_and_again_keeps_no_data() -> None:
    canvas = Canvas()
    series = [Series("all", [3.0] * 60), Series("model", [1.0] * 60)]
    for _ in range(20):
        canvas.draw(series, width=60, height=6, top=8)
    gc.collect()
    tracemalloc.start()
    before, _peak = tracemalloc.get_traced_memory()
    for _ in range(300):
        canvas.draw(series, width=60, height=6, top=8)
    gc.collect()
    after, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 100_000


def test_the_modules_own_figure_is_left_alone() -> None:
    import plotext

    plotext.plot([1, 2, 3])
    before = plotext.build()
    Canvas().draw([Series("model", [5.0] * 20)], width=20, height=4, top=10)
    assert plotext.build() == before
    plotext.clear_figure()


# --- around it ---


@pytest.mark.parametrize(("most", "top"), [(0.3, 0.3), (0.31, 0.4), (1.0, 1.0), (8.4, 10.0), (10.1, 15.0), (61, 80.0)])
def test_the_scale_ends_at_a_round_value_above_the_largest(most: float, top: float) -> None:
    assert ceiling(most) == pytest.approx(top)


def test_a_young_session_has_room_to_grow_and_an_old_one_shows_its_last_two_minutes() -> None:
    young = Window.of(session_at(20), columns=60, whole=False)
    assert (young.start_ns - young.session_ns, young.columns * young.column_ns) == (0, 30 * S)
    old = Window.of(session_at(200), columns=60, whole=False)
    assert (old.start_ns - old.session_ns) / S == pytest.approx(80, abs=2)


def test_the_window_moves_by_whole_columns() -> None:
    starts = [Window.of(session_at(200 + step / 5), columns=60, whole=False).start_ns for step in range(20)]
    assert {(start - starts[0]) % (2 * S) for start in starts} == {0}


def test_the_whole_session_fits_when_asked_for() -> None:
    session = session_at(200)
    window = Window.of(session, columns=60, whole=True)
    assert window.start_ns == session.t_ns
    assert window.columns * window.column_ns >= session.last_t_ns - session.t_ns


def test_times_stand_at_round_values() -> None:
    window = Window(start_ns=0, column_ns=2 * S, columns=60, session_ns=0)
    words = "".join(text for text, _role in axis_row(window))
    assert words.split() == ["0:00", "0:30", "1:00", "1:30"]
    assert words.index("0:30") == GUTTER + 15


# --- the widget ---


async def test_both_plots_share_one_time_axis_with_the_phases_below() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        rows = await drawn(pilot, app.plots, session_at(30))
        assert rows[0].startswith("CPU  ━ model 7.")
        assert "6.2 of 16 GB" in "".join(rows)
        assert "▏loading" in rows[18]
        assert rows[19].split() == ["0:00", "0:10", "0:20"]


async def test_it_is_drawn_once_a_second_however_often_news_comes() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        await drawn(pilot, app.plots, session_at(30))
        before = app.plots.canvas.drawings
        for step in range(1, 10):
            app.plots.show_session(session_at(30 + step / 2))
        assert app.plots.canvas.drawings == before
        app.clock.now += 1.1
        app.plots._timer = None
        app.plots.show_session(session_at(40))
        assert app.plots.canvas.drawings == before + 2


async def test_nothing_is_drawn_where_nothing_changed() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        session = session_at(30)
        await drawn(pilot, app.plots, session)
        before = app.plots.canvas.drawings
        app.clock.now += 60
        app.plots.show_session(session)
        await pilot.pause()
        assert app.plots.canvas.drawings == before
        assert app.plots._timer is None


async def test_another_size_is_drawn_at_once() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        await drawn(pilot, app.plots, session_at(30))
        before = app.plots.canvas.drawings
        await pilot.resize_terminal(80, 24)
        await wait_until(pilot, lambda: app.plots.canvas.drawings > before)


async def test_hidden_plots_cost_nothing() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        await drawn(pilot, app.plots, session_at(30))
        app.plots.display = False
        await pilot.pause()
        before = app.plots.canvas.drawings
        app.clock.now += 60
        app.plots.show_session(session_at(60))
        await pilot.pause()
        assert app.plots.canvas.drawings == before
        app.plots.display = True
        await wait_until(pilot, lambda: app.plots.canvas.drawings > before)


async def test_a_change_of_colours_draws_nothing_anew() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        await drawn(pilot, app.plots, session_at(30))
        before, style = app.plots.canvas.drawings, app.plots.render_line(0)._segments[0].style
        app.theme = "textual-light"
        await pilot.pause()
        assert app.plots.canvas.drawings == before
        assert app.plots.render_line(0)._segments[0].style != style


async def test_in_few_rows_there_are_plots_beside_their_words() -> None:
    app = Host()
    async with app.run_test(size=(80, 5)) as pilot:
        rows = await drawn(pilot, app.plots, session_at(30))
        assert [row[:5].strip() for row in rows[:4]] == ["CPU", "", "RAM", ""]
        assert rows[1].strip().startswith("━ model 7.")
        assert all(BRAILLE.search(row[WORDS_WIDTH:]) for row in (rows[0], rows[2]))
        assert "loading" in rows[4]


async def test_without_colours_the_lines_differ_in_what_they_are_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        rows = await drawn(pilot, app.plots, session_at(30))
        assert "━ model" in rows[0]
        assert "· 7." in rows[0] or "· 8" in rows[0]
        assert any("·" in row for row in rows[1:9])


async def test_a_runner_elsewhere_is_said_to_be_out_of_sight() -> None:
    import msgspec

    app = Host()
    async with app.run_test(size=(100, 20)) as pilot:
        session = session_at(1.2)
        fingerprint = msgspec.structs.replace(session.fingerprint, server_is_local=False)
        rows = await drawn(pilot, app.plots, msgspec.structs.replace(session, fingerprint=fingerprint))
        assert any("not visible from here" in row for row in rows)
