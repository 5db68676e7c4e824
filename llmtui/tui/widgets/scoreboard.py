"""The scoreboard: one row per model, ordered by one figure, with a bar and its interval, then the other figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable

from llmtui.core.board import FOCUS, BoardRow, best_of, board, gpu_share
from llmtui.core.measures import Measure, measure_of, reading, value_of
from llmtui.core.session import Session
from llmtui.core.short_names import short_names
from llmtui.core.summary import ContenderSummary
from llmtui.core.what_holds import holding_mark
from llmtui.tui.text.board_bars import bar_head, bar_scale, bar_with_interval
from llmtui.tui.text.board_panes import first_failure
from llmtui.tui.text.model_colours import model_colour
from llmtui.tui.widgets.result_table import SCROLLBAR_CELLS, ResultTable, table_figures
from llmtui.tui.widgets.sortable import Sorting
from llmtui.words import _
from llmtui.words.cells import column_unit
from llmtui.words.measures import short_title
from llmtui.words.ratios import factor
from llmtui.words.reasons import reason
from llmtui.words.scoreboard import board_column, name_words, scoreboard, trials_words
from llmtui.words.what_holds import SIGNS

KEPT: Final = (
    "decode_tps", "ttft_ms", "cold_first_ms", "memory_peak_bytes", "follow_up_ttft_ms", "ttfo_ms", "vram_bytes",
    "decode_cps", "cold_again_ms",
)  # fmt: skip
"""Columns in order of importance: on a narrow screen the first ones are kept. Columns not listed here come last."""
SHOWN: Final = (
    "decode_tps", "ttft_ms", "ttfo_ms", "cold_first_ms", "cold_again_ms", "follow_up_ttft_ms", "memory_peak_bytes",
    "vram_bytes", "decode_cps",
)  # fmt: skip
"""Columns in their order from the left. Columns not listed here come last."""
NAME_CELLS: Final = (16, 22, 32)
"""Width of the column of names: minimum, minimum on a screen of at least ``ROOMY_CELLS``, and maximum."""
ROOMY_CELLS: Final = 120
BAR_CELLS: Final = (10, 60)
BAR_SHARE: Final = 6
"""The column of bars is at least as wide as the table's width divided by this number."""
GAP: Final = 2


class BoardCells(NamedTuple):
    """A column with its header, cells and width."""

    id: str
    head: str
    cells: list[Content]
    width: int
    is_figure: bool = True


class Scoreboard(ResultTable[ContenderSummary]):
    """The table of results by model."""

    class Highlighted(Message):
        """Posted when the cursor has moved to a model, with the model's index in the plan."""

        def __init__(self, contender: int) -> None:
            self.contender = contender
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        super().__init__(id=id)
        self.sorting = Sorting(FOCUS, descending=True)
        self._session: Session | None = None
        self._figures: tuple[Measure, ...] = ()
        self._is_dim = False

    @property
    def contender(self) -> int | None:
        """Index in the plan of the model under the cursor; None if there are no rows."""
        return self.lines[self.cursor_row].contender if self.cursor_row < len(self.lines) else None

    def show(self, session: Session, *, provisional: bool = False) -> None:
        """Show a session.

        Args:
            session: the session; while it runs, only its complete rounds.
            provisional: whether no round is complete yet; if so, figures are dim, and have no intervals or marks.
        """
        self._session, self._is_dim = session, provisional
        self.sort_changed()

    def sortable(self) -> Sequence[tuple[str, bool]]:
        """Return (column, whether sorting by it starts with the greatest value) of each visible figure."""
        found = [measure_of(name) for name in self.shown_columns]
        return [(one.id, one.better == "higher") for one in found if one is not None]

    def as_rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the header and the models' figures as text, as ``llmtui run`` prints them: without bars and signs."""
        columns = scoreboard(self._session) if self._session is not None else ()
        rows = zip(*(column.cells for column in columns), strict=True)
        return (tuple(column.head for column in columns), *(tuple(cell.strip() for cell in row) for row in rows))

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        if self._session is not None:
            self.sort_changed()

    def sort_changed(self) -> None:
        """Show the models in the chosen order; the cursor stays on its model."""
        if self._session is None:
            return
        if self.sorting is None:
            self.sorting = Sorting(FOCUS, descending=True)
        one = measure_of(self.sorting.column)
        assert one is not None, "only figures are sortable"
        best_first = self.sorting.descending == (one.better == "higher")
        rows = board(self._session, one.id, best_first=best_first)
        under_cursor = self.contender
        self.lines = tuple(row.line for row in rows)
        columns = board_cells(
            self._session, rows, one, width=self.app.size.width - SCROLLBAR_CELLS, is_dim=self._is_dim
        )
        self.shown_columns = tuple(column.id for column in columns if column.is_figure)
        self.clear(columns=True)
        for column in columns:
            head = column.head + self.mark(column.id)
            shown = head.rjust(column.width - GAP + len(self.mark(column.id))) if column.is_figure else head
            self.add_column(Text(shown, no_wrap=True), width=column.width, key=column.id)
        for cells in zip(*(column.cells for column in columns), strict=True):
            self.add_row(*cells)
        at = [line.contender for line in self.lines].index(under_cursor) if under_cursor is not None else 0
        self.move_cursor(row=at, animate=False)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Post ``Highlighted`` for the model under the cursor."""
        event.stop()
        if self.contender is not None:
            self.post_message(self.Highlighted(self.contender))


def board_cells(
    session: Session, rows: Sequence[BoardRow], focus: Measure, *, width: int, is_dim: bool = False
) -> list[BoardCells]:
    """Return the columns that fit: rank, name, figures, and the bars of the figure that orders the rows.

    Args:
        session: the session of the rows.
        rows: the rows in order.
        focus: the figure by which the rows are ordered.
        width: available width in cells.
        is_dim: whether no round is complete yet, so that nothing is marked as best.
    """
    lines = [row.line for row in rows]
    style = "dim" if is_dim else ""
    figures = [_figure_cells(session, one, lines, style) for one in ordered_figures(lines)]
    rank = _texts(
        "rank", "#", [f"{'' if row.rank is None else row.rank:>2}{'=' if row.shared else ' '}" for row in rows], "bold"
    )
    trials = _trials(session, rows)
    names = [name_words(line) for line in lines]
    longest = max(map(cell_len, (*names, _("Model")))) + GAP
    least = min(longest, NAME_CELLS[width >= ROOMY_CELLS] + GAP)
    bar_least = max(BAR_CELLS[0], width // BAR_SHARE)
    taken = rank.width + least + trials.width + bar_least
    kept: list[BoardCells] = []
    for column in _by_importance(session, rows, figures, focus, is_dim=is_dim):
        if column.id == focus.id or taken + column.width <= width:
            kept.append(column)
            taken += column.width
    spare = width - taken
    name_width = min(longest, least + max(0, spare // 2), NAME_CELLS[2] + GAP)
    bar_width = min(bar_least + spare - (name_width - least), BAR_CELLS[1])
    model = _names(rows, names, name_width, style)
    bar = _bar_cells(session, rows, focus, bar_width, is_dim=is_dim)
    ids = {column.id: column for column in kept}
    first = [ids[name] for name in ("quantisation", "gpu") if name in ids]
    after = [ids["next"]] if "next" in ids else []
    shown = [one for one in figures if one.id in ids]
    return [rank, model, *first, *shown[:1], bar, *after, *shown[1:], trials]


def _by_importance(
    session: Session, rows: Sequence[BoardRow], figures: Sequence[BoardCells], focus: Measure, *, is_dim: bool
) -> list[BoardCells]:
    """Return the columns in order of importance.

    If the models' quantisations differ, the column of quantisations comes directly after the figure that orders the
    rows, since it also explains differences.
    """
    lines = [row.line for row in rows]
    order = [focus.id, *(name for name in KEPT if name != focus.id)]
    by_rank = sorted(figures, key=lambda one: order.index(one.id) if one.id in order else len(order))
    differ = len({session.plan.contenders[line.contender].model.quantisation for line in lines}) > 1
    beside = [_quantisation(session, lines), _gpu(session, lines)]
    following = None if is_dim else _next_cells(rows)
    found = [by_rank[0], *(beside if differ else ()), following, by_rank[1:2], *(() if differ else beside), by_rank[2:]]
    return [column for one in found for column in (one if isinstance(one, list) else [one]) if column is not None]


def ordered_figures(lines: Sequence[ContenderSummary]) -> list[Measure]:
    """Return the figures that at least one model has, in column order, without the counts of trials."""
    found = [one for one in table_figures("models") if one.id != "finished"]
    shown = [one for one in found if any(board_column(one, lines).cells)]
    return sorted(shown, key=lambda one: SHOWN.index(one.id) if one.id in SHOWN else len(SHOWN))


def _texts(name: str, head: str, texts: Sequence[str], style: str = "", *, is_figure: bool = False) -> BoardCells:
    """Return a column of texts; figures are right-aligned."""
    width = max(map(cell_len, (*texts, head)))
    cells = [Content.styled(text.rjust(width) if is_figure else text, style) for text in texts]
    return BoardCells(name, head, cells, width + GAP, is_figure)


def _figure_cells(session: Session, one: Measure, lines: Sequence[ContenderSummary], style: str) -> BoardCells:
    """Return a figure's column; the model that is best by the verdicts is marked."""
    head, texts, _is_figure = board_column(one, lines)
    best, mark = (None if style else best_of(session, one.id)) or (None, "open")
    width = max(map(cell_len, (*texts, head))) + (best is not None)
    cells = [
        Content.styled(f"{SIGNS[mark]}{text.strip()}".rjust(width - len(text) + len(text.rstrip())), "bold $success")
        if line.contender == best and text
        else Content.styled(text.rjust(width), style)
        for line, text in zip(lines, texts, strict=True)
    ]
    return BoardCells(one.id, head, cells, width + GAP)


def _next_cells(rows: Sequence[BoardRow]) -> BoardCells | None:
    """Return the column with each model's speed ratio to the model in the next row, and the sign of their verdict."""
    texts = []
    for row in rows:
        verdict = row.following
        if verdict is None or verdict.word == "no_verdict":
            texts.append("")
            continue
        sign = SIGNS[holding_mark(verdict.word)]
        ratio = verdict.ratio if verdict.first == row.line.contender or verdict.ratio is None else 1 / verdict.ratio
        texts.append(sign if ratio is None else f"{sign} {factor(ratio)}")
    return _texts("next", _("× next"), texts) if any(texts) else None


def _quantisation(session: Session, lines: Sequence[ContenderSummary]) -> BoardCells | None:
    found = [session.plan.contenders[line.contender].model.quantisation or "" for line in lines]
    return _texts("quantisation", _("quant"), found, "$foreground 70%") if any(found) else None


def _gpu(session: Session, lines: Sequence[ContenderSummary]) -> BoardCells | None:
    shares = [gpu_share(session, line.contender) for line in lines]
    if not any(shares):
        return None
    return _texts(
        "gpu", "GPU", ["" if share is None else f"{100 * share:.0f} %" for share in shares], "$foreground 70%"
    )


def _trials(session: Session, rows: Sequence[BoardRow]) -> BoardCells:
    """Return the column with the numbers of finished and of disturbed trials."""
    texts = [trials_words(row.line) for row in rows]
    wide = max(map(cell_len, texts))
    marks = [f" !{row.line.disturbed}" if row.line.disturbed else "" for row in rows]
    width = max(cell_len("n"), wide + max(map(cell_len, marks)))
    cells = [
        Content.assemble((text.rjust(wide), "$text-error" if row.line.failed else ""), (mark, "bold $warning"))
        for text, mark, row in zip(texts, marks, rows, strict=True)
    ]
    return BoardCells("finished", "n".rjust(wide), cells, width + 1, is_figure=False)


def _names(rows: Sequence[BoardRow], names: Sequence[str], width: int, style: str) -> BoardCells:
    short = short_names(names, width - GAP)
    cells = [Content.styled(short[name], style or "bold") for name in names]
    return BoardCells("model", _("Model"), cells, width, is_figure=False)


def _bar_cells(session: Session, rows: Sequence[BoardRow], focus: Measure, width: int, *, is_dim: bool) -> BoardCells:
    """Return the bars of the figure that orders the rows; if a model lacks it, the reason takes the bar's place."""
    room = width - GAP
    values = [value_of(reading(focus, row.line)) for row in rows]
    halves = [None if at == 0 or is_dim else row.half for at, row in enumerate(rows)]
    known = [value for value in values if value is not None]
    scale = bar_scale(known, [half for value, half in zip(values, halves, strict=True) if value is not None])
    cells = []
    for row, value, half in zip(rows, values, halves, strict=True):
        if value is None or not scale:
            cells.append(_why(session, row.line, focus, room))
        else:
            colour = "$foreground 40%" if is_dim else model_colour(row.line.contender)
            cells.append(bar_with_interval(value, half, scale, room, colour))
    unit = column_unit(focus, values)
    in_unit = scale / focus.per * (1000 if unit in ("ms", "MB") and unit != focus.unit else 1)
    return BoardCells(
        "bar",
        bar_head(in_unit, "0" if focus.id == FOCUS else short_title(focus), room) if known else "",
        cells,
        width,
        is_figure=False,
    )


def _why(session: Session, line: ContenderSummary, focus: Measure, room: int) -> Content:
    """Return the reason why a row has no bar: the first failure if all trials failed."""
    if line.failed and not line.finished:
        return Content.styled(f"✗ {first_failure(session, line.contender)}", "$text-error").truncate(
            room, ellipsis=True
        )
    code = line.why.get(focus.reason_key or focus.id)
    said = "" if code is None else reason(code)
    return Content.styled(said, "$foreground 70%").truncate(room, ellipsis=True)
