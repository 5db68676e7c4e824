"""Saving of other programs' result files as sessions, which open like any other session."""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmtui import __version__
from llmtui.core.events import encode
from llmtui.core.session import Session, fold
from llmtui.legacy.events import can_be_measured, legacy_events
from llmtui.legacy.readers import read_any
from llmtui.legacy.rows import CannotImport, ImportedFile, Stated, believable
from llmtui.legacy.source import file_text
from llmtui.legacy.table import MOST_ROWS
from llmtui.store.journal import JournalWriter
from llmtui.store.pairs_csv import write_pairs
from llmtui.store.session_folder import TRIALS, create_session_folder
from llmtui.store.summary_csv import write_summary
from llmtui.store.trials_csv import trials_csv
from llmtui.store.writing import replace_file


def read_file(path: Path, stated: Stated | None = None) -> ImportedFile:
    """Return the content of a result file of any known program.

    Args:
        path: the file.
        stated: the user's statements about its units and columns.

    Raises:
        CannotImport: the file cannot be used, or none of its rows can be measured.
    """
    made = read_any(file_text(path), stated, name=path.name.partition(".")[0])
    rows = tuple(map(believable, made.rows))
    if not any(map(can_be_measured, rows)):
        cells = {name: cell for row in rows for name, cell in row.unreadable.items()}
        raise CannotImport("nothing_measured", rows=len(rows), cells=cells)
    if len(rows) > MOST_ROWS:
        raise CannotImport("too_many_rows", most=MOST_ROWS)
    return msgspec.structs.replace(made, rows=rows)


def keep(made: ImportedFile, path: Path, results_dir: Path) -> tuple[Path, Session]:
    """Save an imported file as a session; return its folder and the session.

    The session is dated by the file's modification time, since the rows have no times.

    Args:
        made: the imported file.
        path: the file itself, for its name and date.
        results_dir: folder of the sessions.

    Raises:
        OSError: the results folder cannot be written.
    """
    wall_ns = path.stat().st_mtime_ns
    folder = create_session_folder(results_dir, wall_ns)
    events = legacy_events(made, name=path.name, session_id=folder.name, wall_ns=wall_ns, version=__version__)
    journal = JournalWriter(folder)
    try:
        for event in events[:-1]:
            journal.append(encode(event))
        journal.append(encode(events[-1]), sync=True)
    finally:
        journal.close()
    session = fold(events)
    assert session is not None, "the first event starts a session"
    replace_file(folder / TRIALS, trials_csv(session), private=True)
    write_summary(folder, session)
    write_pairs(folder, session)
    return folder, session
