"""The dialog over History to set a session's name and note."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label

from llmtui.words import _


class LabelDialog(ModalScreen[tuple[str, str] | None]):
    """Dialog for a session's name and note; its result is (name, note), or None if the user cancels."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", _("Back"), id="back"),
        Binding("enter", "keep", _("Keep"), id="keep", priority=True, tooltip=_("Save the name and the note")),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    def __init__(self, title: str, name: str, note: str) -> None:
        """Create the dialog.

        Args:
            title: the session's current title.
            name: its name, possibly empty.
            note: its note, possibly empty.
        """
        super().__init__()
        self._title, self._name, self._note = title, name, note

    def compose(self) -> ComposeResult:
        """Yield the two fields."""
        with Vertical(classes="dialog label") as box:
            box.border_title = self._title
            yield Label(_("Name"))
            yield Input(self._name, placeholder=_("such as: before the driver update"), compact=True, id="label-name")
            yield Label(_("Note"))
            yield Input(self._note, compact=True, id="label-note")
        yield Footer(show_command_palette=False)

    def action_keep(self) -> None:
        """Close the dialog with the typed name and note."""
        name, note = (self.query_exactly_one(f"#label-{part}", Input).value for part in ("name", "note"))
        self.dismiss((name, note))

    def action_give_up(self) -> None:
        """Close the dialog without a change."""
        self.dismiss(None)
