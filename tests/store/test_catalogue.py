from __future__ import annotations

from pathlib import Path

from llmtui.core.events import SessionEvent, SessionFinished, encode
from llmtui.core.session import fold
from llmtui.store.catalogue import catalogue
from llmtui.store.journal import JournalWriter
from llmtui.store.labels import Label, write_label
from llmtui.store.pairs_csv import write_pairs
from llmtui.store.session_folder import JOURNAL, PAIRS, SUMMARY, TRIALS
from llmtui.store.summary_csv import write_summary
from llmtui.store.trials_csv import trials_csv
from tests.core.made import MS, finished, plan, started, trial

PLAN = plan("=first", "second", "third")
SPEEDS_MS = (100, 50, 80)


def saved(results: Path, *, ends: bool = True) -> Path:
    """A session of three models in three rounds: the second is the fastest, one trial of the first fails."""
    begun = started(PLAN)
    events = [
        finished(
            PLAN,
            trial(PLAN, round_number=number, contender=who, which=which),
            token_ms=SPEEDS_MS[who],
            order=3 * number,
            outcome="error" if (number, who, which) == (3, 0, 1) else "ok",
        )
        for number in (1, 2, 3)
        for who in range(3)
        for which in (0, 1)
    ]
    end = [SessionFinished(t_ns=begun.t_ns + 90_000 * MS, wall_ns=begun.wall_ns, how="complete")] if ends else []
    everything: list[SessionEvent] = [begun, *events, *end]
    session = fold(everything)
    assert session is not None
    folder = results / "one"
    folder.mkdir()
    (folder / JOURNAL).write_bytes(b"".join(encode(event) for event in everything))
    (folder / TRIALS).write_bytes(trials_csv(session))
    if ends:
        write_summary(folder, session)
        write_pairs(folder, session)
    return folder


def test_an_ended_session_says_who_is_the_fastest_and_how_much(tmp_path: Path) -> None:
    saved(tmp_path)
    [entry] = catalogue(tmp_path)
    assert entry.verdict is not None
    names = [entry.folder.models[index] for index in (entry.verdict.first, entry.verdict.second)]
    assert names == ["second", "third"]
    assert entry.verdict.ratio is not None
    assert round(entry.verdict.ratio, 2) == 1.60
    assert entry.ok == 17
    assert entry.folder.duration_s == 90
    assert not entry.running


def test_without_its_tables_the_rows_are_counted_and_no_verdict_is_made(tmp_path: Path) -> None:
    folder = saved(tmp_path)
    (folder / PAIRS).unlink()
    (folder / SUMMARY).write_text("damaged", "utf-8")
    [entry] = catalogue(tmp_path)
    assert (entry.verdict, entry.ok) == (None, 17)


def test_an_interrupted_session_has_no_verdict_yet(tmp_path: Path) -> None:
    saved(tmp_path, ends=False)
    [entry] = catalogue(tmp_path)
    assert (entry.verdict, entry.ok, entry.folder.duration_s) == (None, 17, None)


def test_a_session_that_another_process_writes_is_running(tmp_path: Path) -> None:
    folder = saved(tmp_path, ends=False)
    writer = JournalWriter(folder)
    assert [entry.running for entry in catalogue(tmp_path)] == [True]
    writer.close()
    assert [entry.running for entry in catalogue(tmp_path)] == [False]


def test_a_label_is_listed(tmp_path: Path) -> None:
    write_label(saved(tmp_path), Label(name="before"))
    assert [entry.label.name for entry in catalogue(tmp_path)] == ["before"]
