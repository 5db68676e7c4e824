"""Old CSV files become sessions on disk, which open like any other."""

from __future__ import annotations

from pathlib import Path

from llmtui import __version__
from llmtui.core.events import encode
from llmtui.core.session import Session, fold
from llmtui.legacy.events import legacy_events
from llmtui.legacy.table import LegacyRow, NotLegacy, legacy_text, parse_legacy
from llmtui.store.journal import JournalWriter
from llmtui.store.session_folder import TRIALS, create_session_folder
from llmtui.store.summary_csv import write_summary
from llmtui.store.trials_csv import trials_csv
from llmtui.store.writing import replace_file


class CannotImport(Exception):
    """The file cannot be read or is no such file; the message is a sentence."""


def read_legacy(path: Path) -> tuple[LegacyRow, ...]:
    """Gives the rows of an old file.

    Raises:
        CannotImport: with the reason and what to do.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CannotImport(f"{path} cannot be read: {error.strerror}.") from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    try:
        return parse_legacy(text)
    except NotLegacy as error:
        raise CannotImport(f"{path} cannot be imported. {error}") from error


def import_legacy(path: Path, results_dir: Path) -> tuple[Path, Session]:
    """Makes a session of an old file; gives its folder and the session.

    The session is dated by the file's own time, since its rows have none.

    Raises:
        CannotImport: the file cannot be used.
        OSError: the results folder cannot be written.
    """
    rows = read_legacy(path)
    wall_ns = path.stat().st_mtime_ns
    folder = create_session_folder(results_dir, wall_ns)
    events = legacy_events(rows, name=path.name, session_id=folder.name, wall_ns=wall_ns, version=__version__)
    journal = JournalWriter(folder)
    try:
        for event in events[:-1]:
            journal.append(encode(event))
        journal.append(encode(events[-1]), sync=True)
    finally:
        journal.close()
    session = fold(events)
    assert session is not None, "the first event starts a session"
    replace_file(folder / TRIALS, trials_csv(session))
    write_summary(folder, session)
    return folder, session


def write_legacy(rows: tuple[LegacyRow, ...], target: Path) -> None:
    """Writes rows as an old file with its eight columns.

    Raises:
        OSError: it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    replace_file(target, legacy_text(rows).encode("utf-8"))
