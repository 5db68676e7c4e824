"""The last tab of Results: the session's conclusions in sentences."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from llmtui.core.across import Earlier
from llmtui.core.conclusions import SinceLast
from llmtui.core.session import Session
from llmtui.words import _
from llmtui.words.conclusions import ConclusionSentence, heading, telling

SIDE_BY_SIDE_CELLS = 140
"""Smallest width, in cells, with the headings in a separate column."""
LINES = 16
"""Number of lines: eight for the conclusions, and eight for the audit of an imported file."""


class ConclusionLine(Horizontal):
    """A conclusion: its heading above its sentences or, if there is room, beside them."""

    DEFAULT_CSS = """
    ConclusionLine {
        height: auto;
        & > .conclusion-head { display: none; width: 28; height: auto; color: $primary; text-style: bold; }
        & > .conclusion-said { width: 1fr; height: auto; }
        &.-side-by-side > .conclusion-head { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.head = Static("", classes="conclusion-head")
        self.said = Static("", classes="conclusion-said")

    def compose(self) -> ComposeResult:
        """Yield the heading and the sentences."""
        yield self.head
        yield self.said

    def show_line(self, line: ConclusionSentence | None, *, side_by_side: bool) -> None:
        """Show a conclusion, its answer in bold before its figures; hide the line if it is empty."""
        self.display = line is not None and bool(line.said)
        if line is None:
            return
        self.set_class(side_by_side, "-side-by-side")
        self.head.update(Content(line.heading))
        title = "" if side_by_side else f"{line.heading}  "
        lead = f"{line.lead} " if line.lead else ""
        self.said.update(Content.assemble((title, "bold $primary"), (lead, "bold"), line.figures))


class WordsTab(VerticalScroll, can_focus=True):
    """The conclusions, each with its heading; scrollable if they do not fit."""

    DEFAULT_CSS = """
    WordsTab {
        height: 1fr;
        padding: 0 1;
        scrollbar-size-vertical: 1;
        & > Static { width: 1fr; height: auto; color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.lines = tuple(ConclusionLine() for _line in range(LINES))
        self.nothing = Static(_("Nothing is measured yet."))
        self.words: tuple[ConclusionSentence, ...] = ()
        """The conclusions shown."""
        self._key: object = None

    def compose(self) -> ComposeResult:
        """Yield the lines."""
        yield self.nothing
        yield from self.lines

    def show_session(self, session: Session, earlier: Earlier | None = None) -> None:
        """Show a session; nothing is drawn if no trial was added.

        Args:
            session: the session.
            earlier: the previous session with the same plan; if given, the changes since then come first.
        """
        key = (session.session_id, len(session.rows), session.rounds, session.finished, earlier is None)
        if key == self._key:
            return
        self._key = key
        found = telling(session, earlier) if session.rows else ()
        since_last = heading(SinceLast(comparison=None))
        self.words = tuple(sorted(found, key=lambda line: earlier is not None and line.heading != since_last))
        self._show_words()

    def on_resize(self) -> None:
        """Move the headings beside the sentences if there is room."""
        if self.words and self.lines[0].has_class("-side-by-side") != self._side_by_side:
            self._show_words()

    @property
    def _side_by_side(self) -> bool:
        return self.size.width >= SIDE_BY_SIDE_CELLS

    def _show_words(self) -> None:
        self.nothing.display = not self.words
        side_by_side = self._side_by_side
        for number, line in enumerate(self.lines):
            line.show_line(self.words[number] if number < len(self.words) else None, side_by_side=side_by_side)
