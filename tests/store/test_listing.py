from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from llmtui.core.events import Event, SessionFinished, encode
from llmtui.core.session import fold
from llmtui.store.journal import JournalWriter
from llmtui.store.listing import find_session, list_sessions, session_entry
from llmtui.store.session_folder import JOURNAL, create_session_folder, session_name
from llmtui.store.trials_csv import TrialsCsv
from tests.core.made import WALL_NS, finished, plan, started, trial

PLAN = plan()
END = SessionFinished(t_ns=9, wall_ns=9, how="complete")


def save(results: Path, name: str, *events: Event, wall_ns: int = WALL_NS) -> Path:
    folder = results / name
    folder.mkdir(parents=True)
    writer = JournalWriter(folder)
    for event in (msgspec.structs.replace(started(PLAN), session_id=name, wall_ns=wall_ns), *events):
        writer.append(encode(event))
    writer.close()
    return folder


def test_a_session_is_named_by_its_start() -> None:
    assert session_name(1_795_387_267 * 10**9, "ab12") == "20261122T224107Z-ab12"


def test_a_new_folder_is_created_with_its_parents(tmp_path: Path) -> None:
    first, second = (create_session_folder(tmp_path / "a" / "results", WALL_NS) for _ in range(2))
    assert first != second
    assert re.fullmatch(r"20260921T141320Z-[0-9a-f]{4}", first.name)


def test_newest_first(tmp_path: Path) -> None:
    save(tmp_path, "a", wall_ns=WALL_NS)
    save(tmp_path, "b", wall_ns=WALL_NS + 10**9)
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").write_text("x")
    assert [session.session_id for session in list_sessions(tmp_path)] == ["b", "a"]


def test_a_copied_folder_is_found_by_its_own_name(tmp_path: Path) -> None:
    original = save(tmp_path, "b")
    for name in ("a", "c"):
        shutil.copytree(original, tmp_path / name)
    sessions = list_sessions(tmp_path)
    for name in ("a", "b", "c"):
        found = find_session(sessions, name)
        assert found is not None
        assert found.path == tmp_path / name
    shutil.move(original, tmp_path / "d")
    moved = find_session(list_sessions(tmp_path), "b")
    assert moved is not None
    assert moved.session_id == "b"
    assert find_session(sessions, "none") is None


def test_no_results_folder_means_no_sessions(tmp_path: Path) -> None:
    assert list_sessions(tmp_path / "none") == ()


def test_what_a_finished_session_says(tmp_path: Path) -> None:
    session = session_entry(save(tmp_path, "a", finished(PLAN), END))
    assert (session.models, session.trials, session.rounds) == (("llama3", "mistral"), 1, 1)
    assert session.finished == "complete"
    assert session.journal == tmp_path / "a" / JOURNAL


def test_trials_are_counted_by_the_csv_where_there_is_one(tmp_path: Path) -> None:
    folder = save(tmp_path, "a")
    events = [
        finished(PLAN, trial(PLAN, round_number=number), order=order) for order, number in ((1, 1), (2, 1), (3, 2))
    ]
    session = fold([started(PLAN), *events])
    assert session is not None
    file = TrialsCsv(folder)
    for row in session.rows:
        file.append(row, session)
    file.close()
    found = session_entry(folder)
    assert (found.trials, found.rounds) == (3, 2)


@pytest.mark.parametrize("end", [b"", encode(END)[:-8]])
def test_an_interrupted_session_is_a_valid_one(tmp_path: Path, end: bytes) -> None:
    folder = save(tmp_path, "a", finished(PLAN))
    with (folder / JOURNAL).open("ab") as file:
        file.write(end)
    session = session_entry(folder)
    assert session.problem is None
    assert (session.finished, session.trials) == (None, 1)


@pytest.mark.parametrize("content", [b"", b"garbage\n", encode(END)])
def test_a_journal_that_cannot_be_read_is_listed_with_the_reason(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / JOURNAL).write_bytes(content)
    (session,) = list_sessions(tmp_path)
    assert session.problem is not None
    assert session.problem.code in ("bad_journal", "not_a_session")
