"""What ``llmtui run`` prints."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from llmtui.report.rows import by_model
from llmtui.report.terminal import print_session, tables
from llmtui.words.conclusions import sentences
from tests.core.compared import compared


def printed(rates: dict[str, list[float]]) -> tuple[str, list[str]]:
    session = compared(rates)
    out = io.StringIO()
    print_session(session, out)
    return out.getvalue(), list(sentences(session))


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
