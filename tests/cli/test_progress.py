"""What stderr says of a headless run: words, not codes, and what went wrong once a model."""

from __future__ import annotations

import io

from llmtui.cli.progress import Progress
from llmtui.cli.run import went_wrong
from llmtui.core.events import SessionEvent
from llmtui.core.facts import Outcome, Problem
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


def test_a_failed_test_is_said_in_the_words_of_the_screens() -> None:
    assert said("error", CUT).rstrip().endswith("Creativity  failed: The connection was cut.")
    assert said("no_final").rstrip().endswith("Creativity  no last line")


def test_whatwent_wrong_several_times_is_said_once() -> None:
    failed = [warm(PLAN, 0, 1, which, 10.0, outcome="error", problem=CUT) for which in range(2)]
    skipped = warm(PLAN, 0, 1, 2, 10.0, outcome="skipped", problem=Problem(code="skipped", what="It was skipped."))
    session = compared({"a": []}, *failed, skipped, of=PLAN)
    assert list(went_wrong(session)) == ["a, 2 tests: The connection was cut. Look at the log."]
