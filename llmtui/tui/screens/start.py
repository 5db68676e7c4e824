"""The first frame, painted before anything slow is imported, read or started."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from llmtui.tui.widgets.nav_bar import NavBar
from llmtui.words import _

WIDE, TALL = 110, 32
"""Smallest screen width and height, in cells, for Setup's roomier layouts, as in its style sheet."""
PROMPTS_NARROW = 29


class Outline(Widget):
    """A placeholder for the screen that is being loaded: a text and, for Setup, two empty boxes.

    It is a single widget, since every widget and style rule before the first paint costs time.
    """

    DEFAULT_CSS = "Outline { height: 1fr; color: $foreground 45%; }"

    def __init__(self, *, boxes: bool) -> None:
        """Create the placeholder, with or without Setup's boxes."""
        super().__init__()
        self._boxes = boxes

    def render(self) -> Content:
        """Return the placeholder's text for the current size."""
        width, height = self.size
        tall = height + 1 >= TALL
        lines = ["", f" {_('Starting …')}", ""] if tall else [f" {_('Starting …')}"]
        room = height - len(lines) - (9 if tall else 5)
        if not self._boxes or room < 3:
            return Content("\n".join(lines))
        right = round(width * 2 / 5) if width >= WIDE else PROMPTS_NARROW
        left = width - right
        lines += [_top(_("Models"), left) + _top(_("Prompts"), right)]
        lines += [_row("│", " ", "│", left) + _row("│", " ", "│", right)] * (room - 2)
        lines += [_row("╰", "─", "╯", left) + _row("╰", "─", "╯", right)]
        return Content("\n".join(lines))


class StartScreen(Screen[None]):
    """The screen at startup: the navigation line, and a placeholder for the screen that comes next."""

    def __init__(self, place: str, *, read_only: bool) -> None:
        """Create the first frame.

        Args:
            place: name of the main screen that comes next.
            read_only: whether nothing can be started, so that Setup is left out of the navigation line.
        """
        super().__init__()
        self._place = place
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        """Yield the navigation line, and a placeholder for the screen that comes next."""
        yield NavBar(self._place, read_only=self._read_only)
        yield Outline(boxes=self._place == "setup")


def _top(title: str, width: int) -> str:
    return f"╭─ {title} {'─' * (width - len(title) - 5)}╮"


def _row(first: str, middle: str, last: str, width: int) -> str:
    return f"{first}{middle * (width - 2)}{last}"
