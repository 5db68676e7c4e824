"""``samples.csv``: all readings of the machine's sensors, with session time and UTC."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmtui.core.events import Sampled
from llmtui.store.csv_cells import cell, csv_line, number_cell, utc_cell
from llmtui.store.session_folder import SAMPLES
from llmtui.store.writing import LineAppender

_ADDED: Final = ("gpu_temperature_c", "gpu_clock_mhz", "gpu_watts")
"""Columns added in later versions. They are last, so that the positions of the others do not change."""
_READINGS: Final = tuple(name for name in Sampled.__struct_fields__ if name not in ("t_ns", "per_core", *_ADDED))

COLUMNS: Final = ("session_s", "utc", "trial_id", *_READINGS, "per_core", *_ADDED)
"""Columns of the file. ``per_core`` has one share (0–1) per logical core, separated by spaces."""


class SamplesCsv:
    """Writes ``samples.csv`` of one session."""

    def __init__(self, folder: Path, *, start_t_ns: int, start_wall_ns: int) -> None:
        """Create the file with its header.

        Args:
            folder: the session's folder.
            start_t_ns: the session's start on the engine's clock.
            start_wall_ns: the same moment in ns since 1970 UTC.

        Raises:
            OSError: the file cannot be written.
        """
        self._start_t_ns = start_t_ns
        self._start_wall_ns = start_wall_ns
        path = folder / SAMPLES
        self._file = LineAppender(path)
        if self._file.is_empty:
            self._file.append(csv_line(COLUMNS))

    def append(self, sample: Sampled, trial_id: str | None) -> None:
        """Append one reading.

        Args:
            sample: the reading.
            trial_id: the current trial, if any.

        Raises:
            OSError: the disk is full or failed.
        """
        since_start_ns = sample.t_ns - self._start_t_ns
        self._file.append(
            csv_line(
                (
                    f"{since_start_ns / 1e9:.3f}",
                    utc_cell(self._start_wall_ns + since_start_ns),
                    trial_id or "",
                    *(cell(getattr(sample, name)) for name in _READINGS),
                    " ".join(number_cell(share) for share in sample.per_core),
                    *(cell(getattr(sample, name)) for name in _ADDED),
                )
            )
        )

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()
