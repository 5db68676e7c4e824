"""What stderr says of a headless run: words, not codes, and what went wrong once a model."""

from __future__ import annotations

import io
import re

import pytest

from llmtui.cli.progress import Progress
from llmtui.cli.run import went_wrong
from llmtui.core.events import SessionEvent
from llmtui.core.records import Outcome, Problem
from llmtui.core.session import SessionBuilder
from tests.core.compared import compared, compared_plan, warm
from tests.core.made import started

CUT = Problem(code="cut", what="The connection was cut.", remedy="Look at the log.")
PLAN = compared_plan("a", rounds=1)


def said(outcome: Outcome, problem: Problem | None = None) -> str:
    out, builder = io.StringIO(), SessionBuilder()
    progress = Progress(out, silent=False)
    events: list[SessionEvent] = [started(PLAN), warm(PLAN, 0, 1, 0, 10.0, outcome=outcome, problem=problem)]
    for event in events:
        builder.apply(event)
        progress.show(event, builder)
    return out.getvalue()


class Tty(io.StringIO):
    """A terminal that keeps all that is written to it."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> str:
    """What a terminal gets of a run of one round."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    out, builder = Tty(), SessionBuilder()
    progress = Progress(out, silent=False)
    trials = [warm(PLAN, 0, 1, which, 10.0, outcome=outcome) for which, outcome in enumerate(outcomes)]
    events: list[SessionEvent] = [started(PLAN), *trials]
    for event in events:
        builder.apply(event)
        progress.show(event, builder)
    progress.close()
    return out.getvalue()


def test_a_terminal_has_one_line_that_rewrites_itself_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    text = drawn(monkeypatch, "ok", "ok")
    assert "2/" in text
    assert re.search(r"about \d+ s left", text)
    assert "TTFT" not in text, "no line per trial"
    assert text.endswith(("\x1b[2K", "\x1b[?25h", "\r")), "the line is taken away, the cursor shown"


def test_a_terminal_keeps_a_line_about_each_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = re.sub(r"\x1b\[[\d?;]*\w", "", drawn(monkeypatch, "ok", "error")).replace("\r", "\n").splitlines()
    assert [line for line in lines if "failed" in line] == ["2/5  a  Reasoning   failed"]


def test_elsewhere_there_is_an_aligned_line_per_trial() -> None:
    assert re.fullmatch(r"1/5  a  Creativity  TTFT [\d.]+ m?s +10.0 tok/s\n", said("ok"))


def test_a_failed_test_is_said_in_the_words_of_the_screens() -> None:
    assert said("error", CUT).rstrip().endswith("Creativity  failed: The connection was cut.")
    assert said("no_final").rstrip().endswith("Creativity  incomplete")


def test_whatwent_wrong_several_times_is_said_once() -> None:
    failed = [warm(PLAN, 0, 1, which, 10.0, outcome="error", problem=CUT) for which in range(2)]
    skipped = warm(PLAN, 0, 1, 2, 10.0, outcome="skipped", problem=Problem(code="skipped", what="It was skipped."))
    session = compared({"a": []}, *failed, skipped, of=PLAN)
    assert list(went_wrong(session)) == ["a, 2 trials: The connection was cut. Look at the log."]
