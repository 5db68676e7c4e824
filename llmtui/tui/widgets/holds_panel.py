"""What holds: one line per finding with its mark, its ratio and the deciding interval; a click opens the evidence."""

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
    """One line per finding, as wide as the screen; empty for a single model."""

    DEFAULT_CSS = """
    HoldsPanel { height: auto; padding: 0 1; text-wrap: nowrap; }
    """

    class Asked(Message):
        """A line's evidence was requested."""

        def __init__(self, holding: Holding) -> None:
            self.holding = holding
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.holdings: tuple[Holding, ...] = ()
        """The shown lines, from the top."""
        self._session: Session | None = None
        self._instead = ""
        self._key = ""

    def show(self, holdings: Sequence[Holding], session: Session, *, key: str, instead: str = "") -> None:
        """Show lines.

        Args:
            holdings: from the top.
            session: their session.
            key: the key for further rounds; empty where none can be run.
            instead: shown where there are no lines.
        """
        self.holdings, self._session, self._key, self._instead = tuple(holdings), session, key, instead
        self.display = bool(holdings or instead)
        self.refresh(layout=True)

    def lines(self, width: int) -> list[Content]:
        """Return the lines for a width."""
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
        """Return the lines."""
        return Content("\n").join(self.lines(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines."""
        return max(1, len(self.lines(width)))

    def on_click(self, event: Click) -> None:
        """Ask for the evidence of the clicked line."""
        at = event.get_content_offset_capture(self).y
        if self.holdings:
            self.post_message(self.Asked(self.holdings[min(at, len(self.holdings) - 1)]))


def _aligned(words: Sequence[HoldingWords]) -> list[Content]:
    """Return the lines with their parts below each other; what is equal or open has its own."""
    told = [one for one in words if one.sign in ALIGNED]
    wide = [max((cell_len(one[at]) for one in told), default=0) for at in range(len(HoldingWords._fields))]
    topics = max(cell_len(one.topic) for one in words)
    return [_line(one, topics, wide if one.sign in ALIGNED else None) for one in words]


def _ragged(words: Sequence[HoldingWords]) -> list[Content]:
    topics = max(cell_len(one.topic) for one in words)
    return [_line(one, topics, None) for one in words]


def _without_repeated_bases(words: Sequence[HoldingWords]) -> list[Content]:
    """Return the lines; a number of rounds that the line above has too is left out."""
    bases = ["", *(one.base for one in words)]
    return _ragged([one._replace(base="") if one.base == bases[at] else one for at, one in enumerate(words)])


def _without_bases(words: Sequence[HoldingWords]) -> list[Content]:
    return _ragged([one._replace(base="") for one in words])


def _price_below(words: Sequence[HoldingWords]) -> list[Content]:
    """Return the lines without numbers of rounds, a price on a line of its own."""
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
"""Widths that names are shortened to, with ways to lay the lines out, from the most telling on."""


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
