"""A finished session is read from its table, and is the one that its journal tells."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from llmtui import __version__
from llmtui.core.across import COMPARED, compare_sessions
from llmtui.core.events import encode
from llmtui.core.session import Session, fold
from llmtui.core.summary import summarise
from llmtui.store.session_rows import comparable_session, read_comparable
from llmtui.store.trials_csv import trials_csv
from tests.report.recorded import recorded_events


def kept(folder: Path, *, version: str = __version__, finish: bool = True) -> tuple[Path, Session]:
    """Write the recorded session with its table."""
    events = recorded_events(finish=finish)
    begun = events[0]
    fingerprint = msgspec.structs.replace(begun.fingerprint, llmtui=version)  # type: ignore[union-attr]
    events[0] = msgspec.structs.replace(begun, fingerprint=fingerprint)
    session = fold(events)
    assert session is not None
    folder.mkdir(exist_ok=True)
    (folder / "events.jsonl").write_bytes(b"".join(map(encode, events)))
    (folder / "trials.csv").write_bytes(trials_csv(session))
    return folder / "events.jsonl", session


def test_the_table_tells_what_a_comparison_needs(tmp_path: Path) -> None:
    journal, session = kept(tmp_path)
    found = comparable_session(journal)
    assert found is not None
    assert [row.trial.id for row in found.rows] == [row.trial.id for row in session.rows]
    assert [row.flags for row in found.rows] == [row.flags for row in session.rows]
    for mine, its in zip(summarise(found).lines, summarise(session).lines, strict=True):
        assert mine.decode_tps is not None
        assert its.decode_tps is not None
        assert mine.decode_tps.value == pytest.approx(its.decode_tps.value, rel=1e-5)
        assert (mine.finished, mine.failed, mine.memory_peak_bytes, mine.vram_bytes) == (
            its.finished, its.failed, its.memory_peak_bytes, its.vram_bytes,
        )  # fmt: skip
    changes = compare_sessions(session, found, figures=COMPARED).changes
    ratios = [one.ratio for one in changes if one.ratio is not None]
    assert len(ratios) > 6
    assert ratios == pytest.approx([1.0] * len(ratios), rel=1e-5)


def test_the_journal_is_read_where_the_table_does_not_do(tmp_path: Path) -> None:
    journal, session = kept(tmp_path, version="0.0.1")
    assert comparable_session(journal) is None, "another version's rules may be others"
    read = read_comparable(journal)
    assert read is not None
    assert read.rows == session.rows
    assert comparable_session(kept(tmp_path, finish=False)[0]) is None, "it may still grow"
    journal, _ = kept(tmp_path)
    table = tmp_path / "trials.csv"
    whole = table.read_bytes()
    for content in (
        b"",
        b"model\n",
        whole.replace(b"phi-3", b"other"),
        whole.replace(b"coding-1", b"x"),
        whole[:-1],
        b"\xff",
    ):
        table.write_bytes(content)
        assert comparable_session(journal) is None
    table.write_bytes(whole)
    os.utime(table, ns=(0, 0))
    assert comparable_session(journal) is None, "the journal is newer"
    table.unlink()
    assert comparable_session(journal) is None
    assert read_comparable(tmp_path / "nowhere") is None
