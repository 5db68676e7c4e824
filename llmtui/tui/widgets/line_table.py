"""A table of thousands of lines: only those on show are made, so that filling and sorting it costs nothing.

Textual's DataTable measures every cell of every row when it is filled: 0.6 s for 2,000 rows of eight cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from llmtui.tui._textual_hacks import grow_without_layout
from llmtui.words import _

Item = TypeVar("Item")
GAP = 2
"""Cells between two columns."""


class LineColumn(NamedTuple):
    """One column: its name, its head, its width in cells, and whether it is flush right."""

    key: str
    head: str
    width: int
    is_number: bool = False


class LineTable(ScrollView, Generic[Item], can_focus=True):
    """Subclasses say what a line's cells are (``cell``), and set columns and items by ``show_lines``."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-table--head", "line-table--cursor", "line-table--odd"}
    DEFAULT_CSS = """
    LineTable {
        height: 1fr;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        & > .line-table--head { background: $panel; color: $text-muted; }
        & > .line-table--odd { background: $foreground 4%; }
        & > .line-table--cursor { background: $block-cursor-blurred-background; color: $foreground; }
        &:focus > .line-table--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_line", _("Open"), id="line_table.open"),
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-1000000000)", show=False),
        Binding("end", "move(1000000000)", show=False),
    ]

    cursor: reactive[int] = reactive(0)
    """Place of the marked line among those on show."""

    class Opened(Message):
        """A line is to be looked at: by Enter, or by a click on the marked one."""

    class Moved(Message):
        """Another line is marked, or the lines are others."""

    class HeadClicked(Message):
        """A column's head was clicked."""

        def __init__(self, column: str) -> None:
            self.column = column
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.items: Sequence[Item] = ()
        self.columns: Sequence[LineColumn] = ()

    def cell(self, item: Item, column: str) -> Content:
        """Return a line's cell in a column."""
        raise NotImplementedError

    def show_lines(self, columns: Sequence[LineColumn], items: Sequence[Item]) -> None:
        """Show other lines; the marked place stays where it is, as far as there are lines."""
        self.columns, self.items = columns, items
        width = sum(one.width for one in columns) + GAP * len(columns)
        grow_without_layout(self, Size(width, len(items) + 1))
        self.cursor = self.validate_cursor(self.cursor)
        self.refresh()
        self.post_message(self.Moved())

    @property
    def marked(self) -> Item | None:
        """The item under the cursor; None where there is no line."""
        return self.items[self.cursor] if self.items else None

    def validate_cursor(self, at: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(at, len(self.items) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Bring the marked line on show."""
        self._show_cursor()
        self.refresh()
        if before != now:
            self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Keep the marked line on show."""
        self._show_cursor()

    def _show_cursor(self) -> None:
        # The head covers the first line of the window: what is scrolled to has to be one line above.
        self.scroll_to_region(
            Region(round(self.scroll_x), self.cursor, 1, 2), animate=False, force=True, immediate=True
        )

    def action_move(self, by: int) -> None:
        """Mark another line."""
        self.cursor += by

    def action_page(self, pages: int) -> None:
        """Mark a line one page away."""
        self.cursor += pages * max(1, self.scrollable_content_region.height - 2)

    def action_open_line(self) -> None:
        """Open the marked line."""
        if self.items:
            self.post_message(self.Opened())

    def on_click(self, event: Click) -> None:
        """Mark a line, open the marked one, or answer a click on a head."""
        x, y = event.x + round(self.scroll_x), event.y
        if y == 0:
            edge = 0
            for one in self.columns:
                edge += one.width + GAP
                if x < edge:
                    self.post_message(self.HeadClicked(one.key))
                    return
            return
        at = y - 1 + round(self.scroll_y)
        if at >= len(self.items):
            return
        if at == self.cursor:
            self.action_open_line()
        self.cursor = at

    def render_line(self, y: int) -> Strip:
        """Return the head, or the line at a place of the window."""
        at = y - 1 + round(self.scroll_y)
        if y == 0:
            cells = [_fitted(Content(one.head), one) for one in self.columns]
            role = "line-table--head"
        elif at < len(self.items):
            item = self.items[at]
            cells = [_fitted(self.cell(item, one.key), one) for one in self.columns]
            role = "line-table--cursor" if at == self.cursor else "line-table--odd" if at % 2 else ""
        else:
            return Strip.blank(self.size.width, self.rich_style)
        style = self.visual_style + self.get_visual_style(role) if role else self.visual_style
        line = Content(" " * GAP).join(cells)
        width = max(self.virtual_size.width, self.size.width)
        strip = Visual.to_strips(self, line.extend_right(max(0, width - line.cell_length)), width, 1, style)[0]
        left = round(self.scroll_x)
        return strip.crop_extend(left, left + self.size.width, style.rich_style)


def _fitted(cell: Content, column: LineColumn) -> Content:
    """Return a cell in its column's width."""
    room = column.width - cell.cell_length
    if room < 0:
        return cell.truncate(column.width, ellipsis=True)
    return cell.pad_left(room) if column.is_number else cell.extend_right(room)
