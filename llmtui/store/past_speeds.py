"""Speeds measured by earlier sessions on this machine, to estimate the duration of the next run."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median
from typing import Final

from llmtui.core.estimate import PastSpeed
from llmtui.core.metrics import MIN_TOKENS_COMPARED
from llmtui.store.listing import list_sessions
from llmtui.store.session_folder import TRIALS

_SESSIONS_READ: Final = 8
"""Number of sessions read, newest first; older ones say little about the machine's present state."""


def past_speeds(results_dir: Path) -> dict[str, PastSpeed]:
    """Return decode speed and load time by model digest, as medians over the newest session with that model.

    Sessions that cannot be read are ignored, because an estimate does not justify an error.
    """
    known: dict[str, PastSpeed] = {}
    try:
        sessions = list_sessions(results_dir)[:_SESSIONS_READ]
    except OSError:
        return known
    for session in sessions:
        try:
            found = _speeds_in(session.path / TRIALS, session.wall_ns)
        except (OSError, ValueError, KeyError, csv.Error):
            continue
        known = found | known
    return known


def _speeds_in(path: Path, wall_ns: int | None) -> dict[str, PastSpeed]:
    speeds: dict[str, list[float]] = {}
    loads: dict[str, list[float]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "warm" and row["decode_tps"] and float(row["tokens"]) >= MIN_TOKENS_COMPARED:
                speeds.setdefault(row["digest"], []).append(float(row["decode_tps"]))
            if row["kind"] == "cold" and row["load_ms"]:
                loads.setdefault(row["digest"], []).append(float(row["load_ms"]) / 1000)
    return {
        digest: PastSpeed(
            decode_tps=median(rates), load_s=median(loads[digest]) if digest in loads else None, wall_ns=wall_ns
        )
        for digest, rates in speeds.items()
    }
