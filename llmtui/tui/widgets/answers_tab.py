"""The models' answers: a prompt, and below it each model's answer."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from llmtui.core.reading import answer_of
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed
from llmtui.words import _
from llmtui.words.trials import category_words


class AnswersTab(VerticalScroll, can_focus=True):
    """The answers to the first prompt, read when they are shown."""

    DEFAULT_CSS = """
    AnswersTab { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; & > Static { height: auto; } }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._feed: Feed | None = None
        self._session: Session | None = None
        self._read: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Yield one text."""
        yield Static()

    def show_session(self, session: Session, feed: Feed) -> None:
        """Set the session; its texts are read from the feed once the tab is visible."""
        self._session, self._feed = session, feed
        if self.display:
            self.read()

    def read(self) -> None:
        """Read the answers of the newest session, where they differ from those shown."""
        if self._session is None or self._feed is None:
            return
        rows = _newest_answers(self._session)
        ids = tuple(row.trial.id for row in rows)
        if ids != self._read:
            self._read = ids
            self._read_texts(self._session, self._feed, rows)

    @in_background("read_answers")
    def _read_texts(self, session: Session, feed: Feed, rows: tuple[TrialRow, ...]) -> None:
        found = [feed.trial(row.trial.id) for row in rows]
        texts = [_("no text arrived") if one is None else answer_of(one) for one in found]
        self.app.call_from_thread(self._show, session, rows, texts)

    def _show(self, session: Session, rows: tuple[TrialRow, ...], texts: list[str]) -> None:
        prompt = session.plan.prompts[0]
        parts = [Content.styled(category_words(prompt.category), "bold $primary"), Content(prompt.text)]
        for row, text in zip(rows, texts, strict=True):
            parts += [Content.styled(f"\n{session.contender(row.trial).label}", "bold $accent"), Content(text.strip())]
        self.query_exactly_one(Static).update(Content("\n").join(parts))


def _newest_answers(session: Session) -> tuple[TrialRow, ...]:
    """Return each model's newest warm trial of the first prompt, in the plan's order."""
    newest = {row.trial.contender: row for row in session.rows if row.trial.kind == "warm" and row.trial.prompt == 0}
    return tuple(newest[index] for index in sorted(newest))
