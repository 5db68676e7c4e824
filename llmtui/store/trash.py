"""The trash: a folder of deleted sessions, from which they can be restored."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmtui.store.lock import writer_pid
from llmtui.store.session_folder import LOCK

TRASH: Final = ".trash"
"""Name of the folder. It is inside the results folder, so that moving a session is a rename, even on a separate
disk.
"""


class StillRunning(Exception):
    """The session is still being written."""


def throw_away(folder: Path) -> Path:
    """Move a session's folder to the trash; return its new path.

    Raises:
        StillRunning: the session's journal is being written.
        OSError: the folder cannot be moved.
    """
    if writer_pid(folder / LOCK) is not None:
        raise StillRunning(folder.name)
    trash = folder.parent / TRASH
    trash.mkdir(0o700, exist_ok=True)
    return folder.rename(_free(trash / folder.name))


def thrown(results_dir: Path) -> list[Path]:
    """Return the folders in the trash, the last deleted first; empty if there is no trash."""
    try:
        there = [entry for entry in (results_dir / TRASH).iterdir() if entry.is_dir()]
    except OSError:
        return []
    return sorted(there, key=lambda entry: entry.stat().st_ctime_ns, reverse=True)


def take_back(folder: Path) -> Path:
    """Move a session's folder out of the trash; return its new path.

    If its old name is in use again, it gets a new name.

    Raises:
        OSError: the folder cannot be moved.
    """
    return folder.rename(_free(folder.parent.parent / folder.name))


def _free(wanted: Path) -> Path:
    """Return the path if it is unused, else the first unused one of ``NAME-2``, ``NAME-3``, …."""
    path, number = wanted, 1
    while path.exists():
        number += 1
        path = wanted.with_name(f"{wanted.name}-{number}")
    return path
