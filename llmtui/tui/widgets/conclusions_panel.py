"""What the session says, in sentences: the head of Results."""

from __future__ import annotations

from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from llmtui.core.session import Session
from llmtui.words import _
from llmtui.words.conclusions import headed


class ConclusionsPanel(VerticalScroll, can_focus=True):
    """Eight lines, each under its heading; scrolls where they do not fit."""

    DEFAULT_CSS = """
    ConclusionsPanel {
        height: auto;
        border: round $border-blurred;
        border-title-color: $text;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        &:focus { border: round $primary; }
        & > Static { width: 1fr; height: auto; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]
    words = getters.query_one("#conclusions", Static)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._key: object = None

    def compose(self) -> ComposeResult:
        """The sentences."""
        yield Static(id="conclusions")

    def on_mount(self) -> None:
        """Names the panel."""
        self.border_title = _("Conclusions")

    def show_session(self, session: Session) -> None:
        """Takes the newest session; drawn anew only where a test was added."""
        key = (session.session_id, len(session.rows), session.rounds, session.finished)
        if key == self._key:
            return
        self._key = key
        if not session.rows:
            self.words.update(Content.styled(_("Nothing is measured yet."), "$foreground 60%"))
            return
        self.words.update(Content("\n").join(_line(title, said) for title, said in headed(session) if said))


def _line(title: str, said: str) -> Content:
    return Content.assemble((f"{title}  ", "bold $primary"), said)
