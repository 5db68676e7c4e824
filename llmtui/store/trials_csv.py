"""``trials.csv``: one row per trial, appended when the trial ends; rewritten at the end of the session."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from llmtui.core.measures import measures
from llmtui.core.metrics import Figures
from llmtui.core.records import MachineFigures
from llmtui.core.session import Session
from llmtui.core.trial_row import TrialRow
from llmtui.store.csv_cells import cell, csv_line, utc_cell
from llmtui.store.session_folder import TRIALS
from llmtui.store.writing import LineAppender, replace_file

_WHAT: Final = (
    "round", "model", "variant", "kind", "category", "prompt_id", "outcome", "ended_by", "flags", "tokens",
)  # fmt: skip
_FIGURES: Final = (
    "ttft_ms", "ttfo_ms", "decode_tps", "tpot_ms", "decode_cps", "reading_x", "prefill_tps", "load_ms", "e2e_ms",
    "e2e_tps", "gap_p50_ms", "gap_p95_ms", "stalls", "client_lag_ms",
)  # fmt: skip
_KEY: Final = ("digest", "backend", "order", "tag")
_MORE_FIGURES: Final = (
    "prompt_tokens", "cached_tokens", "gap_clock", "longest_gap_ms", "tps_source", "server_decode_tps", "chunks",
    "answer_chars", "thinking_chars", "words", "prompt_ms",
)  # fmt: skip
_LATER_MACHINE: Final = ("others_cores",)
_MACHINE: Final = tuple(
    name for name in MachineFigures.__struct_fields__ if name not in ("runner_pid", *_LATER_MACHINE)
)
_COUNTS: Final = (
    "gap_clock", "tps_source", "server_decode_tps", "chunks", "answer_chars", "thinking_chars", "words", "prompt_ms",
)  # fmt: skip
"""Fields of ``Figures`` that are not figures for display: counts as sent, and sources of figures."""
_RESIDENT: Final = ("server_size_bytes", "server_vram_bytes", "context_length")
_WHERE: Final = ("started_utc", "num_predict", "session_id", "trial_id", "repeats")
_WORDS: Final = ("cold_source", "note", "problem_code", "problem", "evidence", "missing")

_POOLED: Final = ("decode_steps", "decode_s", "decode_chars", "clock_side")
"""Columns from which speeds over several trials are computed, and one that says whose clock appears to be wrong.

With them, the rows have everything that a comparison needs.
"""
_SERVER: Final = ("server", "server_version", "server_address")

_FIRST: Final = (
    *_WHAT, *_FIGURES, *_KEY, *_MORE_FIGURES, *_WHERE, *_MACHINE, *_RESIDENT, *_WORDS, *_LATER_MACHINE, *_SERVER,
)  # fmt: skip


def trials_columns() -> tuple[str, ...]:
    """Return the columns of trials.csv: in the order of the first version, followed by those of later versions."""
    figures = (one.trial_column or one.id for one in measures() if one.of_trial is not None)
    return (*_FIRST, *_POOLED, *(name for name in figures if name not in _FIRST))


def row_cells(row: TrialRow, session: Session) -> dict[str, str]:
    """Return a trial's cells by column name.

    If a figure is missing, its cell is empty and ``missing`` has the reason.
    """
    values = row_values(row, session)
    return {name: cell(values[name]) for name in trials_columns()}


def row_values(row: TrialRow, session: Session) -> dict[str, str | float | None]:
    """Return a trial's unrounded values by column name, with all of ``trials_columns()``."""
    return {
        **_what(row, session),
        **{one.trial_column or one.id: one.of_trial(row) for one in measures() if one.of_trial is not None},
        **_fields(row.figures, (*_COUNTS, *_POOLED)),
        **_where(row, session),
        **_fields(row.machine, (*_MACHINE, *_LATER_MACHINE)),
        **_resident(row),
        **_words(row, session),
        **_server(row, session),
    }


class TrialsCsv:
    """Writes ``trials.csv`` of one session."""

    def __init__(self, folder: Path) -> None:
        """Create the file with its header.

        Raises:
            OSError: the file cannot be written.
        """
        self._path = folder / TRIALS
        file = LineAppender(self._path)
        self._file: LineAppender | None = file
        if file.is_empty:
            file.append(csv_line(trials_columns()))

    def append(self, row: TrialRow, session: Session) -> None:
        """Append a trial that has just ended.

        Raises:
            OSError: the disk is full or failed.
        """
        if self._file is None:
            self._file = LineAppender(self._path)
        self._file.append(csv_line(row_cells(row, session).values()))

    def rewrite(self, session: Session) -> None:
        """Rewrite all rows, now with the flags that depend on later rounds. If that fails, the old file is kept.

        Raises:
            OSError: the file cannot be written.
        """
        self.close()
        replace_file(self._path, trials_csv(session), private=True)

    def close(self) -> None:
        """Close the file; a later ``append`` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


def trials_csv(session: Session) -> bytes:
    """Return the content of trials.csv for a session."""
    lines = [csv_line(trials_columns())]
    lines.extend(csv_line(row_cells(row, session).values()) for row in session.rows)
    return b"".join(lines)


def _fields(record: Figures | MachineFigures | None, names: tuple[str, ...]) -> dict[str, str | float | None]:
    return dict.fromkeys(names) if record is None else {name: getattr(record, name) for name in names}


def _what(row: TrialRow, session: Session) -> dict[str, str | float | None]:
    contender = session.contender(row.trial)
    prompt = None if row.trial.prompt is None else session.plan.prompts[row.trial.prompt]
    return {
        "round": row.trial.round,
        "model": contender.model.name,
        "variant": contender.variant.canonical,
        "kind": row.trial.kind,
        "category": None if prompt is None else prompt.category,
        "prompt_id": None if prompt is None else prompt.id,
        "outcome": row.outcome,
        "ended_by": row.ended_by,
        "flags": " ".join(row.flags),
        "digest": row.trial.key.digest,
        "backend": row.trial.key.backend,
        "order": row.order,
        "tag": row.trial.tag,
    }


def _where(row: TrialRow, session: Session) -> dict[str, str | float | None]:
    return {
        "started_utc": utc_cell(row.wall_ns),
        "num_predict": row.num_predict,
        "session_id": session.session_id,
        "trial_id": row.trial.id,
        "repeats": row.repeats,
    }


def _server(row: TrialRow, session: Session) -> dict[str, str | float | None]:
    """Return product, version and address of the trial's server."""
    server = session.fingerprint.server_of(session.contender(row.trial).model.backend)
    if server is None:
        return dict.fromkeys(_SERVER)
    return {"server": server.product, "server_version": server.version, "server_address": server.address or None}


def _resident(row: TrialRow) -> dict[str, str | float | None]:
    resident = row.resident
    return {
        "server_size_bytes": None if resident is None else resident.size_bytes,
        "server_vram_bytes": None if resident is None else resident.vram_bytes,
        "context_length": None if resident is None else resident.context_length,
    }


def _words(row: TrialRow, session: Session) -> dict[str, str | float | None]:
    return {
        "cold_source": row.cold_source,
        "note": session.contender(row.trial).model.note,
        "problem_code": None if row.problem is None else row.problem.code,
        "problem": None if row.problem is None else str(row.problem),
        "evidence": "; ".join(f"{flag}: {said}" for flag, said in zip(row.flags, row.evidence, strict=False) if said),
        "missing": " ".join(f"{name}:{reason}" for name, reason in sorted(row.figures.why.items())),
    }
