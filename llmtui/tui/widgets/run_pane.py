"""The text pane of the Live screen: the text of a run's trials in order, each under its own heading."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from textual.timer import Timer

from llmtui.core.events import Chunks, TrialFinished
from llmtui.core.live import LiveTrial, tokens_per_chunk
from llmtui.core.plan import Trial
from llmtui.core.session import Session
from llmtui.tui.text.demo_pace import DemoPace
from llmtui.tui.text.live_pane import PaneScript, pane_title
from llmtui.tui.widgets.token_pane import TokenPane

SLOW_TEXT_S = 0.1
"""Interval in seconds at which slowed-down text is written."""


class RunPane(TokenPane):
    """The text of the running trial, or of the last trial of a session that is read from its file."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # as Textual
        super().__init__(id=id)
        self.live: LiveTrial | None = None
        """The trial whose text arrived last; None before any text."""
        self._script = PaneScript()
        self._pace = DemoPace()
        self._session: Session | None = None
        self._slow: Timer | None = None
        self._whole: Trial | None = None
        """The trial of a finished session whose text was read from its file."""
        self._title = ""

    def on_mount(self) -> None:
        """Create the timer for slowed-down text, paused."""
        self._slow = self.set_interval(SLOW_TEXT_S, self._write_due, pause=True, name="slow text")

    @property
    def saw_text(self) -> bool:
        """Whether the pane has text of at least one trial of this session."""
        return self._script.saw_text

    def begin(self, session: Session) -> bool:
        """Take the newest snapshot; if it is of another session, empty the pane and return True."""
        self._session = session
        if not self._script.begin(session):
            return False
        self.clear()
        self.grows = True
        self._whole = self.live = None
        self._pace.clear()
        return True

    def take(self, batches: Iterable[Chunks], session: Session) -> tuple[LiveTrial, ...]:
        """Write new text and new results of the snapshot; return the trials whose text is now complete."""
        complete = []
        for chunks in batches:
            if self.live is None or self.live.trial_id != chunks.trial_id:
                if self.live is not None:
                    complete.append(self.live)
                trial = session.current
                mine = trial is not None and trial.id == chunks.trial_id
                per_chunk = tokens_per_chunk(session, trial.contender) if mine and trial is not None else 1.0
                self.live = LiveTrial(chunks.trial_id, per_chunk)
            self.live.add(chunks)
            self._pace.add(chunks, slow=self._script.is_demo(chunks.trial_id, session))
        self._write_due()
        return tuple(complete)

    def show_whole(self, finished: TrialFinished, session: Session) -> None:
        """Show one finished trial alone, from its beginning, unless live text has arrived meanwhile."""
        if self.saw_text:
            return
        self._whole = finished.trial
        self.clear()  # removes the error lines of failed trials, which would push this text out of view
        self.read_from_the_top()
        self.write(list(self._script.whole(finished, session)))
        self._show_title(pane_title(session, finished.trial))

    def _write_due(self) -> None:
        """Write the text that is due: the demo model's text is slowed down, any other text is due at once."""
        session = self._session
        if session is None:
            return
        for chunks in self._pace.due(monotonic()):
            self.write(list(self._script.text(chunks, session)))
        behind = self._pace.holds_text
        if not behind:
            self.write(list(self._script.news(session)))
        shown = self._script.open_trial if behind else self._whole
        self._show_title(pane_title(session, shown, slowed=behind))
        if self._slow is not None:
            (self._slow.resume if behind else self._slow.pause)()

    def _show_title(self, title: str) -> None:
        """Change the title if it differs, since setting it repaints the whole pane."""
        if title != self._title:
            self._title = title
            self.border_title = title
