"""The catalogue of sessions: for each session the data of the listing, plus name, note, state and verdict."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path

import msgspec

from llmtui.core.pairs import PairVerdict, leading
from llmtui.store.csv_cells import text_cell
from llmtui.store.labels import Label, read_label
from llmtui.store.listing import SessionFolder, list_sessions
from llmtui.store.lock import writer_pid
from llmtui.store.session_folder import LOCK, PAIRS, SUMMARY, TRIALS


class CatalogueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One session for the catalogue."""

    folder: SessionFolder
    label: Label
    running: bool
    ok: int
    """Number of trials with a complete answer."""
    verdict: PairVerdict | None
    """The verdict on the two fastest models; None for a single model, and before the session has ended."""


def catalogue(results_dir: Path) -> tuple[CatalogueEntry, ...]:
    """Return all sessions, newest first.

    Raises:
        OSError: the folder exists but cannot be read.
    """
    return tuple(map(catalogued, list_sessions(results_dir)))


def catalogued(folder: SessionFolder) -> CatalogueEntry:
    """Return a session with its name, note, state, counts and verdict."""
    ended = folder.finished is not None
    return CatalogueEntry(
        folder=folder,
        label=read_label(folder.path),
        running=not ended and folder.problem is None and writer_pid(folder.path / LOCK) is not None,
        ok=_complete(folder),
        verdict=_verdict(folder) if ended and len(folder.models) > 1 else None,
    )


def _complete(folder: SessionFolder) -> int:
    """Return the number of complete answers: from summary.csv, or from trials.csv if there is no summary.csv yet."""
    if folder.finished is not None:
        try:
            of_models = takewhile(lambda row: not row[0], _rows(folder.path / SUMMARY, "category", "finished"))
            return sum(int(finished or 0) for _category, finished in of_models)
        except (OSError, ValueError, IndexError, csv.Error):
            pass  # from an older version, or damaged
    try:
        return sum(row == ("ok",) for row in _rows(folder.path / TRIALS, "outcome"))
    except (OSError, ValueError, IndexError, csv.Error):
        return 0


def _verdict(folder: SessionFolder) -> PairVerdict | None:
    """Return the verdict on the two fastest models from pairs.csv; None if it is missing, as in older sessions."""
    places = {text_cell(label): at for at, label in enumerate(folder.models)}
    try:
        rows = _rows(
            folder.path / PAIRS, "figure", "first", "second", "n", "ratio", "low", "high", "p_adjusted", "word"
        )
        return leading([_pair(row, places) for row in takewhile(lambda row: row[0] == "decode_tps", rows)])
    except (OSError, ValueError, IndexError, KeyError, csv.Error):
        return None


def _pair(row: tuple[str, ...], places: Mapping[str, int]) -> PairVerdict:
    figure, first, second, n, *numbers, word = row
    ratio, low, high, p_adjusted = (float(number) if number else None for number in numbers)
    return PairVerdict(
        first=places[first],
        second=places[second],
        figure=figure,
        n=int(n),
        ratio=ratio,
        low=low,
        high=high,
        p_adjusted=p_adjusted,
        word=word,
    )


def _rows(path: Path, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield the cells of the named columns, one tuple per row.

    Raises:
        OSError: the file cannot be read.
        ValueError: a column is missing.
        IndexError: a row is shorter than the header.
    """
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = csv.reader(file)
        head = next(rows, [])
        places = [head.index(name) for name in names]
        for row in rows:
            yield tuple(row[at] for at in places)
