"""The list of models on Setup: one row per model, sorted by a column; test models (only for speed) are collapsed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.content import Content

from llmtui.core.plan import BUILTIN, SPEED_NOTE, Model
from llmtui.core.short_names import short_names
from llmtui.tui.text.model_columns import (
    GAP,
    IN_MEMORY,
    SORTED_BY,
    ColumnId,
    ListColumn,
    ListedFacts,
    ListLayout,
    in_order,
    largest_first,
    layout,
)
from llmtui.tui.widgets.pick_list import PickList
from llmtui.words import _, plural
from llmtui.words.problems import unfit_words
from llmtui.words.trials import note_words

INSIDE: Final = "builtin:"
"""Id of the heading above the built-in server's models."""
TESTING: Final = "testing:"
"""Id of the heading of the test models; selecting it expands or collapses them."""
_REMARK_LEAST: Final = 12
_FIT_STYLES: Final = {"fits": "$text-success", "tight": "$text-warning", "too_large": "$text-error"}


class ModelOptions(PickList):
    """A list of models to pick from, one line per model."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "pick_all", _("All"), id="all_models", tooltip=_("Pick all models that fit, or none")),
        Binding(
            "slash",
            "screen.filter_models",
            _("Filter"),
            id="filter",
            key_display="/",
            tooltip=_("Show only the models whose names contain what you type"),
        ),
    ]
    HELP = _(
        """
        ## Models
        - **Space** picks, **a** picks all that fit, **/** filters, **,** sorts; a click on a header sorts by it
        - **fits**: file and KV cache of the chosen context against free memory, in GB; the details show the sum
        - **●** in memory now; its first trial is a cold start all the same
        - **tok/s**: last speed measured on this machine

        Grey lines cannot be measured; the reason is beside them. Models made for testing are folded at the end.
        """
    )

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, ListedFacts] = {}
        """Facts about each model, by the model's full name (``Model.spelling``)."""
        self.sorted_by: ColumnId | None = None
        self.reverse = False
        self._mixed = False
        self._folded = True
        self._filtering = False

    def take(self, facts: Sequence[ListedFacts]) -> None:
        """Store the facts of another list of models; nothing is drawn yet."""
        self.facts = {one.listed.model.spelling: one for one in facts}
        self._mixed = any(one.listed.model.backend != BUILTIN for one in facts)

    def show_models(
        self, items: Collection[str], picked: Collection[str] | None = None, *, filtering: bool = False
    ) -> None:
        """Show the given models, sorted.

        Models of the built-in server follow those of another server; test models are last.
        """
        if picked is not None and any(self._is_for_testing(item) for item in picked):
            self._folded = False  # picked models must be visible
        self._filtering = filtering
        rows = [one for one in self.facts.values() if one.listed.model.spelling in items]
        ordered = [one.listed.model.spelling for one in in_order(rows, self.sorted_by, reverse=self.reverse)]
        testing = [item for item in ordered if self._is_for_testing(item)]
        inside = [item for item in ordered if self._is_inside(item) and item not in testing]
        others = [item for item in ordered if item not in inside and item not in testing]
        shown = [*others, *([INSIDE] if inside else []), *inside]
        if testing:
            shown += testing if filtering else [TESTING, *([] if self._folded else testing)]
        self.show_items(shown, picked)

    def _is_inside(self, item: str) -> bool:
        """Return whether an item is a model of the built-in server in a list with another server's models."""
        return self._mixed and self.facts[item].listed.model.backend == BUILTIN

    def _is_for_testing(self, item: str) -> bool:
        return item in self.facts and self.facts[item].listed.model.note == SPEED_NOTE

    def sort_by(self, column: ColumnId | None) -> None:
        """Sort by a column; if the list is sorted by it already, reverse the order."""
        if column == self.sorted_by and column is not None:
            self.reverse = not self.reverse
        else:
            self.sorted_by, self.reverse = column, column is not None and largest_first(column)
        self.show_models([item for item in self.facts if self._filtering is False or item in self._shown])

    def sort_next(self) -> None:
        """Sort by the next visible column; after the last one, restore the server's order."""
        there = [by for by in SORTED_BY if by == "name" or any(c.id == by for c in self.columns.figures)]
        at = there.index(self.sorted_by) + 1 if self.sorted_by in there else 0
        self.sorted_by = self.sorted_by if at else None
        self.sort_by(there[at] if at < len(there) else None)

    def usable(self, item: str) -> bool:
        """Return whether the model can be measured."""
        return item in self.facts and self.facts[item].listed.why_not is None

    def selectable(self, item: str) -> bool:
        """Return whether the cursor can go to a line: a usable model, or the heading of the test models."""
        return item == TESTING or self.usable(item)

    def belongs_to_all(self, item: str) -> bool:
        """Return whether "all" picks the model.

        It does if the model is not known to be too large for memory and is not a test model. It picks models of the
        built-in server only if the list has no other server's models.
        """
        return not self._is_inside(item) and not self._is_for_testing(item) and not self.left_out_of_all(item)

    def left_out_of_all(self, item: str) -> bool:
        """Return whether "all" removes the model's tick, because it does not fit into memory."""
        return item in self.facts and self.facts[item].fit.word == "too_large"

    def toggle(self, item: str) -> None:
        """Tick or untick a model; on the heading of the test models, expand or collapse them."""
        if item == TESTING:
            self._folded = not self._folded
            self.show_models([one for one in self.facts if self._filtering is False or one in self._shown])
        else:
            super().toggle(item)

    @property
    def columns(self) -> ListLayout:
        """The columns that fit in the list's current width."""
        return layout(tuple(self.facts.values()), max(self._row_width - 4, 0))

    def row(self, item: str, width: int) -> Content:
        """Return the line of a model or a heading, without the tick."""
        if item == INSIDE:
            return Content(_("Inside llmtui (built-in)"))
        facts = tuple(self.facts.values())
        if item == TESTING:
            count = sum(self._is_for_testing(one) for one in self.facts)
            words = plural("For testing: {n} model, speed only", "For testing: {n} models, speed only", count)
            return Content.assemble(("▸ " if self._folded else "▾ ", "$accent"), (words.format(n=count), "dim"))
        one, columns = self.facts[item], layout(facts, width)
        if one.listed.why_not is not None:
            return _unusable_row(one, columns, [each.name for each in facts], width)
        parts = _name(one, columns.name)
        parts += [_cell(one, column, " " * GAP) for column in columns.figures]
        return Content.assemble(*parts, *_remarks(one, width - columns.width, facts))


def _name(one: ListedFacts, column: ListColumn) -> list[tuple[str, str]]:
    name = column.cells[one.listed.model.spelling]
    mark = IN_MEMORY if one.listed.resident is not None else ""
    return [(name, ""), (f"{mark:<{column.width - len(name)}}", "$text-success")]


def _cell(one: ListedFacts, column: ListColumn, gap: str) -> tuple[str, str]:
    style = "" if column.id in ("size", "speed") else "$foreground 70%"
    if column.id == "fits":
        style = _FIT_STYLES.get(one.fit.word or "", "")
    return (gap + column.padded(column.cells[one.listed.model.spelling]), style)


def _unusable_row(one: ListedFacts, columns: ListLayout, names: Sequence[str], width: int) -> Content:
    why = unfit_words(one.listed)
    if columns.name.width + GAP + len(why) > width:
        why = why.partition(":")[0].partition(".")[0]
    room = max(width - len(why) - GAP, columns.name.width)
    return Content(f"{short_names(names, room)[one.name]:<{columns.name.width}}{' ' * GAP}{why}")


def _remarks(one: ListedFacts, left: int, all_facts: Sequence[ListedFacts]) -> list[tuple[str, str]]:
    """Return the text after the figures: "in memory", then as many notes as fit."""
    held, parts = _("in memory"), list[tuple[str, str]]()
    if any(each.listed.resident is not None for each in all_facts) and left >= len(held) + GAP:
        parts.append((f"{'' if one.listed.resident is None else held:>{len(held) + GAP}}", "$text-success"))
        left -= len(held) + GAP
    for word in _words(one.listed.model):
        if left >= min(len(word), _REMARK_LEAST) + GAP:
            if len(word) + GAP > left:
                word = word.partition(",")[0]
            shown = word if len(word) + GAP <= left else f"{word[: left - GAP - 1]}…"
            parts.append((f"  {shown}", "$foreground 70% italic"))
            left -= len(shown) + GAP
    return parts


def _words(model: Model) -> list[str]:
    remarks = [note_words(model.note)] if model.note and not model.is_demo else []
    if model.thinking:
        remarks.append(_("can think"))
    return remarks


def head_row(columns: ListLayout, sorted_by: ColumnId | None, *, reverse: bool) -> Content:
    """Return the header line above the list; a click on a column's title sorts by it."""
    parts: list[Content] = [Content("    ")]
    for column in (columns.name, *columns.figures):
        marks: Mapping[bool, str] = {False: "▴", True: "▾"}
        title = column.title + (marks[reverse] if column.id == sorted_by else "")
        gap = "" if column is columns.name else " " * GAP
        pad = max(column.width - len(title), 0)
        before, behind = (" " * pad, "") if column.right else ("", " " * pad)
        style = "bold" if column.id == sorted_by else "$foreground 70%"
        head = Content.from_markup(f"[@click=screen.sort_models('{column.id}')]$title[/]", title=title)
        parts += [Content(gap + before), head.stylize(style), Content(behind)]
    return Content("").join(parts)
