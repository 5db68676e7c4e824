"""The History screen: the saved sessions, to find, open, name, compare, delete and export them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, Static

from llmtui.link import LinkLost
from llmtui.tui.background import BackgroundFailed, in_background
from llmtui.tui.host import SessionEntry, SessionRefused
from llmtui.tui.screens.resuming import ResumingScreen
from llmtui.tui.widgets.line_table import LineTable
from llmtui.tui.widgets.session_table import SessionTable, session_title
from llmtui.words import _, plural
from llmtui.words.figures import duration
from llmtui.words.lists import few
from llmtui.words.problems import whole_problem

if TYPE_CHECKING:
    from llmtui.core.trend import FigureTrend
    from llmtui.store.compared import ComparedSessions

NAMED = 3
"""Largest number of session names in the question before deleting; of further ones only the number is shown."""


class SessionFilter(Input):
    """Field that filters the list. The arrow keys and Enter return to the list; Escape removes the filter."""

    def on_key(self, event: Key) -> None:
        """Return to the list on an arrow key, Enter or Escape; Escape also empties the field."""
        if event.key in ("down", "up", "enter", "escape"):
            event.prevent_default()
            event.stop()
            if event.key == "escape":
                self.value = ""
            self.screen.query_exactly_one(SessionTable).focus()


class HistoryScreen(ResumingScreen):
    """The main screen with the saved sessions."""

    PLACE = "history"
    CSS_PATH = "../styles/history.tcss"
    AUTO_FOCUS = "SessionTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            _("Filter"),
            id="history.filter",
            key_display="/",
            tooltip=_("Show only the lines that contain what you type"),
        ),
        Binding(
            "x",
            "export",
            _("Export"),
            id="history.export",
            tooltip=_("Export the marked sessions in a format you choose"),
        ),
        Binding(
            "c",
            "compare",
            _("Compare"),
            id="history.compare",
            tooltip=_("Compare the marked sessions with the oldest of them"),
        ),
        Binding(
            "t",
            "trend",
            _("Trend"),
            id="history.trend",
            tooltip=_("Show speed and TTFT over the marked sessions, or over all of this plan"),
        ),
        Binding("n", "label", _("Name"), id="history.label", tooltip=_("Give the session a name and a note")),
        Binding(
            "delete",
            "delete",
            _("Delete"),
            id="history.delete",
            key_display="Del",
            tooltip=_("Move the marked sessions to the trash"),
        ),
        Binding("u", "undo", _("Undo"), id="history.undo", tooltip=_("Undo the last deletion")),
        Binding("y", "copy", _("Copy"), id="history.copy", tooltip=_("Copy the table in llama-bench's layout")),
        Binding("r", "refresh_list", _("Refresh"), id="history.refresh", show=False),
        Binding("escape", "leave", _("Setup"), id="to_setup", show=False, tooltip=_("Open Setup")),
    ]

    table = getters.query_one(SessionTable)
    field = getters.query_one(SessionFilter)

    def compose_body(self) -> ComposeResult:
        """Yield a text for an empty list, the filter, the table of sessions, and the details of the current one."""
        yield Static(_("Reading the sessions …"), id="no-sessions")
        yield SessionFilter(placeholder=_("part of a name, model, server, verdict or date"), compact=True)
        yield Static(id="history-line")
        yield SessionTable()
        yield Static(id="session-details")

    def on_mount(self) -> None:
        """Initialise the state; the list is read when the screen is shown."""
        self._entries: tuple[SessionEntry, ...] = ()
        self._deleted: tuple[str, ...] = ()
        """Sessions that the last deletion moved to the trash, as arguments for ``restore_session``."""
        self.add_class("-empty")

    def on_screen_resume(self) -> None:
        """Read the list again, since sessions may have been added or may have ended."""
        super().on_screen_resume()
        self.action_refresh_list()

    # --- showing ---

    @in_background("list_sessions")
    def action_refresh_list(self) -> None:
        """Read the list of sessions in a worker."""
        entries = self.shell.host.sessions()
        self.app.call_from_thread(self._show, entries)

    @on(BackgroundFailed)
    def _failed(self, message: BackgroundFailed) -> None:
        if message.task == "list_sessions":
            self._entries = ()
            self._say(Content(whole_problem(message.problem)))

    def _show(self, entries: tuple[SessionEntry, ...]) -> None:
        if not entries:
            self._entries = ()
            self._say(
                Content.from_markup(
                    f"[b]{_('No sessions yet.')}[/b]\n\n{self._what_to_do()}\n\n[dim]$where[/dim]",
                    where=self.shell.host.results_dir,
                )
            )
            return
        self.remove_class("-empty")
        if entries != self._entries:
            self._entries = entries
            self.table.take(entries)
        if self.focused is None:
            self.table.focus()
        self.refresh_bindings()

    def _say(self, words: Content) -> None:
        """Show a text in place of the list."""
        self.add_class("-empty")
        self.query_exactly_one("#no-sessions", Static).update(words)
        self.refresh_bindings()

    def _what_to_do(self) -> str:
        kept = _("A session is saved once it has its first answer.")
        return kept if self.shell.read_only else f"{kept} {_('F2 goes to Setup.')}"

    @on(LineTable.Moved)
    def _moved(self) -> None:
        shown, marks = len(self.table.items), len(self.table.marks)
        parts = [plural("{n} session", "{n} sessions", len(self._entries)).format(n=len(self._entries))]
        if shown < len(self._entries):
            parts.append(_("{n} shown").format(n=shown))
        if marks:
            parts.append(_("{n} marked").format(n=marks))
        self.query_exactly_one("#history-line", Static).update(Content(" · ".join(parts)))
        entry = self.table.entry
        self.query_exactly_one("#session-details", Static).update(Content("") if entry is None else _details(entry))

    # --- the filter ---

    def action_filter(self) -> None:
        """Open the filter and focus its field."""
        self.add_class("-filtering")
        self.field.focus()

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.table.narrow(event.value)

    def on_descendant_focus(self) -> None:
        """Hide the filter if it is empty and not focused."""
        self.set_class(self.focused is self.field or bool(self.field.value), "-filtering")

    def action_leave(self) -> None:
        """Remove the filter; without one, remove the marks; without marks, go to Setup."""
        if self.field.value:
            self.field.value = ""
            self.remove_class("-filtering")
        elif self.table.marks:
            self.table.set_marks(())
        elif not self.shell.read_only:
            self.shell.show("setup")

    # --- what is done with sessions ---

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key can do something now."""
        if action == "undo":
            return self.is_mounted and bool(self._deleted)
        if action == "compare":
            return self.is_mounted and len(self._entries) > 1
        if action in ("filter", "export", "trend", "label", "delete", "copy"):
            return self.is_mounted and bool(self._entries)
        return True

    @on(LineTable.Opened)
    def _open(self) -> None:
        entry = self.table.entry
        if entry is None:
            return
        if entry.problem is not None:
            self.notify(entry.problem, title=_("This session cannot be opened"), severity="error", timeout=10)
        elif entry.running and self._is_own(entry):
            self.shell.show("live")
        else:
            title = session_title(entry)
            show_results = partial(self.shell.open_session, entry.session_id, title)
            if self.can_resume(entry):
                self.ask_to_resume(entry, title, show_results)
            else:
                show_results()

    def _is_own(self, entry: SessionEntry) -> bool:
        """Return whether a session is the one that this program is running."""
        session = self.shell.feed.session
        return self.shell.running and session is not None and session.session_id == entry.session_id

    def action_label(self) -> None:
        """Ask for the name and the note of the session under the cursor."""
        from llmtui.tui.screens.session_dialogs import LabelDialog

        entry = self.table.entry
        if entry is None:
            return

        def keep(label: tuple[str, str] | None) -> None:
            if label is not None:
                self._label(entry.session_id, *label)

        self.app.push_screen(LabelDialog(session_title(entry), entry.name, entry.note), keep)

    @in_background("change_session", exclusive=False)
    def _label(self, session_id: str, name: str, note: str) -> None:
        try:
            self.shell.host.label_session(session_id, name=name, note=note)
        except SessionRefused as error:
            self._refused(error)
        self.action_refresh_list()

    def action_delete(self) -> None:
        """Move the chosen sessions to the trash after a confirmation."""
        from llmtui.tui.screens.dialogs import ConfirmDialog

        chosen = self.table.chosen
        if not chosen:
            return
        number = plural("Delete {n} session?", "Delete {n} sessions?", len(chosen)).format(n=len(chosen))
        named = few([session_title(entry) for entry in chosen], NAMED)
        words = _("{sessions}. They move to the trash folder; u restores them.").format(sessions=named)

        def delete(yes: bool | None) -> None:
            if yes:
                self._delete([entry.session_id for entry in chosen])

        self.app.push_screen(ConfirmDialog(number, words, yes=_("Delete"), no=_("Keep")), delete)

    @in_background("change_session", exclusive=False)
    def _delete(self, ids: Sequence[str]) -> None:
        deleted: list[str] = []
        try:
            deleted.extend(map(self.shell.host.delete_session, ids))
        except SessionRefused as error:
            self._refused(error)
        self.app.call_from_thread(self._have_deleted, tuple(deleted))

    def _have_deleted(self, deleted: tuple[str, ...]) -> None:
        if deleted:
            self._deleted = deleted
            words = plural("{n} session is in the trash.", "{n} sessions are in the trash.", len(deleted))
            self.notify(f"{words.format(n=len(deleted))} {_('u restores what was deleted last.')}", timeout=6)
        self.action_refresh_list()

    @in_background("change_session", exclusive=False)
    def action_undo(self) -> None:
        """Restore the sessions that were deleted last."""
        deleted, self._deleted = self._deleted, ()
        try:
            for one in deleted:
                self.shell.host.restore_session(one)
        except SessionRefused as error:
            self._refused(error)
        self.action_refresh_list()

    def _refused(self, error: SessionRefused) -> None:
        self.notify(str(error), title=_("Not possible now"), severity="error", timeout=10)

    def action_export(self) -> None:
        """Open the export dialog for the chosen sessions."""
        from llmtui.tui.screens.export import ExportDialog

        readable = [entry.session_id for entry in self.table.chosen if entry.problem is None]
        if readable:
            self.app.push_screen(ExportDialog(readable, self.table.as_rows()))

    def action_compare(self) -> None:
        """Compare each later one of the marked sessions with the oldest of them."""
        marked = [entry.session_id for entry in self.table.chosen if entry.problem is None]
        if len(marked) < 2:
            self.notify(_("Use Space to mark two or more sessions to compare."), severity="warning")
        else:
            self._compare(marked)

    @in_background("list_sessions", exclusive=False)
    def _compare(self, ids: Sequence[str]) -> None:
        try:
            found = self.shell.host.compare(ids)
        except LinkLost as error:
            self.notify(whole_problem(error.problem), title=_("Not compared"), severity="error", timeout=10)
        else:
            self.app.call_from_thread(self._show_comparison, found)

    def _show_comparison(self, found: Sequence[ComparedSessions]) -> None:
        from llmtui.tui.screens.results_dialogs import Reading
        from llmtui.tui.text.comparison import comparison_text

        self.app.push_screen(Reading(_("Sessions compared"), comparison_text(found)))

    def action_trend(self) -> None:
        """Show figures over the marked sessions; if none is marked, over the session's plan up to this session."""
        chosen = [entry.session_id for entry in self.table.chosen if entry.problem is None]
        if chosen:
            self._read_trends(chosen)

    @in_background("list_sessions", exclusive=False)
    def _read_trends(self, ids: Sequence[str]) -> None:
        try:
            found = self.shell.host.trends(ids)
        except LinkLost as error:
            self.notify(whole_problem(error.problem), title=_("No trend"), severity="error", timeout=10)
        else:
            self.app.call_from_thread(self._show_trends, found)

    def _show_trends(self, found: Sequence[FigureTrend]) -> None:
        from llmtui.tui.screens.results_dialogs import Reading
        from llmtui.tui.text.trend import trend_text

        if found:
            self.app.push_screen(Reading(_("Over time"), trend_text(found)))
        else:
            self.notify(_("No speed or TTFT was measured in these sessions."), title=_("No trend"), severity="warning")

    def action_copy(self) -> None:
        """Copy the llama-bench table of the session under the cursor."""
        from llmtui.tui.screens.export import copy_llama_bench

        entry = self.table.entry
        if entry is not None and entry.problem is None:
            copy_llama_bench(self, entry.session_id)


def _details(entry: SessionEntry) -> Content:
    """Return the details of a session that do not fit in its line."""
    if entry.problem is not None:
        return Content.assemble(("✗ ", "bold $error"), entry.problem)
    facts = (
        entry.server,
        duration(entry.duration_s),
        f"llmtui {entry.llmtui}" if entry.llmtui else "",
        entry.session_id,
    )
    first = Content.assemble((", ".join(entry.models), "bold"))
    second = Content.styled(" · ".join(fact for fact in facts if fact), "$text-muted")
    note = [Content(entry.note.replace("\n", " "))] if entry.note else []
    return Content("\n").join([first, second, *note])
