"""What ``llmtui run`` prints."""

from __future__ import annotations

import io

from llmtui.report.terminal import print_session
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
