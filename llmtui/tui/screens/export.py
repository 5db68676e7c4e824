"""The export dialog, and copying to the clipboard; the host writes the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar, NamedTuple

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from llmtui.tui.background import in_background
from llmtui.tui.host import ExportFailed, FileIsThere
from llmtui.tui.shell import ShellOf
from llmtui.tui.widgets.sortable import SortableTable
from llmtui.words import _

TABLE = "this table"
"""Id of the format that is written from the cells of the visible table, not by ``llmtui report``."""


class Form(NamedTuple):
    """One line of the dialog: a format of ``llmtui report``, its name and description, and the suffix of its files."""

    id: str
    name: str
    what: str
    suffix: str


def _forms() -> tuple[Form, ...]:
    return (
        Form(TABLE, _("This table"), _("CSV, the table's figures"), "-table.csv"),
        Form("csv", _("All trials"), _("CSV, one row per trial"), ".csv"),
        Form("excel-csv", _("All trials, for a spreadsheet"), _("CSV for Excel in this locale"), "-excel.csv"),
        Form("json", _("Everything"), _("JSON, one document with a schema"), ".json"),
        Form("html", _("Page"), _("HTML with charts and answers"), ".html"),
        Form("markdown", _("Report"), _("Markdown: conclusions and tables"), ".md"),
        Form("llama-bench", _("llama-bench table"), _("Markdown, for pasting"), "-llama-bench.md"),
        Form("jsonl", _("Trials with all chunks"), _("JSON lines, one trial per line"), ".jsonl"),
        Form("benchstat", _("benchstat"), _("Go benchmark lines"), ".txt"),
    )


class ExportDialog(ModalScreen[None]):
    """Dialog to choose a format and a file; an existing file is replaced only after a second Enter."""

    CSS_PATH = "../styles/dialogs.tcss"
    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", _("Back"), id="export.back"),
        Binding("enter", "write", _("Write"), id="export.write", priority=True, tooltip=_("Write the file")),
        Binding("tab", "app.focus_next", _("File name"), id="export.file", tooltip=_("Edit the file name")),
    ]

    shell = ShellOf()
    options = getters.query_one(OptionList)
    field = getters.query_one(Input)

    def __init__(self, sessions: Sequence[str], table: Sequence[Sequence[str]]) -> None:
        """Create the dialog.

        Args:
            sessions: names of sessions, or paths of their journals.
            table: rows of the visible table, header first; if there are no rows, the table is not offered for export.
        """
        super().__init__()
        self._sessions = tuple(sessions)
        self._table = table
        self._forms = [one for one in _forms() if one.id != TABLE or len(table) > 1]
        self._replaces: str | None = None
        """The existing file that the next Enter replaces."""

    def compose(self) -> ComposeResult:
        """Yield the formats, the field for the file name, and a line for messages."""
        with Vertical(classes="dialog export") as box:
            box.border_title = _("Export")
            width = max(len(one.name) for one in self._forms) + 2
            yield OptionList(
                *(Option(Content.assemble(one.name.ljust(width), (one.what, "dim")), id=one.id) for one in self._forms)
            )
            yield Input(compact=True)
            yield Static(_("Enter saves in the current folder. Tab: file name."), id="export-said")
        yield Footer(show_command_palette=False)

    @property
    def _form(self) -> Form:
        return self._forms[self.options.highlighted or 0]

    @on(OptionList.OptionHighlighted)
    def _named(self) -> None:
        self._replaces = None
        self.field.value = self._stem() + self._form.suffix

    def _stem(self) -> str:
        """Return the start of the file name: the folder name of a single session, else "sessions"."""
        if len(self._sessions) != 1:
            return "sessions"
        path = PurePath(self._sessions[0])
        return path.parent.name if path.suffix else path.name

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_write()

    def action_write(self) -> None:
        """Write the file in a worker."""
        target = self.field.value.strip()
        if target:
            self._say(Content(_("Writing …")))
            self._write(self._form, target, replace=self._replaces == target)

    @in_background("export")
    def _write(self, form: Form, target: str, *, replace: bool) -> None:
        host = self.shell.host
        try:
            if form.id == TABLE:
                path = host.export_table(self._table, target, replace=replace)
            else:
                path = host.export(self._sessions, form.id, target, replace=replace)
        except FileIsThere as error:
            self.app.call_from_thread(self._ask, target, str(error))
        except ExportFailed as error:
            self.app.call_from_thread(self._say, Content.assemble(("✗ ", "bold $error"), str(error)))
        else:
            self.app.call_from_thread(self._written, path)

    def _ask(self, target: str, path: str) -> None:
        self._replaces = target
        words = _("{path} already exists. Enter again replaces it, or type another name.").format(path=path)
        self._say(Content.assemble(("! ", "bold $warning"), words))

    def _written(self, path: str) -> None:
        self.app.notify(path, title=_("Written"), timeout=8)
        self.dismiss(None)

    def _say(self, words: Content) -> None:
        self.query_exactly_one("#export-said", Static).update(words)

    def action_close(self) -> None:
        """Close the dialog without writing."""
        self.dismiss(None)


def export_sessions(screen: Screen[None], sessions: Sequence[str], table: object) -> None:
    """Open the export dialog for sessions.

    Args:
        screen: the screen that opens the dialog.
        sessions: names of sessions, or paths of their journals.
        table: the visible widget; if it is a table, it can be exported as well.
    """
    screen.app.push_screen(ExportDialog(sessions, table.as_rows() if isinstance(table, SortableTable) else ()))


def copy_text(node: DOMNode, text: str, what: str) -> None:
    """Copy a text to the clipboard through the terminal, and notify the user.

    The terminal sends no confirmation: many accept the control sequence (OSC 52), some ask the user, some ignore it.
    """
    node.app.copy_to_clipboard(text)
    words = _(
        "Sent to the terminal's clipboard. If nothing can be pasted, the terminal does not support this: x "
        "writes a file."
    )
    node.app.notify(words, title=_("Copied: {what}").format(what=what), timeout=6)


def copy_llama_bench(screen: Screen[None], session: str) -> None:
    """Copy a session's table in the format of llama-bench to the clipboard; it is made in a worker."""
    _copy_llama_bench(screen, session)


@in_background("export")
def _copy_llama_bench(screen: Screen[None], session: str) -> None:
    try:
        table = ShellOf().__get__(screen, type(screen)).host.llama_bench(session)
    except ExportFailed as error:
        screen.notify(str(error), title=_("Not copied"), severity="error", timeout=10)
        return
    screen.app.call_from_thread(copy_text, screen, table, _("the llama-bench table"))
