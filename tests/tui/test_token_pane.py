from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Static

from llmtui.tui.text.pane_pace import LONGEST_S, SHORTEST_S, FlushPace
from llmtui.tui.widgets.token_pane import TokenPane


class CountingPane(TokenPane):
    painted = 0

    def render_line(self, y: int) -> Strip:
        self.painted += 1
        return super().render_line(y)


class CountingStatic(Static):
    painted = 0

    def render_line(self, y: int) -> Strip:
        self.painted += 1
        return super().render_line(y)


class Host(App[None]):
    CSS = "TokenPane { height: 12; width: 42; } Static { height: 4; }"

    def compose(self) -> ComposeResult:
        yield CountingStatic("beside")
        yield CountingPane(id="pane")

    @property
    def pane(self) -> CountingPane:
        return self.query_one(CountingPane)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("it never came to hold")


async def write(pilot: Pilot[None], pane: TokenPane, text: str, kind: str = "answer") -> None:
    """Write and wait for the paint."""
    before = pane.flushes
    pane.write([(text, kind)])
    await until(pilot, lambda: pane.flushes > before)
    await pilot.pause()


def on_screen(pane: TokenPane) -> list[str]:
    return [pane.render_line(y).text.rstrip() for y in range(pane.size.height)]


async def test_text_appears_and_the_pane_follows_it() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "\n".join(f"line {number}" for number in range(50)))
        assert on_screen(pane)[-1] == "line 49"
        assert pane.border_subtitle == "following"


async def test_scrolling_up_by_one_row_stops_following_and_end_resumes() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "\n".join(f"line {number}" for number in range(50)))
        pane.focus()
        await pilot.press("up")
        await until(pilot, lambda: not pane.following)
        await write(pilot, pane, "\nmore\nand more")
        assert "and more" not in on_screen(pane)
        assert pane.border_subtitle == "2 new lines · End: follow"
        await pilot.press("end")
        assert on_screen(pane)[-1] == "and more"
        assert pane.border_subtitle == "following"


async def test_scrolling_down_to_the_end_resumes_too() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "\n".join(f"line {number}" for number in range(50)))
        pane.scroll_to(y=10, animate=False)
        await until(pilot, lambda: not pane.following)
        pane.scroll_to(y=pane.max_scroll_y, animate=False)
        await until(pilot, lambda: pane.following)


async def test_the_place_of_reading_stays_when_the_oldest_lines_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.tui.text.pane_text.MAX_ROWS", 60)
    monkeypatch.setattr("llmtui.tui.text.pane_text.KEEP_ROWS", 50)
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "\n".join(f"line {number}" for number in range(60)))
        pane.scroll_to(y=40, animate=False)
        await until(pilot, lambda: not pane.following)
        await write(pilot, pane, "\nmore")
        assert on_screen(pane)[0] == "line 40"


async def test_markup_and_control_sequences_are_shown_as_text() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "[bold red]x[/] \x1b[31mred\x1b[0m")
        assert on_screen(pane)[0] == "[bold red]x[/] ␛[31mred␛[0m"


async def test_thinking_is_italic_and_quieter_than_the_answer() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "thought\n", "thinking")
        await write(pilot, pane, "answer")
        thought, answer = (next(iter(pane.render_line(y))).style for y in (0, 1))
        assert thought is not None
        assert thought.italic
        assert answer is not None
        assert not answer.italic
        assert thought.color != answer.color


async def test_a_selection_copies_the_text_without_its_wrapping() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "word " * 12 + "\nsecond")
        await pilot.mouse_down(TokenPane, offset=(2, 1))
        await pilot.hover(TokenPane, offset=(2 + 6, 3))
        await pilot.mouse_up(TokenPane, offset=(2 + 6, 3))
        assert pilot.app.screen.get_selected_text() == "word " * 12 + "\nsecond"


async def test_the_selection_can_be_seen() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "one two three")
        plain = next(iter(pane.render_line(0))).style
        pane.text_select_all()
        await pilot.pause()
        marked = next(iter(pane.render_line(0))).style
        assert plain is not None
        assert marked is not None
        assert plain.bgcolor != marked.bgcolor


async def test_many_tokens_between_two_flushes_are_one_paint() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "start")
        for number in range(400):
            pane.write([(f" {number}", "answer")])
        await until(pilot, lambda: "399" in "".join(on_screen(pane)))
        assert pane.flushes == 2


async def test_a_paint_costs_its_own_rows_and_no_other_widget() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        pane, beside = pilot.app.query_one(CountingPane), pilot.app.query_one(CountingStatic)
        await write(pilot, pane, "word " * 5)
        pane.painted = beside.painted = 0
        wrapped = pane.text.rows_wrapped
        await write(pilot, pane, "word")
        assert pane.painted == 1
        assert beside.painted == 0
        assert pane.text.rows_wrapped - wrapped == 1


async def test_growing_past_the_end_paints_the_pane_and_no_other_widget() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        pane, beside = pilot.app.query_one(CountingPane), pilot.app.query_one(CountingStatic)
        await write(pilot, pane, "line\n" * 50)
        pane.painted = beside.painted = 0
        await write(pilot, pane, "word\n")
        assert pane.painted <= 2 * pane.size.height
        assert beside.painted == 0


async def test_a_hidden_pane_wraps_and_paints_nothing_until_it_is_shown() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(CountingPane)
        pane.display = False
        await pilot.pause()
        pane.painted = pane.text.rows_wrapped = 0
        pane.write([("word " * 1000, "answer")])
        await pilot.pause(0.3)
        assert (pane.painted, pane.text.rows_wrapped, pane.flushes) == (0, 0, 0)
        pane.display = True
        await until(pilot, lambda: pane.flushes == 1)
        assert "word" in on_screen(pane)[-1]


async def test_an_idle_pane_has_no_timer() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(CountingPane)
        await write(pilot, pane, "one")
        await write(pilot, pane, "two")
        assert pane._flush_timer is None
        assert not [timer for timer in pane._timers if timer._active.is_set()]


async def test_a_resize_wraps_to_the_new_width() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "word " * 12)
        pane.styles.width = 22
        await until(pilot, lambda: on_screen(pane)[0] == "word word word")


async def test_what_is_painted_after_a_resize_has_the_new_width() -> None:
    async with Host().run_test(size=(80, 24)) as pilot:
        pane = pilot.app.query_one(CountingPane)
        pane.styles.width = 44
        await pilot.pause()
        await write(pilot, pane, "word " * 40)
        pane.styles.width = 60
        await pilot.pause(0.2)
        painted = ["".join(segment.text for segment in strip) for strip in pane.render_lines(pane.size.region)]
        assert painted[1].strip(" │") == on_screen(pane)[0]


async def test_a_new_theme_changes_the_colours_of_what_stands_there() -> None:
    async with Host().run_test() as pilot:
        pane = pilot.app.query_one(TokenPane)
        await write(pilot, pane, "word")
        before = next(iter(pane.render_line(0))).style
        pilot.app.theme = "textual-light"
        await pilot.pause()
        after = next(iter(pane.render_line(0))).style
        assert before is not None
        assert after is not None
        assert before.bgcolor != after.bgcolor


def test_late_frames_slow_the_pace_and_prompt_ones_bring_it_back() -> None:
    pace = FlushPace()
    for _ in range(10):
        pace.frame(0.5)
    assert pace.period_s == LONGEST_S
    for _ in range(20):
        pace.frame(0.01)
    assert pace.period_s == SHORTEST_S
