"""A quick list of sessions with their start times, for ``last`` on the command line and to find earlier sessions."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from llmtui.store.session_folder import JOURNAL


class Begun(NamedTuple):
    """A session's start time, id and journal file."""

    wall_ns: int
    session_id: str
    journal: Path


class _FirstLine(msgspec.Struct):
    type: str
    session_id: str
    wall_ns: int


def sessions_begun(results_dir: Path) -> list[Begun]:
    """Return the sessions of a folder, newest first; an empty list if the folder is missing.

    Raises:
        OSError: the folder exists but cannot be read.
    """
    try:
        folders = list(results_dir.iterdir())
    except FileNotFoundError:
        return []
    found = (_begun(folder / JOURNAL) for folder in folders)
    return sorted((one for one in found if one is not None), reverse=True)


def _begun(journal: Path) -> Begun | None:
    try:
        with journal.open("rb") as file:
            first = msgspec.json.decode(file.readline(), type=_FirstLine)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return Begun(first.wall_ns, first.session_id, journal) if first.type == "SessionStarted" else None
