"""The columns of the model list: which ones fit into a width, their titles and cells, and the order of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Literal

import msgspec

from llmtui.core.estimate import PastSpeed
from llmtui.core.events import ListedModel
from llmtui.core.fit import Fit
from llmtui.core.planning import shown_name
from llmtui.core.short_names import short_names
from llmtui.words import _
from llmtui.words.figures import decimals_aligned, fixed, rate

ColumnId = Literal["name", "size", "parameters", "quantisation", "fits", "speed", "context", "family"]
SORTED_BY: Final[tuple[ColumnId, ...]] = ("name", "size", "parameters", "fits", "speed")
"""Columns by which the rows can be sorted, in the order in which repeated presses of the sort key choose them."""
GAP: Final = 2
NAME_LEAST: Final = 14
NAME_TOLD_APART: Final = 26
"""Width in cells reserved for a long name, since names such as ``hf.co/…`` often differ only in the middle."""
IN_MEMORY: Final = " ●"
"""Mark after the name of a model that is in memory."""
NO_FIT: Final = Fit(word=None)


class ListedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about one model of the list."""

    listed: ListedModel
    fit: Fit = NO_FIT
    past: PastSpeed | None = None
    """The model's speed in earlier sessions on this machine."""

    @property
    def name(self) -> str:
        """The model's name without its folders."""
        return shown_name(self.listed.model, mixed=False)


class ListColumn(msgspec.Struct, frozen=True):
    """One column as shown: its width and one cell per usable model."""

    id: ColumnId
    title: str
    width: int
    cells: dict[str, str]
    """The cells' texts, by the model's full name (``Model.spelling``)."""
    right: bool = True

    def padded(self, text: str) -> str:
        """Return a text padded to the column's width."""
        return f"{text:>{self.width}}" if self.right else f"{text:<{self.width}}"


class ListLayout(msgspec.Struct, frozen=True):
    """The columns that fit into a width, with the name first."""

    name: ListColumn
    figures: tuple[ListColumn, ...]

    @property
    def width(self) -> int:
        """Total width of the columns, in cells."""
        return self.name.width + sum(column.width + GAP for column in self.figures)


def layout(facts: Sequence[ListedFacts], width: int) -> ListLayout:
    """Return the columns that fit into a width beside names that are still distinguishable."""
    usable = [one for one in facts if one.listed.why_not is None]
    names = [one.name for one in facts]
    mark = len(IN_MEMORY) if any(one.listed.resident is not None for one in usable) else 0
    width -= mark
    longest = max((len(one.name) for one in usable), default=NAME_LEAST)
    least = max(NAME_LEAST, min(longest, NAME_TOLD_APART))
    left, kept = width - least, set[ColumnId]()
    columns = {column.id: column for column in _figures(usable)}
    for wanted in ("size", "fits", "parameters", "quantisation", "speed", "context", "family"):
        column = columns.get(wanted)
        # Context and family are shown only if no name is shortened for them.
        spare = longest - least if wanted in ("context", "family") else 0
        if column is not None and left - spare >= column.width + GAP:
            kept.add(column.id)
            left -= column.width + GAP
    name_width = min(longest + (GAP if left > longest else 0), least + max(left, 0))
    short = short_names(names, name_width)
    shown = {one.listed.model.spelling: short[one.name] for one in facts}
    name = ListColumn("name", _("model"), name_width + mark, shown, right=False)
    return ListLayout(name, tuple(column for column in columns.values() if column.id in kept))


def _figures(usable: Sequence[ListedFacts]) -> list[ListColumn]:
    """Return the columns to the right of the name, in order; columns without any known value are left out."""
    size_title, sizes = _sizes(usable)
    speeds = _rates([None if one.past is None else one.past.decode_tps for one in usable])
    found = [
        ("size", size_title, sizes, True),
        ("parameters", _("params"), [one.listed.model.parameters or "" for one in usable], True),
        ("quantisation", _("quant"), [one.listed.model.quantisation or "" for one in usable], False),
        ("fits", _("fits"), [fit_cell(one.fit) for one in usable], False),
        ("speed", _("tok/s"), speeds, True),
        ("context", _("context"), [_whole(one.listed.model.context_limit) for one in usable], True),
        ("family", _("family"), [one.listed.model.family or "" for one in usable], False),
    ]
    keys = [one.listed.model.spelling for one in usable]
    return [
        # One cell more than the title, for the sort arrow after it.
        ListColumn(name, title, max(len(title) + 1, *map(len, cells)), dict(zip(keys, cells, strict=True)), right)  # type: ignore[arg-type]
        for name, title, cells, right in found
        if any(cells) or (name == "fits" and any(one.fit.room_bytes is not None for one in usable))
    ]


def _rates(values: Sequence[float | None]) -> list[str]:
    """Return the values with three significant digits each and aligned decimal marks."""
    return decimals_aligned([rate(value) for value in values])


def _sizes(usable: Sequence[ListedFacts]) -> tuple[str, list[str]]:
    """Return the column's title with a unit that suits the largest size, and the sizes in that unit."""
    sizes = [one.listed.model.size_bytes for one in usable]
    unit, per = ("GB", 1e9) if max((size or 0 for size in sizes), default=0) >= 1e8 else ("MB", 1e6)
    return _("size {unit}").format(unit=unit), [_size(size, per) for size in sizes]


def _size(size: int | None, per: float) -> str:
    if size is None:
        return ""
    return fixed(size / per, 2) if size / per >= 0.005 else f"<{fixed(0.01, 2)}"


def fit_cell(fit: Fit) -> str:
    """Return the cell that shows whether a model fits into memory; empty if unknown."""
    if fit.word == "fits":
        return "✓"
    if fit.word == "tight":
        return _("tight")
    if fit.word == "too_large":
        assert fit.need_bytes is not None
        assert fit.room_bytes is not None
        return f"✗ {_round_gb(fit.need_bytes)} > {_round_gb(fit.room_bytes)}"
    return ""


def _round_gb(size: int) -> str:
    return fixed(size / 1e9, 0 if size >= 10e9 else 1)


def _whole(number: int | None) -> str:
    return "" if number is None else str(number)


def in_order(facts: Iterable[ListedFacts], by: ColumnId | None, *, reverse: bool = False) -> list[ListedFacts]:
    """Return the rows sorted by a column, or in their listed order if ``by`` is None.

    Rows without a value in that column follow the others; models that cannot be measured are last.
    """
    rows = sorted(facts, key=lambda one: one.listed.why_not is not None)
    if by is None:
        return rows
    value = _VALUES[by]
    known = [one for one in rows if one.listed.why_not is None and value(one) is not None]
    known.sort(key=lambda one: value(one), reverse=reverse)  # type: ignore[arg-type,return-value]
    return [*known, *(one for one in rows if one not in known)]


def largest_first(by: ColumnId) -> bool:
    """Return whether sorting by a column starts with the largest value, which is so only for the speed."""
    return by == "speed"


def _parameters(one: ListedFacts) -> float | None:
    """Convert a parameter count given as text, such as ``7.2B``, to a number; None if it cannot be parsed."""
    text = (one.listed.model.parameters or "").strip().upper()
    scale = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(text[-1:], 0.0)
    try:
        return float(text[:-1]) * scale if scale else None
    except ValueError:
        return None


_FIT_ORDER: Final = {"fits": 0, "tight": 1, "too_large": 2}
_VALUES: Final[dict[ColumnId, Callable[[ListedFacts], str | float | None]]] = {
    "name": lambda one: one.name.lower(),
    "size": lambda one: one.listed.model.size_bytes,
    "parameters": _parameters,
    "quantisation": lambda one: one.listed.model.quantisation,
    "fits": lambda one: None if one.fit.word is None else _FIT_ORDER[one.fit.word],
    "speed": lambda one: None if one.past is None else one.past.decode_tps,
    "context": lambda one: one.listed.model.context_limit,
    "family": lambda one: one.listed.model.family,
}
