from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from llmtui.tui.text.pane_text import KEEP_ROWS, MAX_ROWS, GrowingText

Span = tuple[str, str]

line_ends_and_controls = ["\n", "\r", "\r\n", "\u2028", "\t", "\x1b[31m", "\x00", "\x9b2J", "\u202e", "\ud800"]
wide_and_joined = ["你好", "世", "👩\u200d👩\u200d👧", "❤\ufe0f", "\u200d", "\ufe0f", "e\u0301", "👍🏽", "🇪🇸", "ก็"]
words_and_markup = [" ", "  ", "a" * 30, "word", "[bold]", "[/]"]
nasty = st.sampled_from([*line_ends_and_controls, *wide_and_joined, *words_and_markup])
texts = st.lists(st.one_of(nasty, st.text(max_size=12)), max_size=40).map("".join)
widths = st.integers(min_value=2, max_value=30)


def written(text: GrowingText) -> list[list[Span]]:
    """Every row as its spans."""
    rows = (text.row(number) for number in range(text.row_count))
    return [list(line.spans(row)) for line, row in rows]


def shown(text: GrowingText) -> list[str]:
    return ["".join(span for span, _ in row) for row in written(text)]


def whole(content: str, width: int) -> GrowingText:
    text = GrowingText(width)
    text.append(content, "answer")
    return text


@given(texts, widths, st.data())
def test_any_chunking_of_a_text_gives_the_same_rows(content: str, width: int, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=12).map(sorted))
    chunked = GrowingText(width)
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        chunked.append(content[start:end], "answer")
    assert written(chunked) == written(whole(content, width))


@given(texts, widths, widths)
def test_another_width_gives_the_rows_of_a_fresh_wrap(content: str, first: int, second: int) -> None:
    text = whole(content, first)
    text.set_width(second)
    assert written(text) == written(whole(content, second))


@given(texts, st.integers(min_value=2, max_value=30))
def test_no_row_is_wider_than_the_pane(content: str, width: int) -> None:
    assert max(cell_len(row) for row in shown(whole(content, width))) <= width


@given(texts, widths)
def test_no_character_reaches_the_terminal_that_could_steer_it(content: str, width: int) -> None:
    forbidden = {
        chr(code) for code in [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
    }
    for row in shown(whole(content, width)):
        assert not forbidden.intersection(row)
        row.encode("utf-8")


@given(texts, widths)
def test_the_whole_selection_is_the_text_without_its_wrapping(content: str, width: int) -> None:
    narrow, wide = whole(content, width), whole(content, 10_000)
    assert narrow.extract((0, 0), None).split() == wide.extract((0, 0), None).split()


def test_words_go_to_the_next_row_whole() -> None:
    assert shown(whole("one two three four", 9)) == ["one two", "three", "four"]


def test_a_word_longer_than_a_row_is_broken() -> None:
    assert shown(whole("ab " + "x" * 12, 5)) == ["ab", "xxxxx", "xxxxx", "xx"]


def test_indentation_stays_and_is_no_row_of_its_own() -> None:
    assert shown(whole("    verylongname", 8)) == ["    very", "longname"]


def test_wide_characters_take_two_cells_and_break_anywhere() -> None:
    assert shown(whole("你好世界", 5)) == ["你好", "世界"]


def test_a_family_of_joined_emoji_is_not_torn_apart() -> None:
    assert shown(whole("ab👩\u200d👩\u200d👧", 3)) == ["ab", "👩\u200d👩\u200d👧"]


@pytest.mark.parametrize(
    ("written_by_model", "on_screen"),
    [
        ("\x1b[2J", "␛[2J"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\x9b31m", "<U+009B>31m"),
        ("\u202etxt.exe", "<U+202E>txt.exe"),
        ("\x7f", "␡"),
        ("\x00", "␀"),
        ("a\tb", "a   b"),
        ("[bold red]x[/]", "[bold red]x[/]"),
    ],
)
def test_control_characters_are_shown_not_obeyed(written_by_model: str, on_screen: str) -> None:
    assert shown(whole(written_by_model, 40)) == [on_screen]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028"])
def test_line_ends_of_all_kinds_end_a_line(end: str) -> None:
    assert shown(whole(f"a{end}b", 40)) == ["a", "b"]


def test_a_line_end_in_two_halves_is_one_line_end() -> None:
    text = GrowingText(40)
    text.append("a\r", "answer")
    text.append("\nb", "answer")
    assert shown(text) == ["a", "b"]


def test_the_kind_of_each_piece_is_kept_over_wrapping() -> None:
    text = GrowingText(6)
    text.append("think ", "thinking")
    text.append("answer", "answer")
    assert written(text) == [[("think", "thinking")], [("answer", "answer")]]


def test_selected_rows_of_one_line_are_joined_as_they_were_written() -> None:
    text = whole("one two three\nfour", 9)
    assert text.extract((0, 4), (2, 2)) == "two three\nfo"


def test_an_append_wraps_its_own_rows_and_the_last_one_whatever_stands_above() -> None:
    text = whole("word " * 20_000, 80)
    before = text.rows_wrapped
    for _ in range(100):
        text.append("word ", "answer")
    assert text.rows_wrapped - before <= 200


def test_memory_is_bounded_the_oldest_lines_leave() -> None:
    text = GrowingText(20)
    dropped = 0
    for number in range(MAX_ROWS + 10):
        dropped += text.append(f"line {number}\n", "answer").dropped_rows
    assert text.row_count <= MAX_ROWS
    assert dropped >= MAX_ROWS - KEEP_ROWS
    assert shown(text)[-2] == f"line {MAX_ROWS + 9}"


def test_a_change_names_the_first_row_that_differs() -> None:
    text = whole("one two", 9)
    assert text.append(" three", "answer").first_row == 0
    assert text.append(" four", "answer").first_row == 1
