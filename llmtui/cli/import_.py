"""``llmtui import``: an old CSV file becomes a session, and what it is read to say is audited."""

from __future__ import annotations

import sys
from pathlib import Path

from llmtui.cli.exits import Exit
from llmtui.cli.frame import Frame, Refused, cannot_write
from llmtui.legacy.keeping import CannotImport, import_legacy, read_legacy, write_legacy
from llmtui.words import _
from llmtui.words.problems import problem_words


def import_file(of: Frame, source: str, legacy: str | None) -> int:
    """Imports a file, prints its conclusions and audit; gives the exit code.

    Args:
        of: settings and folders.
        source: the CSV file.
        legacy: where to write it back with the eight columns of the old script; None: nowhere.
    """
    path = Path(source).expanduser()
    written: Path | None = None
    try:
        folder, session = import_legacy(path, of.results)
        if legacy is not None:
            written = Path(legacy).expanduser()
            write_legacy(read_legacy(path), written)
    except CannotImport as error:
        raise Refused(problem_words(str(error))) from error
    except OSError as error:
        raise Refused(cannot_write(error.filename or of.results, error)) from error
    from llmtui.report.terminal import print_session

    print_session(session, sys.stdout)
    for note in session.notes:
        print(problem_words(note.problem.what), file=sys.stderr)
    for row in session.rows:
        if row.problem is not None:
            print(problem_words(row.problem.what), file=sys.stderr)
    for saved in (folder, written):
        if saved is not None:
            print(_("Saved: {path}").format(path=saved), file=sys.stderr)
    return Exit.OK
