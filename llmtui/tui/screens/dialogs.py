"""Dialogs: a question with two answers, and a text area for the user's own prompt."""

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
    """Dialog with a question and two buttons; its result is True for yes. The harmless button has the focus."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", _("Yes"), show=False, id="yes"),
        Binding("n,escape", "answer(False)", _("No"), show=False, id="no"),
        Binding("left,right,up,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, words: str, *, yes: str, no: str, is_harmless: bool = False) -> None:
        """Create the dialog.

        Args:
            title: title of the dialog.
            words: the question.
            yes: label of the button for yes.
            no: label of the button for no.
            is_harmless: whether yes loses nothing; if so, its button has the focus.
        """
        super().__init__()
        self._title, self._words, self._yes, self._no = title, words, yes, no
        self._is_harmless = is_harmless

    def compose(self) -> ComposeResult:
        """Yield the question and the two buttons."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            yield Static(self._words)
            with Horizontal(classes="buttons"):
                yield Button(self._no, id="no", variant="default" if self._is_harmless else "primary")
                yield Button(self._yes, id="yes", variant="primary" if self._is_harmless else "error")

    def on_mount(self) -> None:
        """Focus the harmless button."""
        self.query_exactly_one("#yes" if self._is_harmless else "#no", Button).focus()

    def action_answer(self, answer: bool) -> None:
        """Close the dialog with the given answer."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class PromptArea(TextArea):
    """Text area in which Enter runs the prompt and Ctrl+J inserts a line break. Pasted text keeps its line breaks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.ask", _("Run"), id="ask", priority=True),
        Binding("ctrl+j", "new_line", _("New line"), id="new_line", tooltip=_("Insert a line break")),
    ]

    def action_new_line(self) -> None:
        """Insert a line break."""
        self.insert("\n")


class OwnPrompt(ModalScreen[str | None]):
    """Dialog in which the user types a prompt; its result is the prompt, or None if the user cancels."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", _("Back"), id="back")]

    area = getters.query_one(PromptArea)

    def __init__(self, names: tuple[str, ...], text: str, choices: Choices) -> None:
        """Create the dialog.

        Args:
            names: names of the models that will run the prompt.
            text: initial text.
            choices: options of the run, for the answer length.
        """
        super().__init__()
        self._names, self._text, self._tokens = names, text, own_answer_tokens(choices)

    def compose(self) -> ComposeResult:
        """Yield the text area, the names of the models, and the answer length."""
        with Vertical(classes="dialog own-prompt") as box:
            box.border_title = _("Run your own prompt")
            yield PromptArea(self._text, placeholder=_("Type or paste a prompt"), show_line_numbers=False)
            count = plural("{n} model will run it", "{n} models will run it", len(self._names)).format(
                n=len(self._names)
            )
            yield Label(Content.assemble((count + ": ", "bold"), (", ".join(self._names), "dim")))
            yield Label(_("Answers of at most {n} tokens; Results shows them first.").format(n=self._tokens))
        yield Footer(show_command_palette=False)

    def action_ask(self) -> None:
        """Close the dialog with the typed prompt; if it is empty, ask the user to type one."""
        if self.area.text.strip():
            self.dismiss(self.area.text)
        else:
            self.notify(_("Type a prompt first."), severity="warning")

    def action_give_up(self) -> None:
        """Close the dialog without a prompt."""
        self.dismiss(None)
