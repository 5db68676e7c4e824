"""The folder of one session: its name is the session's id."""

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
"""Sessions hold prompts and answers."""
_TRIES: Final = 20


def session_name(wall_ns: int, suffix: str) -> str:
    """Return the id of a session that starts at ``wall_ns`` (ns since 1970 UTC): ``20261122T224107Z-ab12``."""
    return f"{datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC):%Y%m%dT%H%M%SZ}-{suffix}"


def create_session_folder(results_dir: Path, wall_ns: int) -> Path:
    """Create the folder of a new session, and the results folder where it is missing.

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
