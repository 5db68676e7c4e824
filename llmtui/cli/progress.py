"""Progress of a headless run on stderr: one line that is rewritten on a terminal, a line a test elsewhere."""

from __future__ import annotations

import sys
from typing import IO

from llmtui.core.events import Event, Noted, TrialFinished, TrialStarted
from llmtui.core.session import SessionBuilder
from llmtui.core.trial_row import TrialRow
from llmtui.words import _
from llmtui.words.figures import rate, seconds
from llmtui.words.outcomes import outcome_word
from llmtui.words.problems import problem_what, whole_problem
from llmtui.words.trials import category_words

CLEAR = "\r\x1b[K"
TITLES = {"cold": "start from off", "warm": "test", "follow_up": "in a chat"}


class Progress:
    """Says what is going on; nothing at all where stdout carries events and a person may read neither."""

    def __init__(self, out: IO[str], *, silent: bool) -> None:
        self._out = out
        self._silent = silent
        self._rewrites = out.isatty() and sys.platform != "win32"
        self._pending = False

    def show(self, event: Event, builder: SessionBuilder) -> None:
        """Follows one event that was folded already."""
        if isinstance(event, Noted):
            self.say(whole_problem(event.problem))
        if self._silent or not isinstance(event, TrialStarted | TrialFinished):
            return
        session = builder.snapshot()
        assert session is not None, "the event was folded"
        who = session.contender(event.trial).label
        what = _(TITLES[event.trial.kind])
        if event.trial.prompt is not None and event.trial.kind == "warm":
            what = category_words(session.plan.prompts[event.trial.prompt].category)
        head = f"{event.order}/{session.total}  {who}  {what}"
        if isinstance(event, TrialStarted):
            self._rewrite(f"{head} …")
        else:
            self._line(f"{head}  {_result(session.rows[-1])}")

    def say(self, sentence: str) -> None:
        """Says one sentence on a line of its own."""
        if not self._silent:
            self._line(sentence)

    def close(self) -> None:
        """Leaves a clean line."""
        if self._pending:
            self._out.write(CLEAR)
            self._out.flush()

    def _rewrite(self, text: str) -> None:
        if self._rewrites:
            self._out.write(CLEAR + text)
            self._out.flush()
            self._pending = True

    def _line(self, text: str) -> None:
        self._out.write((CLEAR if self._pending else "") + text + "\n")
        self._out.flush()
        self._pending = False


def _result(row: TrialRow) -> str:
    if row.outcome != "ok":
        how = outcome_word(row.outcome, row.ended_by)
        return how if row.problem is None else f"{how}: {problem_what(row.problem)}"
    figures = row.figures
    parts = [_("first word {time}").format(time=seconds(figures.ttft_ms))]
    if row.trial.kind == "warm" and figures.decode_tps is not None:
        parts.append(_("{rate} tok/s").format(rate=rate(figures.decode_tps)))
    return ", ".join(parts)
