"""The first line of every screen: the program's name, its main screens with the current one marked, help and quit."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from llmtui.words import _


class NavBar(Widget):
    """The main screens with their keys on the left, help and quit on the right; each can be clicked."""

    DEFAULT_CSS = """
    NavBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; text-wrap: nowrap; }
    """

    def __init__(self, here: str, *, inside: str = "", read_only: bool = False) -> None:
        """Create the navigation line for a screen.

        Args:
            here: ``setup``, ``live``, ``results`` or ``history``.
            inside: what is open within that screen, such as a saved session; a click on the screen's name goes back.
            read_only: whether nothing can be started, so that Setup is left out.
        """
        super().__init__()
        places = [("setup", _("Setup"), "F2"), ("live", _("Live"), "F3"), ("results", _("Results"), "F4")]
        places.append(("history", _("History"), "F5"))
        self._left = Content.assemble(
            ("llmtui", "bold $accent"),
            "  ",
            *(
                _link(f"go('{place}')", name, key) if place != here else _marked(place, name, inside)
                for place, name, key in places
                if not (read_only and place == "setup")
            ),
        )
        self._help = _link("help", _("Help"), "F1")
        self._quit = _link("quit_or_ask", _("Quit"), "q")

    def render(self) -> Content:
        """Return the line for the current width; if there is too little room, Quit is left out first, then Help."""
        for right in (Content.assemble(self._help, self._quit), self._help):
            gap = self.content_size.width - self._left.cell_length - right.cell_length
            if gap >= 0:
                return Content.assemble(self._left, " " * gap, right)
        return self._left


def _marked(place: str, name: str, inside: str) -> Content:
    """Return the name of the current screen; if something is open in it, a click on the name goes back."""
    if not inside:
        return Content.styled(f" {name} ", "bold $text on $primary 35%")
    back = Content(f" {name} ").stylize(Style.from_meta({"@click": f"app.go('{place}')"}))
    return Content.assemble(back, f"› {inside} ").stylize("bold $text on $primary 35%")


def _link(action: str, name: str, key: str) -> Content:
    content = Content.assemble(f" {name} ", (key, "dim"), " ")
    return content.stylize(Style.from_meta({"@click": f"app.{action}"}))
