"""The details of a model in a dialog, for screens too narrow to show them beside the list."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from llmtui.words import _


class ModelWindow(ModalScreen[None]):
    """Dialog with the details of a model."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,i,enter", "app.pop_screen", _("Back"), id="back")]

    def __init__(self, name: str, text: Content) -> None:
        super().__init__()
        self._name, self._text = name, text

    def compose(self) -> ComposeResult:
        """Yield the details in a frame, and the footer with the keys."""
        with VerticalScroll(classes="dialog card") as box:
            box.border_title = self._name
            yield Static(self._text)
        yield Footer(show_command_palette=False)
