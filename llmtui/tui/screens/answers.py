"""The screen with one trial in full: its text as received or as Markdown, and all its figures."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Markdown, Static

from llmtui.core.events import TrialFinished
from llmtui.core.plan import tagged
from llmtui.core.reading import answer_of, chunk_texts
from llmtui.core.rivals import rivals
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.tui.background import in_background
from llmtui.tui.feed import Feed
from llmtui.tui.screens.export import copy_text
from llmtui.tui.shell import ShellOf
from llmtui.tui.text.answer_view import trial_details
from llmtui.tui.text.live_pane import CHANNELS, prompt_text
from llmtui.tui.widgets.key_line import KeyLine
from llmtui.tui.widgets.token_pane import TokenPane
from llmtui.words import _
from llmtui.words.trials import trial_name

TALL = 32
"""Height of the screen in rows from which the whole prompt is shown at first."""
FRAME_CELLS = 4


class AnswerScreen(Screen[None]):
    """A trial's answer and details; left and right go to the previous and next trial."""

    CSS_PATH = "../styles/answers.tcss"
    AUTO_FOCUS = "TokenPane"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", _("Back"), id="answer.back"),
        Binding(
            "m",
            "markdown",
            _("As Markdown"),
            id="answer.markdown",
            tooltip=_("Switch between formatted and plain text"),
        ),
        Binding("y", "copy", _("Copy"), id="answer.copy", tooltip=_("Copy the answer, without the prompt")),
        Binding("r", "replay", _("Replay"), id="answer.replay", tooltip=_("Replay it beside another model's answer")),
        Binding(
            "p", "whole_prompt", _("Prompt"), id="answer.prompt", tooltip=_("Show the whole prompt, or one line of it")
        ),
        Binding("left", "neighbour(-1)", _("Previous trial"), id="answer.before", priority=True),
        Binding("right", "neighbour(1)", _("Next trial"), id="answer.next", priority=True),
    ]
    HELP = _(
        """
        # One trial
        The prompt, the answer as it arrived, and every figure. For a missing figure the reason is shown. In a low
        window the prompt is one line; **p** shows all of it.
        **m** shows a complete answer as formatted text, **y** copies it, **r** replays it beside another model's.
        """
    )

    shell = ShellOf()
    pane = getters.query_one(TokenPane)
    details = getters.query_one("#details", Static)
    markdown = getters.query_one(Markdown)

    def __init__(self, feed: Feed, session: Session, row: TrialRow) -> None:
        """Create the screen for a trial of a session; the trial's text is read through the feed."""
        super().__init__()
        self._feed = feed
        self._session = session
        self._row = row
        self._finished: TrialFinished | None = None
        self._formatted = False
        self._folded: bool | None = None
        """Whether only one line of the prompt is shown; None until the size of the screen decides it."""

    def compose(self) -> ComposeResult:
        """Yield the title, and below it the text beside the details."""
        yield Static(id="answer-title")
        with Horizontal(id="answer-body"):
            yield TokenPane(id="answer-text", grows=False)
            with VerticalScroll(id="answer-markdown") as box:
                box.border_title = _("Answer, formatted")
                yield Markdown(open_links=False)  # links in a model's text must not open anything
            with VerticalScroll(id="answer-details") as box:
                box.border_title = _("Details")
                yield Static(id="details")
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the trial for which the screen was created."""
        self._show()

    def _show(self) -> None:
        row = self._row
        label = self._session.contender(row.trial).label
        place = _("trial {n} of {total}").format(n=row.order, total=self._session.total)
        title = Content.assemble((label, "bold $primary"), f" · {trial_name(row.trial, self._session.plan)} · {place}")
        self.query_one("#answer-title", Static).update(title)
        self.details.update(trial_details(row, self._session))
        self._finished = None
        self.pane.clear()
        self.pane.border_title = _("Prompt and answer")
        self._read(row)

    @in_background("read_answers")
    def _read(self, row: TrialRow) -> None:
        finished = self._feed.trial(row.trial.id)
        self.app.call_from_thread(self._show_text, row, finished)

    def _show_text(self, row: TrialRow, finished: TrialFinished | None) -> None:
        if row is not self._row:
            return
        self._finished = finished
        self._write_text(row, finished)
        self._format()

    def _write_text(self, row: TrialRow, finished: TrialFinished | None) -> None:
        chunks = [(f"{self._prompt(row)}\n\n", "prompt")]
        if finished is None:
            chunks.append((_("The text of this trial cannot be read."), "note"))
        else:
            last = ""
            for channel, text in zip(finished.timeline.channels, chunk_texts(finished), strict=True):
                if last and channel != last:
                    chunks.append(("\n\n", "answer"))
                last = channel
                chunks.append((text, CHANNELS.get(channel, "answer")))
            if not finished.text:
                chunks.append((_("No text arrived."), "note"))
        self.pane.clear()
        self.pane.write(chunks)
        self.pane.flush()
        self.pane.scroll_home(animate=False)

    def _prompt(self, row: TrialRow) -> str:
        """Return the prompt as it was sent, or the beginning of it in one line."""
        if self._folded is None:
            self._folded = self.app.size.height < TALL
        said = prompt_text(row.trial, self._session.plan)
        if not self._folded:
            return tagged(row.trial.tag, said)
        line, room = " ".join(said.split()), (self.pane.size.width or self.app.size.width) - FRAME_CELLS
        return line if cell_len(line) <= room else set_cell_size(line, room - 2).rstrip() + " …"

    def action_whole_prompt(self) -> None:
        """Show the whole prompt, or one line of it."""
        self._folded = not self._folded
        self._write_text(self._row, self._finished)

    def action_markdown(self) -> None:
        """Switch between formatted Markdown and the text as received."""
        self._formatted = not self._formatted
        self._format()

    def _format(self) -> None:
        self.set_class(self._formatted, "-formatted")
        if self._formatted and self._finished is not None:
            self.markdown.update(_without_controls(answer_of(self._finished)))

    def action_neighbour(self, step: int) -> None:
        """Go to the next (1) or previous (-1) trial."""
        rows = self._session.rows
        at = next((number for number, row in enumerate(rows) if row.order == self._row.order), None)
        if at is not None and 0 <= at + step < len(rows):
            self._row = rows[at + step]
            self._show()

    def action_copy(self) -> None:
        """Copy the answer to the clipboard."""
        if self._finished is not None:
            model = self._session.contender(self._row.trial).label
            copy_text(self, answer_of(self._finished).strip(), _("the answer of {model}").format(model=model))

    def action_replay(self) -> None:
        """Replay the answer beside another model's answer to the same prompt, both at original speed."""
        from llmtui.tui.screens.replay import ReplayScreen

        pair = rivals(self._session, self._row)
        if pair is None:
            self.notify(_("No other model has answered this prompt."), severity="warning")
        else:
            self.app.push_screen(ReplayScreen(self._feed, self._session, pair))

    def action_back(self) -> None:
        """Close the screen."""
        self.dismiss(None)


def _without_controls(text: str) -> str:
    """Return text with control characters replaced, except line ends and tabs, which Markdown needs."""
    return "".join(one if one in "\n\t" or one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
