"""The line with the names and numbers of the Results tabs, with the open tab marked; a click opens a tab."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from llmtui.words import _


def tab_names() -> dict[str, str]:
    """Return the tabs' titles by their ids, in order."""
    return {
        "models": _("Models"),
        "categories": _("Categories"),
        "trials": _("Trials"),
        "answers": _("Answers"),
        "words": _("In words"),
    }


class TabLine(Widget):
    """One line of tab names. The screen handles the keys and sets the open tab."""

    DEFAULT_CSS = """
    TabLine {
        height: 1;
        padding: 0 1;
        color: $text-muted;
        text-wrap: nowrap;
        link-style: none;
        link-color: $text-muted;
        link-style-hover: bold;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._open = next(iter(tab_names()))

    def show_open(self, tab: str) -> None:
        """Mark another tab as the open one."""
        self._open = tab
        self.refresh()

    def render(self) -> Content:
        """Return the line of tab names."""
        parts: list[Content] = []
        for number, (tab, name) in enumerate(tab_names().items(), start=1):
            if tab == self._open:
                parts.append(Content.styled(f" {number} {name} ", "bold $text on $primary 35%"))
            else:
                parts.append(Content(f" {number} {name} ").stylize(Style.from_meta({"@click": f"screen.tab('{tab}')"})))
        return Content(" ").join(parts)
