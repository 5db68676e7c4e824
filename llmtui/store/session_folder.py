"""The folder of one session, named by the session's id, and the names of its files."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

JOURNAL: Final = "events.jsonl"
LOCK: Final = "events.lock"
TRIALS: Final = "trials.csv"
SAMPLES: Final = "samples.csv"
SUMMARY: Final = "summary.csv"
PAIRS: Final = "pairs.csv"
LABEL: Final = "label.json"

_PRIVATE: Final = 0o700
"""Mode of the folder: readable only by the user, since sessions contain prompts and answers."""
_TRIES: Final = 20


def session_name(wall_ns: int, suffix: str) -> str:
    """Return the id of a session, such as ``20261122T224107Z-ab12``.

    Args:
        wall_ns: start of the session in ns since 1970 UTC.
        suffix: distinguishes sessions that start in the same second.
    """
    return f"{datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC):%Y%m%dT%H%M%SZ}-{suffix}"


def create_session_folder(results_dir: Path, wall_ns: int) -> Path:
    """Create the folder of a new session, and the results folder if it is missing.

    Raises:
        OSError: a folder cannot be created.
    """
    results_dir.mkdir(_PRIVATE, parents=True, exist_ok=True)
    for _ in range(_TRIES):
        folder = results_dir / session_name(wall_ns, secrets.token_hex(2))
        try:
            folder.mkdir(_PRIVATE)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{_TRIES} sessions of this very second are in {results_dir} already")
