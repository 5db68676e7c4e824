"""A saved session as pandas data frames; the only module that uses pandas. docs/frames.md describes the columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from llmtui.core.events import Sampled, TrialFinished, TrialStarted
from llmtui.core.measures import measures
from llmtui.core.metrics import Figures
from llmtui.core.session import Session, fold
from llmtui.core.summary import CategorySummary, ContenderSummary, summarise
from llmtui.report.by_round import sessions_by_round
from llmtui.report.saved import NoSession
from llmtui.store import samples_csv, summary_csv, trials_csv
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL, SAMPLES

Value = str | float | None
MISSING: Final = "missing_"
"""Prefix of a column that has the reasons why a figure is missing."""

_TRIAL_TEXTS: Final = frozenset(
    ("model", "variant", "kind", "category", "prompt_id", "outcome", "ended_by", "flags", "digest", "backend", "tag",
     "gap_clock", "tps_source", "started_utc", "session_id", "trial_id", "repeats", "joules_source", "cold_source",
     "note", "problem_code", "problem", "evidence", "missing", "server", "server_version", "server_address")
)  # fmt: skip
_SUMMARY_TEXTS: Final = frozenset(
    ("model", "variant", "category", "conditions", "note", "missing", "digest", "session_id", "backend")
)
_OF_A_ROUND: Final = {"cold_first_ms": "cold_ttft_ms", "cold_first_load_ms": "cold_load_ms"}
"""Old column name → new name in ``rounds``; a single round has only one cold start, so it is not "first"."""


def read_session(path: str | PathLike[str]) -> SessionFrames:
    """Return a saved session as data frames.

    Args:
        path: the session's folder, or a file of events, such as the output of ``llmtui run --events -``.

    Raises:
        NoSession: there is no session at the path.
    """
    return SessionFrames(Path(path))


class SessionFrames:
    """Tables of one session, each created on first access.

    Figures are numbers in the unit at the end of their column's name. They are computed like the program's own tables
    but not rounded. A missing figure is NaN; for some figures a text column ``missing_NAME`` has the reason's code.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journal = path / JOURNAL if path.is_dir() else path
        if not self._journal.is_file():
            raise NoSession(f"{path} is no session: there is no {JOURNAL} in it.")

    @cached_property
    def session(self) -> Session:
        """Return the session from which the data frames are made, without the machine's sensor readings.

        Raises:
            NoSession: the file does not begin like a session.
        """
        found = fold(read_events(self._journal, without=(Sampled,)))
        if found is None:
            raise NoSession(f"{self._journal} is no session: it does not begin like one.")
        return found

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Return one row per trial, in the order in which they ran."""
        session = self.session
        values = [trials_csv.row_values(row, session) for row in session.rows]
        reasons = [row.figures.why for row in session.rows]
        explained = [one.id for one in measures() if one.of_trial is not None and one.id in Figures.__struct_fields__]
        frame = _frame(values, trials_csv.trials_columns(), _TRIAL_TEXTS, reasons, explained)
        frame["started_utc"] = pd.to_datetime(frame["started_utc"], utc=True, format="ISO8601")
        return frame

    @cached_property
    def models(self) -> pd.DataFrame:
        """Return one row per model with its options: the figures over the whole session, as in summary.csv."""
        return _summary(self.session, by_category=False)

    @cached_property
    def categories(self) -> pd.DataFrame:
        """Return one row per model and category of prompts, as in summary.csv."""
        return _summary(self.session, by_category=True)

    @cached_property
    def rounds(self) -> pd.DataFrame:
        """Return one row per round and model; each row has one observation of each figure."""
        session = self.session
        frames = []
        for number, one in sessions_by_round(session):
            frame = _summary(one, by_category=False)
            frame.insert(0, "round", number)
            frames.append(frame[frame["finished"] + frame["failed"] > 0])
        if not frames:
            frames = [_summary(session, by_category=False).iloc[:0].assign(round=0)]
        unknown = [name for name in frames[0].columns if "cold_again" in str(name)]
        return pd.concat(frames, ignore_index=True).drop(columns=unknown).rename(columns=_OF_A_ROUND)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """Return one row per reading of the machine's sensors; a column without a sensor is all NaN."""
        names = [name for name in samples_csv.COLUMNS if name not in ("utc", "per_core")]
        kinds = dict.fromkeys(names, "float64") | {"trial_id": "category"}
        file = self.path / SAMPLES
        if file.is_file():
            # Files of older versions lack later columns.
            wanted = pd.read_csv(
                file, usecols=lambda name: name in kinds, dtype=kinds, memory_map=True
            )  # a third faster
            frame = wanted.reindex(columns=names)
        else:
            frame = pd.DataFrame(_readings(self._journal, self.session.t_ns, names), columns=names).astype(kinds)
        start = np.datetime64(self.session.wall_ns, "ns")
        elapsed = (frame["session_s"].to_numpy() * 1e9).astype("timedelta64[ns]")
        frame.insert(1, "utc", pd.DatetimeIndex(start + elapsed, tz="UTC"))
        return frame


def _summary(session: Session, *, by_category: bool) -> pd.DataFrame:
    summary = summarise(session)
    values = list(summary_csv.summary_values(summary, session))
    rows = [row for row in values if (row["category"] is not None) == by_category]
    whys = [line.why for line in summary.categories] if by_category else [line.why for line in summary.lines]
    named = {one.reason_key: one.id for one in measures() if one.reason_key is not None}
    reasons = [{named.get(name, name): why for name, why in found.items()} for found in whys]
    columns = summary_csv.columns_of(CategorySummary if by_category else ContenderSummary)
    if not by_category:
        columns = tuple(name for name in columns if name != "category")
    return _frame(rows, columns, _SUMMARY_TEXTS, reasons, ("ttft_ms", "ttfo_ms", "decode_tps"))


def _frame(
    rows: Sequence[Mapping[str, Value]],
    columns: Iterable[str],
    texts: frozenset[str],
    reasons: Sequence[Mapping[str, str]],
    explained: Sequence[str],
) -> pd.DataFrame:
    """Return rows as a frame: texts as strings, all else as float64, with columns of reasons for missing figures.

    Args:
        rows: the values of each row, by column name.
        columns: column names in order.
        texts: names of the columns that have text.
        reasons: for each row, column name of a figure → reason why it is missing.
        explained: the figures that get a column of reasons.
    """
    made: dict[str, pd.Series] = {}
    for name in columns:
        if name != "missing":
            kind = "string" if name in texts else "float64"
            made[name] = pd.Series([row[name] for row in rows], dtype=kind)
    for name in explained:
        made[MISSING + name] = pd.Series([why.get(name) for why in reasons], dtype="string")
    frame = pd.DataFrame(made)
    whole = [name for name in ("round", "order", "finished", "failed") if name in frame]
    return frame.astype(dict.fromkeys(whole, "int64"))


def _readings(journal: Path, start_ns: int, names: Sequence[str]) -> Iterator[tuple[object, ...]]:
    """Yield the readings of the machine's sensors in a file of events, as rows of samples.csv."""
    trial: str | None = None
    for event in read_events(journal):
        match event:
            case TrialStarted():
                trial = event.trial.id
            case TrialFinished():
                trial = None
            case Sampled():
                seen = (getattr(event, name) for name in names[2:])
                yield (round((event.t_ns - start_ns) / 1e9, 3), trial, *seen)
