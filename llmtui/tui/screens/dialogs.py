"""Small windows over a screen: a question with two answers, a typed prompt, a download."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Footer, Input, Label, ProgressBar, Static, TextArea

from llmtui.core.choices import Choices
from llmtui.core.commands import CancelPull, PullModel
from llmtui.core.events import CommandFailed, PullProgressed
from llmtui.core.planning import own_answer_tokens
from llmtui.tui.feed import Replied
from llmtui.tui.shell import ShellOf
from llmtui.words import _, plural
from llmtui.words.figures import gigabytes
from llmtui.words.problems import problem_remedy, problem_what


class ConfirmDialog(ModalScreen[bool]):
    """A question; the harmless answer has the focus."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", _("Yes"), show=False, id="yes"),
        Binding("n,escape", "answer(False)", _("No"), show=False, id="no"),
        Binding("left,right,up,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, words: str, *, yes: str, no: str) -> None:
        """Create the question; the answers are words for their effects."""
        super().__init__()
        self._title, self._words, self._yes, self._no = title, words, yes, no

    def compose(self) -> ComposeResult:
        """Yield title, words, two buttons."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            yield Static(self._words)
            with Horizontal(classes="buttons"):
                yield Button(self._no, id="no", variant="primary")
                yield Button(self._yes, id="yes", variant="error")

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class PromptArea(TextArea):
    """Enter runs the prompt, Ctrl+J inserts a new line; pasted lines stay lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.ask", _("Run"), id="ask", priority=True),
        Binding("ctrl+j", "new_line", _("New line"), id="new_line"),
    ]

    def action_new_line(self) -> None:
        """Insert a line break."""
        self.insert("\n")


class OwnPrompt(ModalScreen[str | None]):
    """A typed prompt; None where the user cancelled."""

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
        """Yield the text, and the models."""
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
        """Run the typed prompt."""
        if self.area.text.strip():
            self.dismiss(self.area.text)
        else:
            self.notify(_("Type a prompt first."), severity="warning")

    def action_give_up(self) -> None:
        """Close without running."""
        self.dismiss(None)


class Download(ModalScreen[str | None]):
    """Downloads a model to the server, with its progress; returns its name when it is there."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", _("Stop and close"), id="stop_download")]

    shell = ShellOf()
    field = getters.query_one(Input)
    bar = getters.query_one(ProgressBar)

    def __init__(self, name: str = "") -> None:
        """Create the window, with a name already typed."""
        super().__init__()
        self._name = name
        self._loading: str | None = None
        self._has_part = False

    def compose(self) -> ComposeResult:
        """Yield the name, the bar, and the server's status."""
        with Vertical(classes="dialog download") as box:
            box.border_title = _("Download a model")
            yield Input(self._name, placeholder="llama3.2:1b", compact=True)
            yield ProgressBar(show_eta=True)
            yield Static(_("A name from ollama.com/library, then Enter."), id="download-said")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Hide the bar until there is something to show."""
        self.bar.display = False

    @on(Input.Submitted)
    def _begin(self, event: Input.Submitted) -> None:
        event.stop()
        name = event.value.strip()
        if name and self._loading is None and self.shell.send(PullModel(name=name)):
            self._loading = name
            self._has_part = False
            self.field.disabled = True
            self._say(Content(_("Asking the server for {name} …").format(name=name)))

    @on(Replied)
    def _heard(self, message: Replied) -> None:
        reply = message.reply
        if isinstance(reply, PullProgressed) and reply.name == self._loading:
            self._moved(reply)
        elif isinstance(reply, CommandFailed) and self._loading is not None:
            self._failed(problem_what(reply.problem), problem_remedy(reply.problem))

    def _moved(self, step: PullProgressed) -> None:
        if step.problem is not None:
            self._failed(problem_what(step.problem), problem_remedy(step.problem))
            return
        if step.done:
            self.notify(_("{name} is downloaded.").format(name=step.name), title=_("Downloaded"))
            self.dismiss(step.name)
            return
        known = step.total_bytes is not None and step.completed_bytes is not None
        self._has_part |= bool(step.completed_bytes)
        self.bar.display = True
        self.bar.update(total=step.total_bytes, progress=step.completed_bytes or 0)
        amount = (
            _("{done} of {total}").format(done=gigabytes(step.completed_bytes), total=gigabytes(step.total_bytes))
            if known
            else ""
        )
        self._say(Content.assemble(step.status, "  ", (amount, "bold")))

    def _failed(self, what: str, remedy: str | None) -> None:
        self._loading = None
        self.field.disabled = False
        self.field.focus()
        said = Content.assemble(("✗ ", "bold $error"), what, "  ", (remedy or "", "dim italic"))
        self.bar.display = False
        if self._has_part:
            said = Content("\n").join([said, Content(_("Enter continues the download."))])
        self._say(said)

    def _say(self, words: Content) -> None:
        self.query_exactly_one("#download-said", Static).update(words)

    def action_stop(self) -> None:
        """Stop the download, if there is one; the part already there is kept for the next attempt."""
        if self._loading is not None:
            self.shell.send(CancelPull())
            self.notify(_("Stopped. The part already downloaded is kept; downloading again continues from there."))
        self.dismiss(None)
