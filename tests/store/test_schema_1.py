"""A session that llmtui wrote when problems were English sentences opens, is shown and replays as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.core.events import SCHEMA, SessionStarted
from llmtui.core.session import Session, fold
from llmtui.link.event_file import EventFile
from llmtui.report.markdown import markdown
from llmtui.store.journal import JournalReader, read_events
from llmtui.store.listing import session_entry
from llmtui.store.trials_csv import trials_csv
from llmtui.words.flags import explained
from llmtui.words.problems import whole_problem

FOLDER = Path(__file__).with_name("schema_1")
JOURNAL = FOLDER / "events.jsonl"
NO_MEMORY = "refuses:1b does not fit into memory: out of memory."
REMEDY = "Close other programs, or pick a smaller model or context."


@pytest.fixture(scope="module")
def session() -> Session:
    session = fold(read_events(JOURNAL))
    assert session is not None
    return session


def test_it_is_of_schema_1() -> None:
    started = next(read_events(JOURNAL))
    assert isinstance(started, SessionStarted)
    assert started.schema == 1 < SCHEMA


def test_every_line_is_read() -> None:
    reader = JournalReader(JOURNAL)
    while reader.poll():
        pass
    assert reader.problems() == ()


def test_it_is_listed_and_replays() -> None:
    found = session_entry(FOLDER)
    assert (found.problem, found.trials, found.finished) == (None, 12, "complete")
    events = [event for batch in EventFile(JOURNAL).batches() for event in batch]
    assert events == list(read_events(JOURNAL))


@pytest.mark.parametrize("language", ["en", "es"])
def test_its_sentences_are_shown_as_they_are(session: Session, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    said = [whole_problem(row.problem) for row in session.rows if row.problem is not None]
    assert said.count(f"{NO_MEMORY} {REMEDY}") == 2
    assert [whole_problem(note.problem) for note in session.notes][-1].startswith("This server cannot be told to drop")
    cold = next(row for row in session.rows if "noisy_start" in row.flags)
    assert "(other programs kept 2.0 of 2 cores busy just before)" in explained(cold.flags, cold.evidence)[0]


def test_what_was_done_within_a_phase_is_read(session: Session) -> None:
    steps = [mark.step for mark in session.phases if mark.step is not None]
    assert steps.count("waiting_for_others") == 3
    assert steps.count("unloading") == 4
    assert steps.count("loading") == 4


def test_its_files_can_be_written_again(session: Session) -> None:
    assert NO_MEMORY in trials_csv(session).decode()
    assert NO_MEMORY in markdown(session)
