"""The table of saved sessions, one line each, which can be filtered, sorted and marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Resize

from llmtui.tui.host import SessionEntry
from llmtui.tui.widgets.line_table import GAP, LineColumn, LineTable
from llmtui.tui.widgets.sortable import Sortable, Value, sort_binding
from llmtui.words import _
from llmtui.words.figures import duration
from llmtui.words.sessions import start_words, state_words, verdict_cell

MARK = "◆"
LEAST_NAME, MOST_NAME = 16, 44
"""Minimum and maximum width of the column of names, in cells."""
_COLOURS = {"●": "$success", "◐": "$warning", "✓": "$success", "✗": "$error", "▶": "$accent", "?": "$warning"}

_MARKS = "●◐=○✓✗▶? "
"""Signs that can precede a cell's text; they are ignored when sorting."""


class SessionLine(NamedTuple):
    """A saved session with the texts of its cells."""

    entry: SessionEntry
    cells: Mapping[str, str]
    searched: str
    """The text that the filter searches, in lower case."""


class SessionTable(Sortable, LineTable[SessionLine]):
    """The table of saved sessions, newest first until another order is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open_line",
            _("Open"),
            id="open_session",
            tooltip=_("Show the results; offer to resume an interrupted session; follow a running one"),
        ),
        Binding("space", "mark", _("Mark"), id="history.mark", tooltip=_("Mark or unmark the session")),
        sort_binding(),
    ]
    HELP = _(
        """
        # History
        All sessions are kept. **Enter** opens one with its results. If it was interrupted, you can
        run its remaining trials; if it is still running, it is followed.
        **/** filters while you type: by name, note, models, server, verdict or date. **,** sorts by the next column; a
        click on a column header sorts by that column. **Space** marks sessions: **c** compares the marked ones with the
        oldest of them, **x** exports and **Del** deletes them. If none is marked, they use the line under the cursor.

        **t** shows speed and TTFT over the marked sessions, or over all sessions of the plan.

        **n** sets a session's name and note. **Del** moves sessions to the trash; **u** restores those deleted last.
        """
    )

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[SessionLine, ...] = ()
        self._widths: dict[str, int] = {}
        self._wanted: tuple[str, ...] = ()
        self.marks: frozenset[str] = frozenset()
        """Ids of the marked sessions, including those hidden by the filter."""

    def take(self, entries: Sequence[SessionEntry]) -> None:
        """Show other sessions, given newest first. The marks of sessions that are not among them are dropped."""
        here = self.marked
        self._lines = tuple(map(_line, entries))
        self._widths = {
            key: max([cell_len(head) + 1, *(cell_len(line.cells[key]) for line in self._lines)])
            for key, head in _heads().items()
        }
        self.marks &= {entry.session_id for entry in entries}
        self.sort_changed()
        if here is not None:
            self._go_to(here.entry.session_id)

    def narrow(self, words: str) -> None:
        """Show only the sessions that contain every one of the given words."""
        self._wanted = tuple(words.casefold().split())
        self.sort_changed()

    @property
    def entry(self) -> SessionEntry | None:
        """The session under the cursor; None if there is none."""
        return None if self.marked is None else self.marked.entry

    @property
    def chosen(self) -> tuple[SessionEntry, ...]:
        """The marked sessions, newest first; if none is marked, the one under the cursor."""
        if self.marks:
            return tuple(line.entry for line in self._lines if line.entry.session_id in self.marks)
        return () if self.entry is None else (self.entry,)

    def as_rows(self) -> tuple[tuple[str, ...], ...]:
        """Return the texts of the table as it is sorted and filtered: the header, then a row per session."""
        heads = _heads()
        return (tuple(heads.values()), *(tuple(line.cells[key] for key in heads) for line in self.items))

    def action_mark(self) -> None:
        """Mark or unmark the session under the cursor, and move the cursor down."""
        if self.entry is not None:
            self.set_marks(self.marks ^ {self.entry.session_id})
            self.cursor += 1

    def set_marks(self, ids: Collection[str]) -> None:
        """Mark these sessions and no others."""
        self.marks = frozenset(ids)
        self.refresh()
        self.post_message(self.Moved())

    def cell(self, item: SessionLine, column: str) -> Content:
        """Return a session's cell in a column."""
        if column == "mark":
            return Content(MARK if item.entry.session_id in self.marks else " ")
        said = item.cells[column]
        if column in ("verdict", "state") and said[:1] in _COLOURS:
            return Content.assemble((said[:1], _COLOURS[said[:1]]), said[1:])
        return Content(said)

    def sortable(self) -> Sequence[tuple[str, bool]]:
        """Return (column, whether sorting by it starts with the greatest value) of each column."""
        return [(key, key in ("when", "ok", "duration")) for key in _heads()]

    def sort_changed(self) -> None:
        """Show the filtered sessions in the chosen order."""
        found = [line for line in self._lines if all(word in line.searched for word in self._wanted)]
        self.show_lines(self._columns(), self.in_order(found, _sort_value))

    @on(LineTable.HeadClicked)
    def _head_clicked(self, message: LineTable.HeadClicked) -> None:
        message.stop()
        self.sort_by_head(message.column)

    @on(Resize)
    def _resized(self) -> None:
        self.columns = self._columns()

    def _columns(self) -> tuple[LineColumn, ...]:
        """Return the columns; the column of names takes the remaining width, within its limits."""
        heads, widths = _heads(), dict(self._widths)
        others = sum(width + GAP for key, width in widths.items() if key != "name")
        most = min(MOST_NAME, widths.get("name", LEAST_NAME))
        widths["name"] = max(min(LEAST_NAME, most), min(most, self.size.width - others - 2 * GAP - 1))
        columns = [
            LineColumn(key, head + self.mark(key), widths.get(key, len(head)), is_number=key in ("ok", "duration"))
            for key, head in heads.items()
        ]
        return (LineColumn("mark", "", 1), *columns)

    def mark(self, column: str) -> str:
        """Return the sort arrow to put after a column's header; without a chosen order, the column of times has it."""
        return "▾" if self.sorting is None and column == "when" else super().mark(column)

    def _go_to(self, session_id: str) -> None:
        for at, line in enumerate(self.items):
            if line.entry.session_id == session_id:
                self.cursor = at
                return


def _heads() -> dict[str, str]:
    return {
        "when": _("When"),
        "name": _("Session"),
        "verdict": _("Fastest"),
        "ok": _("ok"),
        "state": _("State"),
        "duration": _("Duration"),
        "server": _("Server"),
        "llmtui": "llmtui",
    }


def session_title(entry: SessionEntry) -> str:
    """Return a saved session's name; if it has none, the time of its start."""
    return entry.name or start_words(entry.wall_ns) or entry.session_id


def _line(entry: SessionEntry) -> SessionLine:
    mark, state = state_words(entry.finished, running=entry.running, ok=entry.ok, trials=entry.trials)
    if entry.problem is not None:
        mark, state = "✗", _("cannot be read")
    cells = {
        "when": start_words(entry.wall_ns),
        "name": entry.name or ", ".join(entry.models) or entry.session_id,
        "verdict": verdict_cell(entry.verdict, entry.models),
        "ok": f"{entry.ok}/{entry.trials}" if entry.trials else "",
        "state": f"{mark} {state}",
        "duration": duration(entry.duration_s),
        "server": entry.server,
        "llmtui": entry.llmtui,
    }
    searched = " ".join((*cells.values(), entry.note, *entry.models, entry.session_id)).casefold()
    return SessionLine(entry, cells, searched)


def _sort_value(line: SessionLine, column: str) -> Value:
    entry = line.entry
    match column:
        case "when":
            return entry.wall_ns or None
        case "ok":
            return entry.ok or None
        case "duration":
            return entry.duration_s
        case _:
            return line.cells[column].lstrip(_MARKS)
