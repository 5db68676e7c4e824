"""The first frame: painted before anything that takes time is imported, read or started."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Static

from llmtui.tui.widgets.nav_bar import NavBar
from llmtui.words import _


class StartScreen(Screen[Any]):
    """The line of places as the next screen has it, and one line of words where that has its first."""

    def __init__(self, place: str, *, read_only: bool) -> None:
        """Makes the frame that comes before a place."""
        super().__init__()
        self._place = place
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        """Two lines."""
        yield NavBar(self._place, read_only=self._read_only)
        starting = Static(_("Starting …"))
        starting.styles.padding = (0, 1)
        yield starting
