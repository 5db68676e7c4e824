"""The time axis of plots: bands that show what the engine did, and series of samples with one value per column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

from llmtui.core.session import PhaseMark, SamplePoint, Session
from llmtui.core.trial_row import TrialRow

BandName = Literal["unload", "load", "prefill", "thinking", "answer", "idle"]

LOAD_SHOWN_MS = 100.0
"""Shortest load, in ms, that is drawn as loading. A shorter one is the server's bookkeeping."""


class Band(msgspec.Struct, frozen=True):
    """One activity of the engine from ``start_ns`` to ``end_ns``, on the engine's clock."""

    start_ns: int
    end_ns: int
    name: BandName
    trial_id: str | None


def without_standstills(session: Session) -> Session:
    """Return the session with idle times removed, for drawing only.

    A session is idle before more rounds are added and before it is resumed. Later times are shifted back, so that plots
    have no long empty part.
    """
    if not session.standstills:
        return session

    def moved(t_ns: int) -> int:
        return t_ns - sum(max(0, min(t_ns, until) - since) for since, until in session.standstills)

    return msgspec.structs.replace(
        session,
        phases=tuple(msgspec.structs.replace(mark, t_ns=moved(mark.t_ns)) for mark in session.phases),
        samples=tuple(msgspec.structs.replace(sample, t_ns=moved(sample.t_ns)) for sample in session.samples),
        rows=tuple(
            msgspec.structs.replace(row, t_ns=moved(row.t_ns), t0_ns=None if row.t0_ns is None else moved(row.t0_ns))
            for row in session.rows
        ),
        latest_sample_t_ns=None if session.latest_sample_t_ns is None else moved(session.latest_sample_t_ns),
        last_t_ns=moved(session.last_t_ns),
        standstills=(),
    )


def bands(session: Session) -> tuple[Band, ...]:
    """Return the bands of the time axis in order, without gaps from the first phase on.

    The engine reports only that it waits. Once a trial is finished, its wait is split into loading and prefill by the
    server's ``load_duration``. In the current trial, the wait of a cold trial is shown as loading, and any other as
    prefill. Waits before a request is sent are also shown as loading, except that waits for other programs or for the
    server are shown as idle.
    """
    rows: dict[str, list[TrialRow]] = {}
    for row in session.rows:
        rows.setdefault(row.trial.id, []).append(row)
    ends = [later.t_ns for _, later in pairwise(session.phases)]
    made: list[Band] = []
    for mark, end_ns in zip(session.phases, [*ends, session.last_t_ns], strict=False):
        if end_ns > mark.t_ns:
            made.extend(_cut(session, mark, end_ns, rows))
    return tuple(made)


def _cut(session: Session, mark: PhaseMark, end_ns: int, rows: dict[str, list[TrialRow]]) -> Iterable[Band]:
    if mark.phase != "waiting":
        return (Band(mark.t_ns, end_ns, mark.phase, mark.trial_id),)
    if mark.step in ("waiting_for_others", "waiting_for_server"):
        return (Band(mark.t_ns, end_ns, "idle", None),)
    if mark.trial_id is None:  # a model that was in memory before the run is loaded again
        return (Band(mark.t_ns, end_ns, "load", None),)
    asked = [row for row in rows.get(mark.trial_id, ()) if row.t_ns >= end_ns]
    if not asked:
        loads = mark.step == "loading" or (session.current is not None and session.current.kind == "cold")
        return (Band(mark.t_ns, end_ns, "load" if loads else "prefill", mark.trial_id),)
    row = asked[0]
    if row.t0_ns is not None and end_ns <= row.t0_ns:  # before the first request: a load that is not measured
        return (Band(mark.t_ns, end_ns, "load", mark.trial_id),)
    load_ms = row.figures.load_ms or 0.0
    if row.figures.load_ms is None and row.trial.kind == "cold" and row.outcome != "ok":
        return (Band(mark.t_ns, end_ns, "load", mark.trial_id),)  # no duration is known; prefill never began
    if load_ms < LOAD_SHOWN_MS or row.t0_ns is None:
        return (Band(mark.t_ns, end_ns, "prefill", mark.trial_id),)
    loaded_ns = min(end_ns, row.t0_ns + round(load_ms * 1e6))
    parts = (Band(mark.t_ns, loaded_ns, "load", mark.trial_id), Band(loaded_ns, end_ns, "prefill", mark.trial_id))
    return (part for part in parts if part.end_ns > part.start_ns)


def per_column(
    samples: Sequence[SamplePoint],
    value: Callable[[SamplePoint], float | None],
    *,
    start_ns: int,
    column_ns: int,
    columns: int,
) -> list[float | None]:
    """Return the mean of a series of samples in each column of a plot; None for a column without samples."""
    sums = [0.0] * columns
    counts = [0] * columns
    for sample in samples:
        column = (sample.t_ns - start_ns) // column_ns
        read = value(sample) if 0 <= column < columns else None
        if read is not None:
            sums[column] += read
            counts[column] += 1
    return [total / count if count else None for total, count in zip(sums, counts, strict=True)]


def band_columns(marked: Sequence[Band], *, start_ns: int, column_ns: int, columns: int) -> list[Band | None]:
    """Return the band that fills most of each column; None for columns before the first band and after the last."""
    best: list[tuple[int, Band] | None] = [None] * columns
    for band in marked:
        first = max(0, (band.start_ns - start_ns) // column_ns)
        last = min(columns - 1, (band.end_ns - 1 - start_ns) // column_ns)
        for column in range(first, last + 1):
            left = start_ns + column * column_ns
            share = min(band.end_ns, left + column_ns) - max(band.start_ns, left)
            so_far = best[column]
            if so_far is None or share > so_far[0]:
                best[column] = (share, band)
    return [None if entry is None else entry[1] for entry in best]
