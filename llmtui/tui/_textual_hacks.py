"""All uses of private parts of Textual, each with its purpose and the reason why no public part is enough.

Checked with Textual 8.2.6 and 8.2.8. A test ensures that nothing else in the package uses private parts of libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.widget import Widget
from textual.widgets._footer import FooterKey

if TYPE_CHECKING:
    from textual.widgets import DataTable, Digits

__all__ = ["FooterKey", "bound_caches", "grow_without_layout", "show_without_layout", "write_sequence"]

# FooterKey: the widget of one key in the footer, needed to measure its width. Textual exports only the footer.


def bound_caches(table: DataTable[Any], *, cells: int, rows: int) -> None:
    """Limit a table's cache of painted cells and rows.

    Textual's defaults (10,000 cells, 1,000 rows) use tens of megabytes in a long session; no parameter sets them.
    """
    table._cell_render_cache.maxsize = cells  # noqa: SLF001
    table._row_render_cache.maxsize = rows  # noqa: SLF001
    table._row_renderable_cache.maxsize = rows  # noqa: SLF001
    table._line_cache.maxsize = rows  # noqa: SLF001


def show_without_layout(digits: Digits, value: str) -> None:
    """Show a number in a ``Digits`` widget of fixed width.

    Textual's ``Digits.update`` lays out the whole screen again if the length of the text changes.
    """
    digits._value = value  # noqa: SLF001
    digits.refresh()


def grow_without_layout(view: ScrollView, size: Size) -> None:
    """Set the virtual size of a scrolled view and the range of its scrollbars.

    Assigning ``virtual_size`` lays out the whole screen, which costs more than painting the new rows.
    """
    view.set_reactive(Widget.virtual_size, size)
    view._scroll_update(size)  # noqa: SLF001


def write_sequence(app: App[Any], sequence: str) -> None:
    """Write a control sequence (title, bell, mode) to the app's terminal; do nothing without a terminal.

    The driver owns the terminal's output buffer; writing to the terminal directly would corrupt a frame.
    """
    driver = app._driver  # noqa: SLF001
    if driver is not None and not app.is_headless:
        driver.write(sequence)
