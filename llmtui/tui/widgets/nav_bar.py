"""The first line of every screen: the program's name and its four places, the one we are in marked."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from llmtui.words import _


class NavBar(Static):
    """Places with their keys; a click goes there."""

    DEFAULT_CSS = """
    NavBar {
        height: 1;
        padding: 0 1;
        background: $panel;
        color: $text-muted;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, here: str, *, read_only: bool = False) -> None:
        """Makes the line for a place: ``setup``, ``live``, ``results`` or ``history``."""
        places = [("setup", _("Setup"), "F2"), ("live", _("Live"), "F3"), ("results", _("Results"), "F4")]
        places.append(("history", _("History"), "F5"))
        parts: list[Content] = [Content.styled("llmtui", "bold $accent"), Content("  ")]
        for place, name, key in places:
            if read_only and place == "setup":
                continue
            if place == here:
                parts.append(Content.styled(f" {name} ", "bold $text on $primary 35%"))
            else:
                parts.append(
                    Content.from_markup(f"[@click=app.go('{place}')] $name [dim]$key[/dim] [/]", name=name, key=key)
                )
        super().__init__(Content("").join(parts))
