"""The Models tab of Results: the scoreboard, and below it as many panes (plots and tables) as fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from textual import getters, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from llmtui.core.session import Session
from llmtui.core.whole_rounds import whole_rounds
from llmtui.tui.text import board_panes, board_tables
from llmtui.tui.widgets.scoreboard import Scoreboard
from llmtui.words import _

TWO_COLUMNS = 120
"""Smallest width, in cells, with two panes side by side."""
VERY_TALL = 46
"""Height of the screen, in rows, from which tables fill the room that the other panes leave."""
FRAME_ROWS = 2
FRAME_CELLS = 4
MOST_GROWTH = 2
"""Largest number of empty rows added to a pane if there is room left."""
LEAST_TABLE = 4
"""Smallest height of the scoreboard in rows, including its header."""


class Pane(NamedTuple):
    """A pane: its title and the rows of its content."""

    title: str
    rows: list[Content]

    @property
    def height(self) -> int:
        """Height in rows, including the frame."""
        return len(self.rows) + FRAME_ROWS


class ModelsTab(Vertical):
    """The scoreboard and the panes; the last panes are left out if there is too little room."""

    DEFAULT_CSS = """
    ModelsTab {
        & > Horizontal { height: auto; }
        & .pane {
            width: 1fr;
            height: auto;
            padding: 0 1;
            border: round $border-blurred;
            border-title-color: $foreground;
            text-wrap: nowrap;
        }
    }
    """

    board = getters.query_one(Scoreboard)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self._whole: Session | None = None
        self._session: Session | None = None
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """Yield the scoreboard, then containers; each is a row of one or two panes."""
        yield Scoreboard()
        for _row in range(PANE_ROWS):
            with Horizontal():
                yield Static(classes="pane")
                yield Static(classes="pane")

    def show(self, session: Session, whole: Session) -> None:
        """Show a session.

        Args:
            session: the newest snapshot.
            whole: while the session runs, only its complete rounds; afterwards the same as ``session``.
        """
        provisional = not whole.rows
        self._session, self._whole = session, session if provisional else whole
        self.board.show(self._whole, provisional=provisional)
        self._lay_out()

    def on_resize(self) -> None:
        """Choose the panes that fit."""
        self._lay_out()

    @on(Scoreboard.Highlighted)
    def _other_model(self, message: Scoreboard.Highlighted) -> None:
        message.stop()
        self._lay_out()

    def _lay_out(self) -> None:
        """Divide the height between the scoreboard and the panes, and fill the panes."""
        if self._session is None or self._whole is None or not self.size.height:
            return
        models = len(self._whole.plan.contenders)
        columns = 2 if self.size.width >= TWO_COLUMNS else 1
        width = self.size.width // columns - FRAME_CELLS
        table = max(LEAST_TABLE, min(models + 1, self.size.height // 2 + 1))
        rows = list(self._fitting(self._panes(width), columns, self.size.height - table))[:PANE_ROWS]
        heights = [max(one.height for one in row) for row in rows]
        free = self.size.height - table - sum(heights)
        grown = min(free // len(rows), MOST_GROWTH) if rows else 0
        heights = [height + grown for height in heights]
        self.board.styles.height = max(table, min(models + 1, self.size.height - sum(heights)))
        for at, place in enumerate(self.query(Horizontal)):
            shown = rows[at] if at < len(rows) else []
            place.display = bool(shown)
            for number, pane in enumerate(place.query(Static)):
                pane.display = number < len(shown)
                if number < len(shown):
                    pane.border_title = shown[number].title
                    pane.styles.height = heights[at]
                    pane.update(Content("\n").join(shown[number].rows))

    def _fitting(self, panes: list[Pane], columns: int, left: int) -> Iterator[list[Pane]]:
        for at in range(0, len(panes), columns):
            row = panes[at : at + columns]
            height = max(one.height for one in row)
            if height > left:
                return
            left -= height
            yield row

    def _panes(self, width: int) -> list[Pane]:
        """Return the non-empty panes, the most informative first."""
        assert self._whole is not None
        assert self._session is not None
        whole, session = self._whole, self._session
        running = max((row.trial.round for row in session.rows), default=0)
        running_round = None if running in whole_rounds(session) or whole is session else running
        contender = self.board.contender
        label = "" if contender is None else whole.plan.contenders[contender].label
        unit = "s" if board_panes.dots_in_seconds(whole) else "ms"
        several = len({prompt.category for prompt in whole.plan.prompts}) > 1
        found = [
            Pane(_("Failed trials"), board_panes.failed_models(session, width)),
            Pane(
                _("{model} by category").format(model=label),
                board_panes.category_lines(whole, contender, width) if several and contender is not None else [],
            ),
            Pane(_("TTFT {unit}, every warm trial (log)").format(unit=unit), board_panes.ttft_dots(whole, width)),
            Pane(_("Speed tok/s by round"), board_panes.speed_by_round(session, width, running_round)),
            Pane(_("Pairs: × as fast"), board_panes.pair_matrix(whole, width)),
            Pane(_("Conditions"), board_panes.conditions(session)),
        ]
        if self.app.size.height >= VERY_TALL:
            found += [
                Pane(*board_tables.figure_by_category(whole, "ttft_ms", width)),
                Pane(*board_tables.figure_by_category(whole, "decode_tps", width)),
                Pane(*board_tables.cold_starts_by_round(whole, width)),
            ]
        return [one for one in found if one.rows]


PANE_ROWS = 5
"""Number of containers, that is, the largest number of rows of panes."""
