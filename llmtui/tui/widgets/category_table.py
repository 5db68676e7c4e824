"""Table of the results by category: one row per category and model, grouped by category."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content

from llmtui.core.measures import Measure, is_lower_bound, reading, value_of
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.summary import CategorySummary, summarise
from llmtui.tui.widgets.result_table import SCROLLBAR_CELLS, ResultTable, head_and_cells, table_figures
from llmtui.tui.widgets.sortable import Value
from llmtui.words import _
from llmtui.words.trials import category_words

KEPT: Final = ("decode_tps", "ttft_ms", "ttfo_ms", "e2e_ms", "tokens", "decode_cps")
"""Columns in order of importance: on a narrow screen the first ones are kept. Columns not listed here come last."""
NAME_CELLS: Final = (14, 32)
GAP: Final = 2


class CategoryTable(ResultTable[CategorySummary]):
    """The table by category. Each row names its model and its category, so that rows can be sorted."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._own_order: tuple[CategorySummary, ...] = ()

    def show(self, session: Session) -> None:
        """Show a session; while it runs, only its complete rounds."""
        order = list(dict.fromkeys(prompt.category for prompt in session.plan.prompts))
        lines = summarise(session).categories
        self._own_order = tuple(sorted(lines, key=lambda line: (order.index(line.category), line.contender)))
        self.sort_changed()

    def sortable(self) -> Sequence[tuple[str, bool]]:
        """Return (column, whether sorting by it starts with the largest value): category, model, visible figures."""
        better = {one.id: one.better for one in table_figures("categories")}
        figures = [(name, better[name] != "lower") for name in self.shown_columns]
        return [("category", False), ("model", False), *figures]

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        if self._own_order:
            self.sort_changed()

    def sort_changed(self) -> None:
        """Show the rows in the chosen order; the cursor keeps its row number."""
        self.lines = tuple(self.in_order(self._own_order, _value))
        row = self.cursor_row
        categories = [category_words(line.category) for line in self.lines]
        names = [line.label for line in self.lines]
        figures = [(one, *category_cells(one, self.lines)) for one in table_figures("categories")]
        figures = [(one, head, cells) for one, head, cells in figures if any(cells)]
        category_width = max(map(cell_len, (*categories, _("Category")))) + GAP
        longest = max(map(cell_len, (*names, _("Model"))), default=0) + GAP
        width = self.app.size.width - SCROLLBAR_CELLS - category_width
        kept = _fitting(figures, width - min(longest, NAME_CELLS[0] + GAP))
        used = sum(_width(head, cells) for _one, head, cells in kept)
        name_width = max(NAME_CELLS[0], min(longest, width - used, NAME_CELLS[1]))
        short = short_names(names, name_width - GAP)
        self.shown_columns = tuple(one.id for one, _head, _cells in kept)
        self.clear(columns=True)
        self.add_column(Text(_("Category") + self.mark("category"), no_wrap=True), width=category_width, key="category")
        self.add_column(Text(_("Model") + self.mark("model"), no_wrap=True), width=name_width, key="model")
        for one, head, cells in kept:
            label = head.rjust(_width(head, cells) - GAP) + self.mark(one.id)
            self.add_column(Text(label, no_wrap=True), width=_width(head, cells), key=one.id)
        for at, line in enumerate(self.lines):
            texts = [Content(cells[at].rjust(_width(head, cells) - GAP)) for _one, head, cells in kept]
            self.add_row(Content(categories[at]), Content(short[line.label]), *texts)
        self.move_cursor(row=min(row, len(self.lines) - 1), animate=False)


def category_cells(one: Measure, lines: Sequence[CategorySummary]) -> tuple[str, list[str]]:
    """Return a column's header and cells; a TTFO that equals TTFT is left out."""
    if one.id == "finished":
        return "n", [_trials(line) for line in lines]
    head, cells = head_and_cells(one, [_reading(one, line) for line in lines])
    signed = [
        f"≥ {cell}" if cell and is_lower_bound(one, line) else cell for line, cell in zip(lines, cells, strict=True)
    ]
    return head, signed


def _reading(one: Measure, line: CategorySummary) -> float | None:
    if one.id == "ttfo_ms" and line.ttft is not None and line.ttfo is not None and line.ttft.value == line.ttfo.value:
        return None
    return value_of(reading(one, line))


def _value(line: CategorySummary, column: str) -> Value:
    names = {"category": category_words(line.category), "model": line.label}
    if column in names:
        return names[column]
    return next(_reading(one, line) for one in table_figures("categories") if one.id == column)


def _fitting(
    figures: Sequence[tuple[Measure, str, list[str]]], width: int
) -> list[tuple[Measure, str, list[str]]]:  # fmt: skip
    """Return the columns that fit in a width, in their usual order."""
    place = {name: at for at, name in enumerate((*KEPT[:2], "finished", *KEPT[2:]))}
    taken = 0
    kept: set[str] = set()
    for one, head, cells in sorted(figures, key=lambda column: place.get(column[0].id, len(place))):
        if taken + _width(head, cells) <= width:
            kept.add(one.id)
            taken += _width(head, cells)
    return [column for column in figures if column[0].id in kept]


def _width(head: str, cells: Sequence[str]) -> int:
    return max(map(cell_len, (*cells, head))) + GAP


def _trials(line: CategorySummary) -> str:
    return f"{line.finished}/{line.finished + line.failed}" if line.failed else f"{line.finished}"
