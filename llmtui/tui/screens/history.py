"""History: the saved sessions, the newest first; Enter opens one."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import DataTable, Static

from llmtui.tui.host import SessionEntry
from llmtui.tui.screens.base import BaseScreen
from llmtui.words import _


class SessionTable(DataTable[Content]):
    """One session a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", _("Open"), id="open_session", tooltip=_("Look at the results")),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]
    HELP = _(
        """
        # History
        Every test is kept. **Enter** opens one with all its results. One that was interrupted opens with what it has.
        """
    )


class HistoryScreen(BaseScreen):
    """What was measured before."""

    PLACE = "history"
    CSS_PATH = "../styles/history.tcss"
    AUTO_FOCUS = "SessionTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look_again", _("Look again"), id="look_again"),
        Binding("escape", "app.go('setup')", _("Setup"), id="to_setup", show=False),
    ]

    table = getters.query_one(SessionTable)

    def compose_body(self) -> ComposeResult:
        """The table, or words where there is nothing to show."""
        yield Static(_("Reading the sessions …"), id="no-sessions")
        yield SessionTable(cursor_type="row", zebra_stripes=True)

    def on_mount(self) -> None:
        """Nothing is read yet."""
        self._entries: tuple[SessionEntry, ...] = ()
        self.table.display = False

    def on_screen_resume(self) -> None:
        """A session may have ended since."""
        super().on_screen_resume()
        self.action_look_again()

    @work(thread=True, exclusive=True, exit_on_error=False, group="sessions")
    def action_look_again(self) -> None:
        """Reads the list again."""
        entries = self.shell.host.sessions()
        self.call_later(self._show, entries)

    def _show(self, entries: tuple[SessionEntry, ...]) -> None:
        self.table.display = bool(entries)
        empty = self.query_exactly_one("#no-sessions", Static)
        empty.display = not entries
        if not entries:
            empty.update(
                Content.from_markup(
                    f"[b]{_('No sessions yet.')}[/b]\n\n{self._what_to_do()}\n\n[dim]$where[/dim]",
                    where=self.shell.host.results_dir,
                )
            )
            return
        if entries != self._entries:
            self._entries = entries
            self._fill()
        if self.focused is None:
            self.table.focus()

    def _what_to_do(self) -> str:
        kept = _("A test is kept from its first answer on.")
        return kept if self.shell.read_only else f"{kept} {_('F2 goes to Setup.')}"

    def _fill(self) -> None:
        here = self.table.cursor_row
        titles = (_("When"), _("Tests"), _("Rounds"), _("Ended"), _("Models"))
        rows = [_cells(entry) for entry in self._entries]
        self.table.clear(columns=True)
        for number, title in enumerate(titles):
            # The table measures only Rich's renderables, and those know no theme.
            self.table.add_column(title, width=max(len(title), *(row[number].cell_length for row in rows)))
        for entry, row in zip(self._entries, rows, strict=True):
            self.table.add_row(*row, key=entry.session_id)
        self.table.move_cursor(row=min(here, len(rows) - 1))

    @on(DataTable.RowSelected)
    def _open(self, event: DataTable.RowSelected) -> None:
        event.stop()
        entry = next(one for one in self._entries if one.session_id == event.row_key.value)
        if entry.problem is not None:
            self.notify(entry.problem, title=_("This session cannot be opened"), severity="error", timeout=10)
        else:
            self.shell.open_session(entry.session_id)


def _cells(entry: SessionEntry) -> tuple[Content, ...]:
    when = datetime.fromtimestamp(entry.wall_ns / 1e9).astimezone() if entry.wall_ns else None
    return (
        Content("" if when is None else f"{when:%Y-%m-%d %H:%M}"),
        Content(f"{entry.trials or '':>5}"),
        Content(f"{entry.rounds or '':>6}"),
        _ending(entry),
        Content(", ".join(entry.models) or entry.session_id),
    )


def _ending(entry: SessionEntry) -> Content:
    if entry.problem is not None:
        return Content.assemble(("✗ ", "$error"), (_("cannot be read"), "dim"))
    words = {
        "complete": ("✓ ", "$success", _("complete")),
        "cancelled": ("◐ ", "$warning", _("stopped early")),
        "failed": ("✗ ", "$error", _("failed")),
        None: ("◐ ", "$warning", _("interrupted")),
    }
    mark, colour, said = words.get(entry.finished, ("? ", "$warning", str(entry.finished)))
    return Content.assemble((mark, colour), said)
