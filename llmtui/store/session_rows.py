"""A quick way to read a finished session for a comparison: the journal's first line and ``trials.csv``.

The journal has the times of every chunk and takes a hundred times as long to read. It is still read if the table is
missing or older than the journal, or was written by another version of the program, whose rules may differ.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec

from llmtui import __version__
from llmtui.core.events import BadLine, SessionFinished, SessionStarted, decode_event
from llmtui.core.metrics import Figures
from llmtui.core.pairing import is_imported
from llmtui.core.plan import Plan, Trial, TrialKey
from llmtui.core.records import MachineFigures, ResidentModel
from llmtui.core.session import Session, fold
from llmtui.core.trial_row import TrialRow
from llmtui.store.csv_cells import text_cell
from llmtui.store.journal import read_events
from llmtui.store.session_folder import TRIALS

_TAIL_BYTES: Final = 4096
_NUMBERS: Final = (
    "ttft_ms", "ttfo_ms", "decode_tps", "tpot_ms", "decode_cps", "reading_x", "prefill_tps", "load_ms", "e2e_ms",
    "e2e_tps", "gap_p50_ms", "gap_p95_ms", "longest_gap_ms", "client_lag_ms", "prompt_ms", "decode_s",
)  # fmt: skip
_COUNTS: Final = (
    "stalls", "tokens", "prompt_tokens", "cached_tokens", "decode_steps", "decode_chars", "thinking_chars",
)  # fmt: skip
_WORDS: Final = ("tps_source", "clock_side")
_MACHINE: Final = ("runner_peak_bytes", "runner_steady_bytes", "runner_cpu_s", "joules")
_OF_SPEED: Final = ("decode_tps", "decode_s", "decode_steps", "tokens", *_WORDS)
"""Columns needed to compare decode speed. A trend over time reads them from hundreds of sessions."""
_OTHERS: Final = (
    "round", "model", "variant", "digest", "backend", "kind", "prompt_id", "outcome", "ended_by", "flags", "trial_id",
    "repeats", "num_predict", "cold_source", "server_size_bytes", "server_vram_bytes", "order",
)  # fmt: skip


def comparable_session(journal: Path, *, speed_only: bool = False) -> Session | None:
    """Return a session with its trials' figures and flags, without samples, phases, notes and times.

    Returns:
        The session; None if ``trials.csv`` cannot be used, so that the journal must be read.
    """
    started = session_start(journal)
    if started is None or started.fingerprint.llmtui != __version__ or is_imported(started.plan):
        return None
    try:
        if not _is_finished(journal) or (journal.parent / TRIALS).stat().st_mtime_ns < journal.stat().st_mtime_ns:
            return None
        text = (journal.parent / TRIALS).read_text("utf-8")
        if not text.endswith("\n"):
            return None
        rows = _rows(csv.reader(text.split("\n")[:-1]), started.plan, speed_only=speed_only)
    except (OSError, ValueError, LookupError, csv.Error):
        return None
    bare = fold([started])
    assert bare is not None, "it begins with its start"
    return msgspec.structs.replace(bare, rows=rows)


def read_comparable(journal: Path, *, speed_only: bool = False) -> Session | None:
    """Return a session from ``trials.csv``, or else from its journal; None if neither can be read."""
    found = comparable_session(journal, speed_only=speed_only)
    if found is not None:
        return found
    try:
        return fold(read_events(journal))
    except OSError:
        return None


def session_start(journal: Path) -> SessionStarted | None:
    """Return a journal's first event; None if the file cannot be read or begins with something else."""
    try:
        with journal.open("rb") as file:
            first = decode_event(file.readline())
    except (OSError, BadLine):
        return None
    return first if isinstance(first, SessionStarted) else None


def _is_finished(journal: Path) -> bool:
    with journal.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(-min(_TAIL_BYTES, end), os.SEEK_END)
        lines = file.read().splitlines(keepends=True)
    try:
        return lines[-1].endswith(b"\n") and isinstance(decode_event(lines[-1]), SessionFinished)
    except (BadLine, IndexError):
        return False


def _rows(lines: Any, plan: Plan, *, speed_only: bool) -> tuple[TrialRow, ...]:  # noqa: ANN401  # csv names no type for its reader
    """Return the table's rows.

    Raises:
        ValueError: a column is missing, or a cell is not a number.
        LookupError: a row belongs to no trial of the plan, or is too short.
    """
    head: list[str] = next(lines, [])
    places = {name: head.index(name) for name in (*_NUMBERS, *_COUNTS, *_WORDS, *_MACHINE, *_OTHERS)}
    read = _Reader(plan, places, speed_only=speed_only)
    return tuple(read.row(cells) for cells in lines)


class _Reader:
    """Turns the cells of a row into a trial of a plan."""

    def __init__(self, plan: Plan, places: Mapping[str, int], *, speed_only: bool) -> None:
        self._places = places
        self._contenders = {
            tuple(map(text_cell, (one.model.name, one.variant.canonical, one.model.digest, one.model.backend))): at
            for at, one in enumerate(plan.contenders)
        }
        self._prompts = {text_cell(one.id): at for at, one in enumerate(plan.prompts)}
        self._plan = plan
        self._figures: list[tuple[str, int, Callable[[str], Any]]] = [
            (name, places[name], to)
            for to, names in ((float, _NUMBERS), (int, _COUNTS), (str, _WORDS))
            for name in names
            if not speed_only or name in _OF_SPEED
        ]
        self._machine = [] if speed_only else [(name, places[name]) for name in _MACHINE]
        self._others = itemgetter(*(places[name] for name in _OTHERS))

    def row(self, cells: Sequence[str]) -> TrialRow:
        (
            round_number, model, variant, digest, backend, kind, prompt_id, outcome, ended_by, flagged, trial_id,
            repeats, num_predict, cold_source, size, vram, order,
        ) = self._others(cells)  # fmt: skip
        prompt = self._prompts[prompt_id] if prompt_id else None
        trial = Trial(
            id=trial_id,
            key=TrialKey(
                round=int(round_number),
                backend=backend,
                digest=digest,
                variant=variant,
                prompt_sha256="" if prompt is None else self._plan.prompts[prompt].sha256,
                kind=kind,
            ),
            contender=self._contenders[model, variant, digest, backend],
            prompt=prompt,
        )
        flags = tuple(flagged.split())
        return TrialRow(
            trial=trial,
            order=int(order),
            outcome=outcome,
            figures=Figures(
                thinking_inline="thinking_inline" in flags,
                **{name: to(cells[place]) for name, place, to in self._figures if cells[place]},
            ),
            wall_ns=0,
            t0_ns=None,
            t_ns=0,
            ended_by=ended_by or None,
            flags=flags,
            evidence=("",) * len(flags),
            machine=self._machine_of(cells) if self._machine else None,
            resident=_resident(size, vram),
            cold_source=cold_source or None,
            num_predict=int(num_predict) if num_predict else None,
            repeats=repeats or None,
        )

    def _machine_of(self, cells: Sequence[str]) -> MachineFigures | None:
        told = {
            name: int(cells[place]) if name.endswith("_bytes") else float(cells[place])
            for name, place in self._machine
            if cells[place]
        }
        return MachineFigures(**told) if told else None  # type: ignore[arg-type]


def _resident(size: str, vram: str) -> ResidentModel | None:
    if not size and not vram:
        return None
    return ResidentModel(
        name="", digest="", size_bytes=int(size) if size else None, vram_bytes=int(vram) if vram else None
    )
