"""The text in the Live screen's pane: per trial a heading, the prompt, the answer, and a line on how it ended."""

from __future__ import annotations

from collections.abc import Iterator

from llmtui.core.events import Chunks, TrialFinished
from llmtui.core.plan import Plan, Trial, round_blocks
from llmtui.core.reading import chunk_texts
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.tui.text.demo_pace import SLOWED
from llmtui.words import _
from llmtui.words.figures import seconds, significant
from llmtui.words.outcomes import outcome_word
from llmtui.words.problems import whole_problem
from llmtui.words.trials import ended_words, kind_words, trial_name

Span = tuple[str, str]
"""A part of the pane's text: (text, kind); the kind determines its style."""

PROMPT_CHARACTERS = 160
"""Largest number of characters of a prompt that are shown; the trial's details show all of it."""
CHANNELS = {"t": "thinking", "a": "answer"}


class PaneScript:
    """Turns snapshots and live text of a session into spans for the pane, each trial under its own heading."""

    def __init__(self) -> None:
        self._session_id: str | None = None
        self._trials: dict[str, Trial] = {}
        self._rounds = 0
        self._open: str | None = None
        self._channel: str | None = None
        self._told = 0
        self._with_text: set[str] = set()

    @property
    def saw_text(self) -> bool:
        """Whether the pane has text of at least one trial of this session."""
        return bool(self._with_text)

    def begin(self, session: Session) -> bool:
        """Take a snapshot; return whether it is of another session than the previous one."""
        is_new = session.session_id != self._session_id
        if is_new:
            self._session_id = session.session_id
            self._trials.clear()
            self._rounds = self._told = 0
            self._open = None
            self._with_text.clear()
        if session.rounds > self._rounds:
            self._learn(session.plan, session.rounds)
        return is_new

    @property
    def open_trial(self) -> Trial | None:
        """The trial whose text is being written."""
        return None if self._open is None else self._trials.get(self._open)

    def is_demo(self, trial_id: str, session: Session) -> bool:
        """Return whether a trial uses the demo model."""
        trial = self._trials.get(trial_id)
        return trial is not None and session.contender(trial).model.is_demo

    def news(self, session: Session) -> Iterator[Span]:
        """Yield what a new snapshot adds: the closing lines of finished trials, and the next trial's heading."""
        yield from self._endings(session)
        if session.current is not None:
            yield from self._head(session.current, session.plan)

    def text(self, chunks: Chunks, session: Session) -> Iterator[Span]:
        """Yield a batch of live text, below the heading of its trial."""
        trial = self._trials.get(chunks.trial_id)
        if trial is None:
            return
        if self._open != chunks.trial_id:
            yield from self._endings(session, before=chunks.trial_id)
            yield from self._head(trial, session.plan)
        self._with_text.add(chunks.trial_id)
        for _at, channel, text in chunks.chunks:
            yield from self._turn(channel)
            yield text, CHANNELS.get(channel, "answer")

    def whole(self, finished: TrialFinished, session: Session) -> Iterator[Span]:
        """Yield the whole text of a finished trial, for text that did not arrive live."""
        yield from self._head(finished.trial, session.plan)
        self._with_text.add(finished.trial.id)
        for channel, text in zip(finished.timeline.channels, chunk_texts(finished), strict=True):
            yield from self._turn(channel)
            yield text, CHANNELS.get(channel, "answer")
        row = next((row for row in session.rows if row.trial.id == finished.trial.id), None)
        if row is not None:
            yield f"\n{ending_words(row)}\n", "prompt" if row.outcome == "ok" else "note"

    def _endings(self, session: Session, before: str | None = None) -> Iterator[Span]:
        """Yield the closing line of each finished trial.

        Args:
            session: the newest snapshot.
            before: id of the trial to stop at, since its text is not written yet; None for all finished trials.
        """
        for row in session.rows[self._told :]:
            if row.trial.id == before:
                return
            yield from self._ending(row, session)
            self._told += 1

    def _ending(self, row: TrialRow, session: Session) -> Iterator[Span]:
        """Yield the line below an answer that says how it ended."""
        if row.trial.id not in self._with_text and row.outcome == "ok":
            return
        yield from self._head(row.trial, session.plan)
        yield f"\n{ending_words(row)}\n\n", "prompt" if row.outcome == "ok" else "note"
        self._open = None

    def _head(self, trial: Trial, plan: Plan) -> Iterator[Span]:
        if self._open == trial.id:
            return
        if self._open is not None:
            yield "\n\n", "answer"
        self._open = trial.id
        self._channel = None
        label = plan.contenders[trial.contender].label
        yield f"{label} · {trial_name(trial, plan)}\n", "head"
        yield _shortened(prompt_text(trial, plan)) + "\n\n", "prompt"

    def _turn(self, channel: str) -> Iterator[Span]:
        """Yield an empty line if the channel changes between thinking and answer."""
        if self._channel is not None and channel != self._channel:
            yield "\n\n", "answer"
        self._channel = channel

    def _learn(self, plan: Plan, rounds: int) -> None:
        for number in range(self._rounds + 1, rounds + 1):
            self._trials |= {trial.id: trial for block in round_blocks(plan, number) for trial in block.trials}
        self._rounds = rounds


def prompt_text(trial: Trial, plan: Plan) -> str:
    """Return the prompt of a trial, without its tag (the number ``[4817]`` that prevents prompt caching)."""
    if trial.kind == "cold" or trial.prompt is None:
        return plan.cold_text
    return plan.follow_up_text if trial.kind == "follow_up" else plan.prompts[trial.prompt].text


def pane_title(session: Session, shown: Trial | None = None, *, slowed: bool = False) -> str:
    """Return the pane's title: model and prompt.

    Args:
        session: the newest snapshot.
        shown: the trial whose text is shown, if it is not the current one.
        slowed: whether its text is shown more slowly than it arrived.
    """
    trial = shown or session.current or (session.rows[-1].trial if session.rows else None)
    if trial is None:
        return _("Answer")
    contender = session.contender(trial)
    kind = kind_words(trial.kind) if trial.kind != "warm" else trial_name(trial, session.plan)
    title = f"{contender.label} · {kind}"
    return _("{title} · shown {n}× slower").format(title=title, n=SLOWED) if slowed else title


def ending_words(row: TrialRow) -> str:
    """Return text such as "128 tokens in 22.5 s, 5.69 tok/s"; after a failure, the problem and what to do."""
    if row.problem is not None:
        return "✗ " + whole_problem(row.problem)
    if row.outcome != "ok":
        return outcome_word(row.outcome, row.ended_by)
    figures = row.figures
    parts = []
    if figures.tokens is not None and figures.e2e_ms is not None:
        parts.append(_("{n} tokens in {time}").format(n=figures.tokens, time=seconds(figures.e2e_ms)))
    if figures.decode_tps is not None:
        parts.append(_("{rate} tok/s").format(rate=significant(figures.decode_tps)))
    ended = ended_words(row.ended_by)
    if ended is not None and row.ended_by != "length":  # the usual end, known from the token count
        parts.append(_("ended {how}").format(how=ended))
    return "— " + ", ".join(parts)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= PROMPT_CHARACTERS else line[:PROMPT_CHARACTERS].rstrip() + " …"
