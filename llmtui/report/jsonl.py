"""Sessions as JSON lines: one trial per line, with the arrival time of each chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from llmtui.core.events import TrialFinished
from llmtui.core.reading import chunk_texts, own_text
from llmtui.report.saved import Saved
from llmtui.store.trials_csv import row_values, trials_columns

_LISTS = ("flags", "missing")
"""Columns that are text in CSV, but a list or an object in JSON."""


def jsonl(sessions: Sequence[Saved]) -> bytes:
    """Return one line per trial: the columns of trials.csv by name, ``null`` if missing, then ``chunks``.

    ``chunks`` has arrays of equal length, with one element per chunk: ``t_ms`` (since the request was sent),
    ``channel`` (``thinking`` or ``answer``), ``chars``, and ``text`` unless the report is anonymous.

    Raises:
        OSError: a session's file cannot be read.
    """
    return b"".join(msgspec.json.encode(line) + b"\n" for saved in sessions for line in _lines(saved))


def _lines(saved: Saved) -> Iterator[dict[str, object]]:
    for row, sent in saved.finished():
        event = own_text(sent)
        values = row_values(row, saved.session)
        line: dict[str, object] = {name: values[name] for name in trials_columns() if name not in _LISTS}
        line["flags"] = row.flags
        line["missing"] = row.figures.why
        line["chunks"] = _chunks(event, with_text=not saved.anonymous)
        yield line


def _chunks(event: TrialFinished, *, with_text: bool) -> dict[str, object]:
    line = event.timeline
    chunks: dict[str, object] = {
        "t_ms": [at / 1e6 for at in line.t_ns],
        "channel": ["thinking" if channel == "t" else "answer" for channel in line.channels],
        "chars": line.chars,
    }
    if with_text:
        chunks["text"] = chunk_texts(event)
    return chunks
