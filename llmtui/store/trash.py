"""Deleted sessions: they move to a folder beside the others, from which they can be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmtui.store.lock import writer_pid
from llmtui.store.session_folder import LOCK

TRASH: Final = ".trash"
"""Inside the results folder, so that moving is a rename also where that is a disk of its own."""


class StillRunning(Exception):
    """The session is being written."""


def throw_away(folder: Path) -> Path:
    """Move a session's folder to the trash; return where it is now.

    Raises:
        StillRunning: Its journal is being written.
        OSError: It cannot be moved.
    """
    if writer_pid(folder / LOCK) is not None:
        raise StillRunning(folder.name)
    trash = folder.parent / TRASH
    trash.mkdir(0o700, exist_ok=True)
    return folder.rename(_free(trash / folder.name))


def thrown(results_dir: Path) -> list[Path]:
    """Return the folders in the trash, the one deleted last first; nothing where there is no trash."""
    try:
        there = [entry for entry in (results_dir / TRASH).iterdir() if entry.is_dir()]
    except OSError:
        return []
    return sorted(there, key=lambda entry: entry.stat().st_ctime_ns, reverse=True)


def take_back(folder: Path) -> Path:
    """Move a session's folder from the trash to where it was; return where it is now.

    A folder that was given the same name meanwhile is left alone.

    Raises:
        OSError: It cannot be moved.
    """
    return folder.rename(_free(folder.parent.parent / folder.name))


def _free(wanted: Path) -> Path:
    """Return the path, or the first of ``NAME-2``, ``NAME-3`` that is not taken."""
    path, number = wanted, 1
    while path.exists():
        number += 1
        path = wanted.with_name(f"{wanted.name}-{number}")
    return path
