"""Progress of ``llmtui run`` on stderr: one line that is redrawn on a terminal, else one line per trial."""

from __future__ import annotations

import sys
from typing import IO, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from llmtui.core.events import Event, Noted, TrialFinished, TrialStarted
from llmtui.core.plan import Trial
from llmtui.core.records import Outcome
from llmtui.core.session import Session, SessionBuilder
from llmtui.core.trial_row import TrialRow
from llmtui.words import _
from llmtui.words.figures import duration, rate, seconds
from llmtui.words.outcomes import outcome_word
from llmtui.words.problems import problem_what, whole_problem
from llmtui.words.trials import category_words

CLEAR: Final = "\r\x1b[K"
_NO_FAILURE: Final[tuple[Outcome, ...]] = ("ok", "skipped")


class Progress:
    """Prints the progress of a run; prints nothing if it is ``silent``."""

    def __init__(self, out: IO[str], *, silent: bool) -> None:
        self._out = out
        self._silent = silent
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._rewrites = out.isatty() and sys.platform != "win32" and not silent

    def show(self, event: Event, builder: SessionBuilder) -> None:
        """Report one event; ``builder`` must already have processed it."""
        if isinstance(event, Noted):
            self.say(whole_problem(event.problem))
        if self._silent or not isinstance(event, TrialStarted | TrialFinished):
            return
        session = builder.snapshot()
        assert session is not None, "the event was folded"
        if self._rewrites:
            self._rewrite(session, event.trial, event.t_ns)
        if isinstance(event, TrialFinished):
            row = session.rows[-1]
            if not self._rewrites or row.outcome not in _NO_FAILURE:
                self._line(_trial_line(session, row, event.order))

    def say(self, sentence: str) -> None:
        """Print one sentence on a line of its own."""
        if not self._silent:
            self._line(sentence)

    def close(self) -> None:
        """Remove the redrawn line and restore the cursor."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _rewrite(self, session: Session, trial: Trial, now_ns: int) -> None:
        """Redraw the line. There is no refreshing thread, so nothing is drawn while an answer is measured."""
        if self._bar is None:
            self._bar = Bar(
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TextColumn("{task.fields[left]}"),
                TextColumn("{task.description}", markup=False),
                console=Console(file=self._out, highlight=False),
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._bar.add_task("", total=session.total, left="")
            self._bar.start()
        done = len(session.rows)
        self._bar.update(
            self._task,
            completed=done,
            total=max(session.total, done),
            left=_time_left(session, done, now_ns),
            description=f"{session.contender(trial).label}  {_what(session, trial)}",
            refresh=True,
        )

    def _line(self, text: str) -> None:
        if self._bar is not None:
            self._bar.console.print(text, markup=False)
            return
        self._out.write(text + "\n")
        self._out.flush()


def _time_left(session: Session, done: int, now_ns: int) -> str:
    """Return the remaining time, estimated from the finished trials; empty before the first trial has finished."""
    if not done:
        return ""
    left_s = (now_ns - session.t_ns) / 1e9 / done * max(session.total - done, 0)
    return _("about {time} left").format(time=duration(left_s))


def _what(session: Session, trial: Trial) -> str:
    if trial.kind == "warm" and trial.prompt is not None:
        return category_words(session.plan.prompts[trial.prompt].category)
    return {"cold": _("cold start"), "follow_up": _("follow-up")}.get(trial.kind, _("trial"))


def _trial_line(session: Session, row: TrialRow, order: int) -> str:
    """Return the line about a finished trial, aligned with those about the session's other trials."""
    total = str(session.total)
    widest = max(len(one.label) for one in session.plan.contenders)
    kinds = [_("cold start"), _("follow-up"), *(category_words(one.category) for one in session.plan.prompts)]
    what = _what(session, row.trial).ljust(max(map(len, kinds)))
    return f"{order:>{len(total)}}/{total}  {session.contender(row.trial).label:<{widest}}  {what}  {_result(row)}"


def _result(row: TrialRow) -> str:
    if row.outcome != "ok":
        how = outcome_word(row.outcome, row.ended_by)
        return how if row.problem is None else f"{how}: {problem_what(row.problem)}"
    figures = row.figures
    said = _("TTFT {time}").format(time=seconds(figures.ttft_ms))
    if row.trial.kind == "warm" and figures.decode_tps is not None:
        return f"{said:<14}  " + _("{rate} tok/s").format(rate=rate(figures.decode_tps))
    return said
