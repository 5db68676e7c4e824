"""The names of the tabs of Results with their numbers, the open one marked; a click opens another."""

from __future__ import annotations

from textual.content import Content
from textual.style import Style
from textual.widget import Widget


class TabLine(Widget):
    """One line. The screen has the keys, and tells which tab is open."""

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

    def __init__(self, names: dict[str, str], *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Make the line.

        Args:
            names: of the tabs, by their ids, in order.
            id: for the style sheet.
        """
        super().__init__(id=id)
        self._names = names
        self._open = next(iter(names))

    def show_open(self, tab: str) -> None:
        """Mark another tab."""
        self._open = tab
        self.refresh()

    def render(self) -> Content:
        """Return the names."""
        parts: list[Content] = []
        for number, (tab, name) in enumerate(self._names.items(), start=1):
            if tab == self._open:
                parts.append(Content.styled(f" {number} {name} ", "bold $text on $primary 35%"))
            else:
                parts.append(Content(f" {number} {name} ").stylize(Style.from_meta({"@click": f"screen.tab('{tab}')"})))
        return Content(" ").join(parts)
