"""Small windows over a screen: a question with two answers, and a prompt of the person's own."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Label, Static, TextArea

from llmtui.core.choices import Choices
from llmtui.core.planning import own_answer_tokens
from llmtui.words import _, plural


class ConfirmDialog(ModalScreen[bool]):
    """Asks something; the harmless answer has the focus."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", _("Yes"), show=False, id="yes"),
        Binding("n,escape", "answer(False)", _("No"), show=False, id="no"),
        Binding("left,right,up,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, words: str, *, yes: str, no: str, is_harmless: bool = False) -> None:
        """Make the question.

        Args:
            title: of the window.
            words: what is asked.
            yes: what happens then.
            no: what happens otherwise.
            is_harmless: nothing is lost by a yes, so that it has the focus.
        """
        super().__init__()
        self._title, self._words, self._yes, self._no = title, words, yes, no
        self._is_harmless = is_harmless

    def compose(self) -> ComposeResult:
        """Title, words, two buttons."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            yield Static(self._words)
            with Horizontal(classes="buttons"):
                yield Button(self._no, id="no", variant="default" if self._is_harmless else "primary")
                yield Button(self._yes, id="yes", variant="primary" if self._is_harmless else "error")

    def on_mount(self) -> None:
        """Focus the harmless answer."""
        self.query_exactly_one("#yes" if self._is_harmless else "#no", Button).focus()

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class PromptArea(TextArea):
    """Enter asks, Ctrl+J is a new line; pasted lines stay lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.ask", _("Run"), id="ask", priority=True),
        Binding("ctrl+j", "new_line", _("New line"), id="new_line"),
    ]

    def action_new_line(self) -> None:
        """Insert a line break."""
        self.insert("\n")


class OwnPrompt(ModalScreen[str | None]):
    """A prompt that the person types; None where they thought better of it."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", _("Back"), id="back")]

    area = getters.query_one(PromptArea)

    def __init__(self, names: tuple[str, ...], text: str, choices: Choices) -> None:
        """Create the window.

        Args:
            names: of the models that are asked.
            text: to start from.
            choices: how it will be run.
        """
        super().__init__()
        self._names, self._text, self._tokens = names, text, own_answer_tokens(choices)

    def compose(self) -> ComposeResult:
        """Yield the text, and the names of the models."""
        with Vertical(classes="dialog own-prompt") as box:
            box.border_title = _("Run your own prompt")
            yield PromptArea(self._text, placeholder=_("Type or paste a prompt"), show_line_numbers=False)
            count = plural("{n} model will run it", "{n} models will run it", len(self._names)).format(
                n=len(self._names)
            )
            yield Label(Content.assemble((count + ": ", "bold"), (", ".join(self._names), "dim")))
            yield Label(_("Answers of at most {n} tokens; they open first in Results.").format(n=self._tokens))
        yield Footer(show_command_palette=False)

    def action_ask(self) -> None:
        """Asks what is typed."""
        if self.area.text.strip():
            self.dismiss(self.area.text)
        else:
            self.notify(_("Type a prompt first."), severity="warning")

    def action_give_up(self) -> None:
        """Close without a prompt."""
        self.dismiss(None)
