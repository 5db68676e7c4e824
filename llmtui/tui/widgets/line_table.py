"""A table for thousands of lines: only visible lines are rendered, so filling and sorting it takes almost no time.

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
"""Width of the space between two columns, in cells."""


class LineColumn(NamedTuple):
    """One column: its key, its header, its width in cells, and whether it is right-aligned."""

    key: str
    head: str
    width: int
    is_number: bool = False


class LineTable(ScrollView, Generic[Item], can_focus=True):
    """Base class of tables: subclasses define ``cell``, and set columns and items with ``show_lines``."""

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
    """Index of the line under the cursor."""

    class Opened(Message):
        """Posted when the user presses Enter, or clicks the line under the cursor, to open it."""

    class Moved(Message):
        """Posted when the cursor has moved or the lines have changed."""

    class HeadClicked(Message):
        """Posted when the user clicks a column's header."""

        def __init__(self, column: str) -> None:
            self.column = column
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.items: Sequence[Item] = ()
        self.columns: Sequence[LineColumn] = ()

    def cell(self, item: Item, column: str) -> Content:
        """Return the cell of an item in a column; to be defined by subclasses."""
        raise NotImplementedError

    def show_lines(self, columns: Sequence[LineColumn], items: Sequence[Item]) -> None:
        """Show other lines; the cursor keeps its index if there are enough lines."""
        self.columns, self.items = columns, items
        width = sum(one.width for one in columns) + GAP * len(columns)
        grow_without_layout(self, Size(width, len(items) + 1))
        self.cursor = self.validate_cursor(self.cursor)
        self.refresh()
        self.post_message(self.Moved())

    @property
    def marked(self) -> Item | None:
        """The item under the cursor; None if there are no lines."""
        return self.items[self.cursor] if self.items else None

    def validate_cursor(self, at: int) -> int:
        """Limit the cursor to the existing lines."""
        return max(0, min(at, len(self.items) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Scroll to the line under the cursor; post ``Moved`` if the cursor has moved."""
        self._show_cursor()
        self.refresh()
        if before != now:
            self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Keep the line under the cursor visible."""
        self._show_cursor()

    def _show_cursor(self) -> None:
        # The header covers the window's first row, so the region starts one row above the line.
        self.scroll_to_region(
            Region(round(self.scroll_x), self.cursor, 1, 2), animate=False, force=True, immediate=True
        )

    def action_move(self, by: int) -> None:
        """Move the cursor by a number of lines."""
        self.cursor += by

    def action_page(self, pages: int) -> None:
        """Move the cursor by a number of pages."""
        self.cursor += pages * max(1, self.scrollable_content_region.height - 2)

    def action_open_line(self) -> None:
        """Open the line under the cursor."""
        if self.items:
            self.post_message(self.Opened())

    def on_click(self, event: Click) -> None:
        """Move the cursor to the clicked line, or open it if the cursor is there already; report a clicked header."""
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
        """Return one row of the window: the header (row 0) or the line at that row."""
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
    """Return a cell cut or padded to the width of its column."""
    room = column.width - cell.cell_length
    if room < 0:
        return cell.truncate(column.width, ellipsis=True)
    return cell.pad_left(room) if column.is_number else cell.extend_right(room)
