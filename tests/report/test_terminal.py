"""What ``llmtui run`` prints."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from llmtui.core.session import Session
from llmtui.report.rows import by_model
from llmtui.report.terminal import print_result, print_session, tables
from llmtui.words.conclusions import sentences, telling
from llmtui.words.verdict_lines import verdict_lines
from tests.core.compared import compared


def printed(rates: dict[str, list[float]]) -> tuple[str, list[str]]:
    session = compared(rates)
    out = io.StringIO()
    print_session(session, out)
    return out.getvalue(), [f"{line.heading}: {line.said}" for line in telling(session)]


def test_conclusions_stand_above_the_tables_a_line_each() -> None:
    text, said = printed({"a": [10.0, 10.1, 9.9], "b": [5.0, 5.1, 4.9]})
    assert text.splitlines()[: len(said)] == said
    assert text.index("By model") > text.index(said[-1])
    assert "By category" in text


def test_a_machine_that_slowed_down_is_said_first() -> None:
    speeds = [20.0 * 0.98**number for number in range(5)]
    text, _ = printed({"a": speeds, "b": [speed / 2 for speed in speeds]})
    assert text.startswith("The machine slowed by ")


def test_brackets_in_names_are_no_markup() -> None:
    assert "model[bold]" in printed({"model[bold]": [10.0]})[0]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_no_figure_is_cut_or_broken_where_there_is_little_room(width: int) -> None:
    rows = by_model(compared({"a": [10.0, 10.1, 9.9], "b-with-a-long-name": [5.0, 5.1, 4.9]}))
    console = Console(file=io.StringIO(), width=width)
    shown = list(tables(rows, "By model", names=1, width=width))
    for table in shown:
        console.print(table)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    figures = " ".join(line.removeprefix("b-with-a-long-name") for line in lines if line.startswith("b-with")).split()
    assert figures == " ".join(cell for head, cell in rows[1].items() if head != "Model").split()
    assert lines[0].startswith("By model")
    assert (len(shown) == 1) == (width == 200)


def result(session: Session, *, verdicts: bool = True) -> list[str]:
    out = io.StringIO()
    print_result(session, out, verdicts=verdicts)
    return out.getvalue().splitlines()


THREE = {"slow": [5.0, 5.1, 4.9], "fast": [20.0, 20.1, 19.9], "even": [20.0, 20.1, 19.9], "none": []}


def test_the_result_is_a_table_by_speed_with_ranks_and_then_three_lines_at_most() -> None:
    session = compared(THREE)
    lines = result(session)
    blank = lines.index("")
    rows = [line.split() for line in lines[1:blank]]
    assert [(row[0], row[1], row[2]) for row in rows[:3]] == [
        ("1=", "fast", "20.0"), ("1=", "even", "20.0"), ("3", "slow", "5.00"),
    ]  # fmt: skip
    assert rows[3][0] == "none", "a model without a speed is last, and has no rank"
    assert tuple(lines[blank + 1 :]) == verdict_lines(session)
    assert 1 <= len(verdict_lines(session)) <= 3
    assert result(session, verdicts=False) == lines[:blank]


def test_a_column_has_one_unit_in_its_head_and_its_points_below_each_other() -> None:
    lines = result(compared({"a": [123.0, 123.0], "b": [1.5, 1.5]}), verdicts=False)
    assert "Speed tok/s" in lines[0]
    assert not any("tok/s" in line or " s " in line for line in lines[1:])
    high, low = lines[1].index("123") + len("123"), lines[2].index("1.50") + len("1")
    assert high == low


@pytest.mark.parametrize("n", [2, 7, 20])
def test_the_table_is_80_columns_wide_at_most_and_names_can_be_told_apart(n: int) -> None:
    names = [f"hf.co/somebody/a-rather-long-name-{number}-GGUF:Q4_K_M" for number in range(n)]
    lines = result(compared({name: [10.0 + at, 10.1 + at, 9.9 + at] for at, name in enumerate(names)}), verdicts=False)
    assert max(map(len, lines)) <= 80
    assert len(set(lines)) == len(lines)
    assert len(lines) <= n + 3


def test_the_same_figure_is_printed_in_the_table_and_in_words() -> None:
    session = compared({"a": [10.04, 10.11, 9.93], "b": [5.02, 5.13, 4.91]})
    for line in result(session)[1:3]:
        _rank, name, speed, *_rest = line.split()
        assert f"{name} {speed} tok/s" in sentences(session)[0]
