"""The first line of every screen: the program's name and its places, the one we are in marked; help and the way out."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from llmtui.words import _


class NavBar(Horizontal):
    """Places with their keys; a click goes there."""

    DEFAULT_CSS = """
    NavBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $text-muted;
        & > Static { text-wrap: nowrap; text-overflow: ellipsis; width: 1fr; }
        & > .ways-out { width: auto; }
    }
    """

    def __init__(self, here: str, *, read_only: bool = False) -> None:
        """Makes the line for a place: ``setup``, ``live``, ``results`` or ``history``."""
        super().__init__()
        self._here = here
        self._read_only = read_only

    def compose(self) -> ComposeResult:
        """Places on the left, help and the way out on the right."""
        places = [("setup", _("Setup"), "F2"), ("live", _("Live"), "F3"), ("results", _("Results"), "F4")]
        places.append(("history", _("History"), "F5"))
        parts: list[Content] = [Content.styled("llmtui", "bold $accent"), Content("  ")]
        for place, name, key in places:
            if self._read_only and place == "setup":
                continue
            if place == self._here:
                parts.append(Content.styled(f" {name} ", "bold $text on $primary 35%"))
            else:
                parts.append(_link(f"go('{place}')", name, key))
        yield Static(Content("").join(parts))
        yield Static(_link("help", _("Help"), "F1") + _link("quit_or_ask", _("Quit"), "q"), classes="ways-out")


def _link(action: str, name: str, key: str) -> Content:
    return Content.from_markup(f"[@click=app.{action}] $name [dim]$key[/dim] [/]", name=name, key=key)
