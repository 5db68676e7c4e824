"""``llmtui import``: conversion of another program's file to a session, and the audit of what it can show."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from llmtui.cli.exits import Exit
from llmtui.cli.startup import Refused, Startup, cannot_write
from llmtui.config import expanded
from llmtui.legacy.keeping import keep, read_file
from llmtui.legacy.rows import CannotImport, Stated
from llmtui.legacy.write_back import write_legacy
from llmtui.words import _
from llmtui.words.imports import import_refusal
from llmtui.words.problems import problem_what


def import_files(of: Startup, sources: Sequence[str], stated: Stated, legacy: str | None) -> int:
    """Import files one after the other and print their audits; return the exit code.

    If there are several, a file that cannot be used is reported on stderr and the others are imported.

    Raises:
        Refused: the only file cannot be used, or ``legacy`` is given with several files.
    """
    if len(sources) == 1:
        return import_file(of, sources[0], stated, legacy)
    if legacy is not None:
        raise Refused(_("--legacy writes one file: import the others separately."))
    code: int = Exit.OK
    for at, source in enumerate(sources):
        if at:
            print()
        try:
            import_file(of, source, stated, None)
        except Refused as error:
            print(f"llmtui: {error}", file=sys.stderr)
            code = error.code
    return code


def import_file(of: Startup, source: str, stated: Stated, legacy: str | None) -> int:
    """Import a file, save it as a session and print its audit; return the exit code.

    Args:
        of: settings and folders.
        source: the file's path.
        stated: units and columns stated by the user.
        legacy: path for a copy in the format of an earlier comparison script; None for no copy.

    Raises:
        Refused: the file cannot be used, or the session or the copy cannot be written.
    """
    path = expanded(source)
    written = None if legacy is None else expanded(legacy)
    try:
        made = read_file(path, stated)
    except CannotImport as error:
        raise Refused(import_refusal(source, error)) from error
    try:
        folder, session = keep(made, path, of.results)
        if written is not None:
            write_legacy(made.rows, written)
    except OSError as error:
        raise Refused(cannot_write(error.filename or of.results, error)) from error
    from llmtui.report.terminal import print_audit

    print_audit(session, sys.stdout)
    for problem in (*(note.problem for note in session.notes), *(row.problem for row in session.rows)):
        if problem is not None:
            print(problem_what(problem), file=sys.stderr)
    for saved in (folder, written):
        if saved is not None:
            print(_("Saved: {path}").format(path=saved), file=sys.stderr)
    return Exit.OK


def statements_of(unit: str | None, columns: str | None) -> Stated:
    """Return what ``--unit`` and ``--map`` say about the columns of the file.

    Raises:
        Refused: ``--map`` is not a list of NAME=COLUMN.
    """
    pointed: dict[str, str] = {}
    for entry in (columns or "").split(","):
        name, equals, title = entry.partition("=")
        if entry.strip() and (not equals or not title.strip()):
            raise Refused(_("--map takes NAME=COLUMN, separated by commas, not {entry}.").format(entry=entry.strip()))
        if entry.strip():
            pointed[name.strip()] = title.strip()
    return Stated(unit=unit, columns=pointed)
