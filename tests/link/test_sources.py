"""A file and a pipe yield the events of a journal, and accept no commands."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from llmtui.core.commands import Cancel
from llmtui.core.session import fold
from llmtui.link import Link, LinkLost, ReadOnly
from llmtui.link.event_file import EventFile
from llmtui.link.stdin_pipe import StdinPipe
from llmtui.store.journal import JournalWriter
from llmtui.words.problems import whole_problem
from tests.link.test_line_reader import EVENTS, JOURNAL, PLAN


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(JOURNAL)
    return path


def pipe_with(data: bytes) -> StdinPipe:
    read, write = os.pipe()

    def feed() -> None:
        with os.fdopen(write, "wb") as into:
            into.write(data)

    threading.Thread(target=feed).start()
    return StdinPipe(read)


def all_events(link: Link) -> tuple[object, ...]:
    return tuple(event for batch in link.batches() for event in batch)


def test_a_file_gives_its_events_and_its_texts(journal: Path) -> None:
    link = EventFile(journal)
    assert all_events(link) == EVENTS
    trial = link.trial(EVENTS[2].trial.id)  # type: ignore[union-attr]  # the finished one
    assert trial == EVENTS[2]
    assert link.trial("nobody") is None
    assert not link.is_live


def test_a_file_that_is_being_written_is_followed_to_its_end(tmp_path: Path) -> None:
    lines = JOURNAL.splitlines(keepends=True)
    writer = JournalWriter(tmp_path)
    writer.append(lines[0])
    link = EventFile(tmp_path / "events.jsonl")
    assert link.is_live
    batches = link.batches()
    found = [*next(batches)]
    for line in lines[1:]:
        writer.append(line)
    writer.close()
    found += [event for batch in batches for event in batch]
    assert tuple(found) == EVENTS
    assert not link.is_live


def test_following_ends_when_it_is_closed(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(JOURNAL.splitlines(keepends=True)[0])
    link = EventFile(tmp_path / "events.jsonl")
    batches = link.batches()
    next(batches)
    threading.Timer(0.1, link.close).start()
    assert list(batches) == []
    writer.close()


def test_a_pipe_gives_the_same_session_as_the_file(journal: Path) -> None:
    pipe = pipe_with(JOURNAL)
    from_pipe = fold(event for batch in pipe.batches() for event in batch)
    assert from_pipe == fold(event for batch in EventFile(journal).batches() for event in batch)
    assert from_pipe is not None
    assert pipe.trial(from_pipe.rows[0].trial.id) == EVENTS[2]
    pipe.close()


def test_a_pipe_leaves_no_spool_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pipe = pipe_with(JOURNAL)
    assert all_events(pipe) == EVENTS
    assert list(tmp_path.iterdir())
    pipe.close()
    pipe.close()
    assert list(tmp_path.iterdir()) == []


def test_closing_ends_a_pipe_that_still_waits() -> None:
    read, write = os.pipe()
    pipe = StdinPipe(read)
    seen: list[object] = []
    reader = threading.Thread(target=lambda: seen.extend(pipe.batches()))
    reader.start()
    pipe.close()
    reader.join(timeout=10)
    assert not reader.is_alive()
    os.close(write)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
@pytest.mark.parametrize("read", [True, False])
def test_a_pipe_leaves_no_descriptor_open(read: bool) -> None:
    before = open_descriptors()
    ours, theirs = os.pipe()
    os.write(theirs, JOURNAL)
    os.close(theirs)
    pipe = StdinPipe(ours)
    if read:
        assert all_events(pipe) == EVENTS
    pipe.close()
    assert open_descriptors() == before


def test_the_writer_notices_that_a_pipe_was_closed() -> None:
    read, write = os.pipe()
    pipe = StdinPipe(read)
    reader = threading.Thread(target=lambda: all_events(pipe))
    reader.start()
    pipe.close()
    reader.join(timeout=10)
    with pytest.raises(BrokenPipeError):
        os.write(write, JOURNAL)
    os.close(write)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_ends_a_pipe_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (os.open("/dev/full", os.O_WRONLY), "/nowhere/spool"))
    pipe = pipe_with(JOURNAL)
    with pytest.raises(LinkLost, match="spool_unwritable") as lost:
        all_events(pipe)
    assert "cannot be saved in /nowhere/spool: No space left on device. Free disk space" in whole_problem(
        lost.value.problem
    )
    pipe.close()


def test_nothing_can_be_told_to_them(journal: Path) -> None:
    with pytest.raises(ReadOnly):
        EventFile(journal).send(Cancel())
    pipe = pipe_with(b"")
    with pytest.raises(ReadOnly):
        pipe.send(Cancel())
    pipe.close()


def test_a_missing_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(LinkLost, match="file_unreadable") as lost:
        all_events(EventFile(tmp_path / "nowhere.jsonl"))
    assert "cannot be read: No such file" in whole_problem(lost.value.problem)
    assert PLAN.contenders
