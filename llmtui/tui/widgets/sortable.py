"""Tables that can be sorted by their columns, with a key or by a click on a column's header."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual.binding import Binding, BindingType
from textual.widgets import DataTable
from textual.widgets.data_table import CellType

from llmtui.words import _

R = TypeVar("R")
Value = float | str | None


class Sorting(NamedTuple):
    """The column by which a table is sorted, and the direction."""

    column: str
    descending: bool

    @property
    def mark(self) -> str:
        """The sort arrow to put after the column's header."""
        return "▾" if self.descending else "▴"


def sort_binding() -> Binding:
    """Return the key binding that sorts a table by its next column."""
    return Binding("comma", "sort_next", _("Sort"), id="table.sort", show=False, tooltip=_("Sort by the next column"))


class Sortable:
    """Base class of tables whose rows are in a default order until the user sorts them by a column.

    The comma key sorts by the next column; after the last column, it restores the default order. A click on a header
    sorts by that column, a second click reverses the order, and a third one restores the default order.
    """

    sorting: Sorting | None = None
    """The chosen order; None for the default order."""

    def sortable(self) -> Sequence[tuple[str, bool]]:
        """Return (column, whether sorting by it starts with the greatest value) of each column that can be sorted."""
        raise NotImplementedError

    def sort_changed(self) -> None:
        """Show the rows in the new order; called when ``sorting`` has changed."""
        raise NotImplementedError

    def mark(self, column: str) -> str:
        """Return the sort arrow to put after a column's header; empty if the table is not sorted by that column."""
        return self.sorting.mark if self.sorting is not None and self.sorting.column == column else ""

    def in_order(self, rows: Iterable[R], value: Callable[[R, str], Value]) -> list[R]:
        """Return the rows in the chosen order; rows without a value are last.

        Args:
            rows: rows in their default order.
            value: returns a row's value in a column.
        """
        listed = list(rows)
        if self.sorting is None:
            return listed
        column, descending = self.sorting
        there = [(found, row) for row in listed if (found := value(row, column)) not in (None, "")]
        missing = [row for row in listed if value(row, column) in (None, "")]
        ordered = sorted(there, key=lambda pair: _comparable(pair[0]), reverse=descending)
        return [*(row for _found, row in ordered), *missing]

    def action_sort_next(self) -> None:
        """Sort by the next column; after the last one, restore the default order."""
        columns = [column for column, _descending in self.sortable()]
        at = columns.index(self.sorting.column) if self.sorting and self.sorting.column in columns else -1
        self._sort_by(columns[at + 1] if at + 1 < len(columns) else None)

    def sort_by_head(self, column: str) -> None:
        """Change the order after a click on a column's header."""
        first = dict(self.sortable())
        if column not in first:
            return
        if self.sorting is None or self.sorting.column != column:
            self._sort_by(column)
        elif self.sorting.descending == first[column]:
            self.sorting = Sorting(column, not self.sorting.descending)
            self.sort_changed()
        else:
            self._sort_by(None)

    def _sort_by(self, column: str | None) -> None:
        self.sorting = None if column is None else Sorting(column, dict(self.sortable())[column])
        self.sort_changed()


class SortableTable(Sortable, DataTable[CellType], Generic[CellType]):
    """Textual's table, sorted by a key or by clicks on its headers."""

    BINDINGS: ClassVar[list[BindingType]] = [sort_binding()]

    def as_rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the header without its sort arrow, then the rows as displayed; all cells are text."""
        columns = self.ordered_columns
        heads = (str(column.label).removesuffix(self.mark(str(column.key.value))) for column in columns)
        rows = (self.get_row_at(number) for number in range(self.row_count))
        return (
            tuple(" ".join(head.split()) for head in heads),
            *(tuple(str(cell).strip() for cell in row) for row in rows),
        )

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the clicked column."""
        event.stop()
        self.sort_by_head(str(event.column_key.value))


def _comparable(value: Value) -> tuple[int, float, str]:
    """Return the sort key of a value: numbers come first, by size, then texts in alphabetical order, ignoring case."""
    return (1, 0.0, value.casefold()) if isinstance(value, str) else (0, value or 0.0, "")
