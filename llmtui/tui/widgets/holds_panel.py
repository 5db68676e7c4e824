"""The conclusions of a comparison: one line each, with a sign, the ratio and its interval.

A click on a line opens its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.what_holds import Holding
from llmtui.words.what_holds import SIGNS, HoldingWords, holding_words

COLOURS = {"●": "$success", "◐": "$warning", "=": "$primary", "○": "$foreground 70%"}
GAP = "  "


class HoldsPanel(Widget):
    """One line per conclusion; if there are no conclusions, a replacement text or nothing."""

    DEFAULT_CSS = """
    HoldsPanel { height: auto; padding: 0 1; text-wrap: nowrap; }
    """

    class Asked(Message):
        """Posted when the user clicks a line to see the evidence of its conclusion."""

        def __init__(self, holding: Holding) -> None:
            self.holding = holding
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.holdings: tuple[Holding, ...] = ()
        """The conclusions shown, from the top."""
        self._session: Session | None = None
        self._instead = ""
        self._key = ""

    def show(self, holdings: Sequence[Holding], session: Session, *, key: str, instead: str = "") -> None:
        """Show conclusions.

        Args:
            holdings: the conclusions, from the top.
            session: the session that they are about.
            key: the key that runs more rounds; empty if none can be run.
            instead: text to show if there are no conclusions.
        """
        self.holdings, self._session, self._key, self._instead = tuple(holdings), session, key, instead
        self.display = bool(holdings or instead)
        self.refresh(layout=True)

    def lines(self, width: int) -> list[Content]:
        """Return the lines, laid out for a width in cells."""
        if self._session is None or not self.holdings:
            return [Content.styled(self._instead, "$foreground 70%")] if self._instead else []
        labels = [one.label for one in self._session.plan.contenders]
        found: list[Content] = []
        for cells, layouts in ((cells, layouts) for widths, layouts in LAYOUTS for cells in widths):
            names = short_names(labels, cells)
            words = [holding_words(one, self._session, names, key=self._key) for one in self.holdings]
            for layout in layouts:
                found = layout(words)
                if max(row.cell_length for row in found) <= width:
                    return found
        return [row.truncate(width, ellipsis=True) for row in found]

    def render(self) -> Content:
        """Return the lines for the current width."""
        return Content("\n").join(self.lines(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines for a width, at least 1."""
        return max(1, len(self.lines(width)))

    def on_click(self, event: Click) -> None:
        """Post ``Asked`` for the clicked line."""
        at = event.get_content_offset_capture(self).y
        if self.holdings:
            self.post_message(self.Asked(self.holdings[min(at, len(self.holdings) - 1)]))


def _aligned(words: Sequence[HoldingWords]) -> list[Content]:
    """Return the lines; those of conclusions that name a leader have their parts aligned in columns."""
    told = [one for one in words if one.sign in ALIGNED]
    wide = [max((cell_len(one[at]) for one in told), default=0) for at in range(len(HoldingWords._fields))]
    topics = max(cell_len(one.topic) for one in words)
    return [_line(one, topics, wide if one.sign in ALIGNED else None) for one in words]


def _ragged(words: Sequence[HoldingWords]) -> list[Content]:
    topics = max(cell_len(one.topic) for one in words)
    return [_line(one, topics, None) for one in words]


def _without_repeated_bases(words: Sequence[HoldingWords]) -> list[Content]:
    """Return the lines; a line's number of rounds is left out if the line above has the same number."""
    bases = ["", *(one.base for one in words)]
    return _ragged([one._replace(base="") if one.base == bases[at] else one for at, one in enumerate(words)])


def _without_bases(words: Sequence[HoldingWords]) -> list[Content]:
    return _ragged([one._replace(base="") for one in words])


def _price_below(words: Sequence[HoldingWords]) -> list[Content]:
    """Return the lines without numbers of rounds, and the time that more rounds need on a separate line."""
    topics = max(cell_len(one.topic) for one in words)
    rows: list[Content] = []
    for one in words:
        rows.append(_line(one._replace(base="", price=""), topics, None))
        if one.price:
            rows.append(Content.styled(" " * (topics + 4) + one.price, "bold $accent"))
    return rows


ALIGNED = (SIGNS["told"], SIGNS["ahead"])
LAYOUTS: tuple[tuple[tuple[int, ...], tuple[Callable[[Sequence[HoldingWords]], list[Content]], ...]], ...] = (
    ((40, 30, 24, 20, 16, 12), (_aligned, _ragged, _without_repeated_bases)),
    ((40, 30, 24, 20, 16, 12, 10, 8), (_without_bases, _price_below)),
)
"""Widths (cells) to which names are shortened, with the functions that lay out the lines.

The first layout that fits is used.
"""


def _line(one: HoldingWords, topics: int, wide: Sequence[int] | None) -> Content:
    colour = COLOURS[one.sign]
    styles = ("", "", "bold", colour, "", "", "$foreground 70%", "bold $accent")
    parts = [(one.sign, f"bold {colour}"), (" ", ""), (one.topic.ljust(topics), colour)]
    for at, (text, style) in enumerate(zip(one, styles, strict=True)):
        if at < 2 or not (text or (wide and wide[at])):
            continue
        behind = " " * (wide[at] - cell_len(text)) if wide else ""
        parts += [(GAP, ""), (text, style), (behind, "")]
    return Content.assemble(*parts).rstrip()
