"""The dialog to download a model to an Ollama server: a list of small models, a field for a name, and the progress."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Final

import msgspec
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, ProgressBar, Static
from textual.widgets.option_list import Option

from llmtui.core.commands import CancelPull, PullModel
from llmtui.core.events import CommandFailed, PullProgressed
from llmtui.core.names import ollama_name
from llmtui.tui.feed import Replied
from llmtui.tui.shell import ShellOf
from llmtui.words import _
from llmtui.words.figures import Spoken, gigabytes
from llmtui.words.problems import problem_remedy, problem_what


class Suggestion(msgspec.Struct, frozen=True):
    """A small model that runs on most machines."""

    name: str
    size_gb: float
    """Size of the download in GB, as stated on ollama.com/library (2026)."""
    parameters: str


SUGGESTIONS: Final = (
    Suggestion("smollm2:135m", 0.27, "135M"),
    Suggestion("qwen3:0.6b", 0.52, "0.6B"),
    Suggestion("gemma3:1b", 0.82, "1B"),
    Suggestion("llama3.2:1b", 1.3, "1.2B"),
    Suggestion("llama3.2:3b", 2.0, "3.2B"),
    Suggestion("qwen3:4b", 2.6, "4B"),
    Suggestion("mistral:7b", 4.4, "7.2B"),
    Suggestion("llama3.1:8b", 4.9, "8B"),
)
"""The suggested models, smallest first; the first three answer on any machine within seconds."""


class SuggestionList(OptionList):
    """The list of suggestions; Enter downloads the model under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", _("Download"), id="fetch")]


class NameField(Input):
    """Field for another model's name; Enter downloads it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", _("Download"), id="fetch_name")]


class Download(ModalScreen[str | None]):
    """Dialog that downloads a model; its result is the model's name, or None if nothing was downloaded."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab",
            "app.focus_next",
            _("List or name"),
            id="list_or_name",
            tooltip=_("Move between the list and the name"),
        ),
        Binding("escape", "close", _("Back"), id="close_download"),
        Binding("escape", "stop", _("Stop and close"), id="stop_download"),
    ]

    shell = ShellOf()
    field = getters.query_one(Input)
    bar = getters.query_one(ProgressBar)

    def __init__(self, installed: Collection[str] = ()) -> None:
        """Create the dialog.

        Args:
            installed: names of the models that the server has already.
        """
        super().__init__()
        self._installed = {ollama_name(name) for name in installed}
        self._loading: str | None = None
        self._has_part = False

    def compose(self) -> ComposeResult:
        """Yield the list, the field, the progress bar and the server's message."""
        with Vertical(classes="dialog download") as box:
            box.border_title = _("Download a model")
            yield SuggestionList(*(self._option(one) for one in SUGGESTIONS), markup=False, compact=True)
            yield NameField(
                placeholder=_("or another name from ollama.com/library"), compact=True, select_on_focus=False
            )
            yield ProgressBar(show_eta=True)
            yield Static(_("Enter downloads the model chosen in the list or typed below it."), id="download-said")
        yield Footer(show_command_palette=False)

    def _option(self, one: Suggestion) -> Option:
        is_here = ollama_name(one.name) in self._installed
        mark = Content.styled("✓ ", "$text-success") if is_here else Content("  ")
        size = f"{Spoken(one.size_gb):g} GB"
        here = _("downloaded") if is_here else ""
        row = Content.assemble(mark, f"{one.name:<16}", (f"{size:>8}  {one.parameters:>5}  {here}", "$foreground 70%"))
        return Option(row, id=one.name)

    def on_mount(self) -> None:
        """Hide the progress bar until a download begins."""
        self.bar.display = False
        self.query_exactly_one(OptionList).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key can do something now; it depends on whether a download is running."""
        if action == "close":
            return self._loading is None
        return self._loading is not None if action == "stop" else super().check_action(action, parameters)

    def on_key(self, event: Key) -> None:
        """Move a character that is typed in the list to the field for a name.

        Characters that the user types before the field has the focus still reach the list; they are appended, too.
        """
        if event.is_printable and event.character and not self.field.disabled:
            event.stop()
            begun = "" if self.focused is self.query_exactly_one(OptionList) else self.field.value
            self.set_focus(self.field, scroll_visible=False)
            self.field.value = begun + event.character
            self.field.cursor_position = len(self.field.value)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._begin(event.option_id or "")

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        self._begin(event.value.strip())

    def _begin(self, name: str) -> None:
        if name and self._loading is None and self.shell.send(PullModel(name=name)):
            self._loading = name
            self._has_part = False
            self._allow(False)
            self._say(Content(_("Asking the server for {name} …").format(name=name)))

    def _allow(self, allowed: bool) -> None:
        """Enable or disable the choice of a model; it is disabled during a download."""
        self.field.disabled = not allowed
        self.query_exactly_one(OptionList).disabled = not allowed
        self.refresh_bindings()

    def action_close(self) -> None:
        """Close the dialog without a download."""
        self.dismiss(None)

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
        failed, self._loading = self._loading, None
        self._allow(True)
        self.field.value = failed or ""
        self.set_focus(self.field)  # at once, since the user may press Enter as soon as the message appears
        said = Content.assemble(("✗ ", "bold $error"), what, "  ", (remedy or "", "dim italic"))
        self.bar.display = False
        if self._has_part:
            said = Content("\n").join([said, Content(_("Enter continues the download."))])
        self._say(said)

    def _say(self, words: Content) -> None:
        self.query_exactly_one("#download-said", Static).update(words)

    def action_stop(self) -> None:
        """Stop a running download and close the dialog; the downloaded part is kept."""
        if self._loading is not None:
            self.shell.send(CancelPull())
            self.notify(_("Stopped. The part already downloaded is kept; downloading again continues from there."))
        self.dismiss(None)
