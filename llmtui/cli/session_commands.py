"""``llmtui sessions``: list, show, name, delete and restore saved sessions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from llmtui.cli.completion import complete_session
from llmtui.cli.exits import Exit
from llmtui.cli.options import Command, CommandGroup, Results
from llmtui.cli.startup import Refused, Startup, cannot_list, cannot_write, load_startup
from llmtui.words import _, marked

if TYPE_CHECKING:
    from llmtui.store.catalogue import CatalogueEntry

Named = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        autocompletion=complete_session,
        help=marked("`last`, `last~1` (the one before it), a session's id, name or folder."),
    ),
]

_SESSIONS_EXAMPLES: Final = "Example: llmtui sessions list qwen3\n\nExample: llmtui sessions show last"
_LIST_EXAMPLES: Final = "Example: llmtui sessions list\n\nExample: llmtui sessions list qwen3"
_RENAME_EXAMPLES: Final = (
    'Example: llmtui sessions rename last "before the driver"\n\n'
    'Example: llmtui sessions rename last~1 --note "on battery"'
)
_DELETE_EXAMPLES: Final = "Example: llmtui sessions delete last~1\n\nExample: llmtui sessions restore last"

sessions_cli = typer.Typer(
    cls=CommandGroup,
    help=marked("List, show, name and delete saved sessions."),
    epilog=_SESSIONS_EXAMPLES,
    no_args_is_help=True,
)


@sessions_cli.command(
    "list",
    cls=Command,
    epilog=_LIST_EXAMPLES,
    help=marked("List saved sessions, newest first.\n\nExit codes: 0 listed, 2 the folder cannot be read."),
)
def list_sessions_command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="WORD",
            help=marked("List only sessions that have these words in their name, note, models or server."),
        ),
    ] = None,
    results: Results = None,
) -> None:
    """List saved sessions, newest first."""
    of = load_startup({}, results=results)
    found = [one for one in _catalogue(of) if _has(one, words or ())]
    if not found:
        print(_("No sessions in {folder}.").format(folder=of.results), file=sys.stderr)
        return
    _print_table([_row(one) for one in found])


@sessions_cli.command(
    "show",
    cls=Command,
    help=marked(
        "Show one session: when, where and with what models it was run, then its tables.\n\n"
        "Exit codes: 0 shown, 2 no such session."
    ),
)
def show_command(session: Named, results: Results = None) -> None:
    """Show one session: when, where and with what it was measured, and its tables."""
    from llmtui.cli.report import Asked, report
    from llmtui.store.catalogue import catalogued
    from llmtui.store.listing import session_entry

    of = load_startup({}, results=results)
    folder = _folder(of, session)
    lines = list(_lines(catalogued(session_entry(folder))))
    width = max(len(head) for head, _said in lines)
    for head, said in lines:
        print(f"{head:{width}}  {said}")
    print(flush=True)
    raise typer.Exit(report(of, Asked(sessions=(str(folder),), targets={})))


@sessions_cli.command(
    "rename",
    cls=Command,
    epilog=_RENAME_EXAMPLES,
    help=marked(
        "Give a session a name, a note, or both. Its folder and its id do not change.\n\n"
        "Exit codes: 0 saved, 2 no such session, or the change cannot be saved."
    ),
)
def rename_command(
    session: Named,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help=marked("The new name; an empty name removes the present one."))
    ] = None,
    note: Annotated[str | None, typer.Option("--note", metavar="TEXT", help=marked("A note on the session."))] = None,
    results: Results = None,
) -> None:
    """Change the name of a session, its note, or both; its folder and its id are unchanged."""
    from llmtui.store.labels import Label, read_label, write_label

    if name is None and note is None:
        raise Refused(_("Give a name, or a note with --note."))
    folder = _folder(load_startup({}, results=results), session)
    old = read_label(folder)
    try:
        write_label(folder, Label(name=old.name if name is None else name, note=old.note if note is None else note))
    except OSError as error:
        raise Refused(cannot_write(folder, error)) from error


@sessions_cli.command(
    "delete",
    cls=Command,
    epilog=_DELETE_EXAMPLES,
    help=marked(
        "Move sessions to the trash (the folder `.trash` beside them); `sessions restore` "
        "restores them.\n\n"
        "Exit codes: 0 deleted, 1 not confirmed, 2 no such session, or it is still running."
    ),
)
def delete_command(
    sessions: Annotated[
        list[str],
        typer.Argument(
            metavar="SESSION", autocompletion=complete_session, help=marked("One or more, as for `sessions show`.")
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help=marked("Delete without asking."))] = False,
    results: Results = None,
) -> None:
    """Move sessions to the trash, the folder `.trash` beside them; `sessions restore` moves them back."""
    from llmtui.cli.services import still_running
    from llmtui.store.trash import StillRunning, throw_away

    of = load_startup({}, results=results)
    folders = list(dict.fromkeys(_folder(of, word) for word in sessions))
    for folder in folders:
        print(folder)
    if not yes:
        if not sys.stdin.isatty():
            raise Refused(_("Nothing was deleted. Add --yes to delete without confirmation."))
        if input(_("Delete? [y/N]") + " ").strip().casefold() not in ("y", "yes", _("y"), _("yes")):
            raise typer.Exit(Exit.INTERNAL)
    for folder in folders:
        try:
            thrown = throw_away(folder)
        except StillRunning as error:
            raise Refused(still_running(str(error))) from error
        except OSError as error:
            raise Refused(cannot_write(folder, error)) from error
        print(_("In the trash: {path}").format(path=thrown))


@sessions_cli.command(
    "restore",
    cls=Command,
    help=marked("Restore a deleted session from the trash.\n\nExit codes: 0 restored, 2 it is not in the trash."),
)
def restore_command(
    session: Annotated[
        str, typer.Argument(metavar="SESSION", help=marked("`last` for the one deleted last, or a folder's name."))
    ],
    results: Results = None,
) -> None:
    """Move a deleted session back from the trash."""
    from llmtui.store.trash import take_back, thrown

    of = load_startup({}, results=results)
    there = thrown(of.results)
    found = there[:1] if session == "last" else [one for one in there if one.name == session]
    if not found:
        raise Refused(_("{name} is not in the trash of {folder}.").format(name=session, folder=of.results))
    try:
        print(take_back(found[0]))
    except OSError as error:
        raise Refused(cannot_write(of.results, error)) from error


def _catalogue(of: Startup) -> tuple[CatalogueEntry, ...]:
    from llmtui.store.catalogue import catalogue

    try:
        return catalogue(of.results)
    except OSError as error:
        raise Refused(cannot_list(of.results, error)) from error


def _folder(of: Startup, word: str) -> Path:
    from llmtui.cli.sessions import journal_of

    return journal_of(of, word).parent


def _has(one: CatalogueEntry, words: list[str] | tuple[str, ...]) -> bool:
    text = " ".join(said for _head, said in _lines(one)).casefold()
    return all(word.casefold() in text for word in words)


def _row(one: CatalogueEntry) -> dict[str, str]:
    from llmtui.words.figures import duration
    from llmtui.words.sessions import start_words, state_words, verdict_cell

    folder = one.folder
    mark, ended = state_words(folder.finished, running=one.running, ok=one.ok, trials=folder.trials)
    if folder.problem is not None:
        mark, ended = "✗", _("cannot be read")
    return {
        _("session"): folder.path.name,
        _("name"): one.label.name or ", ".join(folder.models),
        _("verdict"): verdict_cell(one.verdict, folder.models),
        _("ok"): f"{one.ok}/{folder.trials}" if folder.trials else "",
        _("state"): f"{mark} {ended}",
        _("duration"): duration(folder.duration_s),
        _("start"): start_words(folder.wall_ns or 0),
    }


def _lines(one: CatalogueEntry) -> Iterator[tuple[str, str]]:
    """Yield the heading and the text of each known fact about a session."""
    from llmtui.words.problems import whole_problem
    from llmtui.words.servers import servers_line

    folder = one.folder
    seen = folder.fingerprint
    row = _row(one) | {_("name"): one.label.name}
    more = {
        _("models"): ", ".join(folder.models),
        _("server"): "" if seen is None else servers_line(seen),
        "llmtui": "" if seen is None else seen.llmtui,
        _("note"): one.label.note,
        _("folder"): str(folder.path),
        _("problem"): "" if folder.problem is None else whole_problem(folder.problem),
    }
    yield from ((head, said) for head, said in (row | more).items() if said)


def _print_table(rows: list[dict[str, str]]) -> None:
    """Print rows as a table without wrapping; a terminal cuts lines that are too long."""
    from rich.cells import cell_len
    from rich.console import Console
    from rich.text import Text

    heads = list(rows[0])
    lines = [heads, *(list(row.values()) for row in rows)]
    widths = [max(cell_len(line[at]) for line in lines) for at in range(len(heads))]
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 100_000)
    for number, line in enumerate(lines):
        padded = "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        console.print(Text(padded.rstrip(), "bold" if number == 0 else ""), overflow="ellipsis", no_wrap=True)
