"""The last line of every screen: its keys, as many as fit whole; all of them stand in the help."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Footer

from llmtui.tui._textual_hacks import FooterKey

AROUND = 3
"""Blanks before, within and behind a key with its words."""


class KeyLine(Footer):
    """Textual's footer without the palette and without half a key at the edge."""

    def __init__(self) -> None:
        """Makes the line; the keys are those of the screen it is on."""
        super().__init__(show_command_palette=False)
        self._made_for = 0

    def compose(self) -> ComposeResult:
        """Gives the keys from the left until one does not fit."""
        self._made_for = room = self.app.size.width
        for key in super().compose():
            if isinstance(key, FooterKey):
                room -= cell_len(key.key_display) + cell_len(key.description) + AROUND
            if room < 0:
                return
            yield key

    def on_resize(self, event: Resize) -> None:
        """Other keys fit."""
        if self.app.size.width != self._made_for:
            self.call_after_refresh(self.recompose)
