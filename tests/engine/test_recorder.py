from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path

import pytest

from llmtui.core.events import (
    CommandFailed,
    Event,
    Noted,
    PlanExtended,
    Sampled,
    SessionFinished,
    TrialStarted,
    decode_event,
    encode,
)
from llmtui.core.records import Problem
from llmtui.engine.outbox import Outbox, Stream
from llmtui.engine.recorder import Recorder
from llmtui.store.journal import read_events
from llmtui.store.lock import writer_pid
from llmtui.store.session_folder import JOURNAL, LOCK, SAMPLES, TRIALS
from llmtui.words.problems import problem_what
from tests.core.made import finished, plan, started
from tests.core.made import trial as trial_of

PLAN = plan()
REPLY = CommandFailed(command="Pause", problem=Problem(code="no_run", what="No run is under way."))
END = SessionFinished(t_ns=9, wall_ns=9, how="complete")


class Reader(Outbox):
    """An outbox that remembers, and can look at the disk when a line reaches it."""

    def __init__(self, journal: Path | None = None) -> None:
        super().__init__(os.open(os.devnull, os.O_WRONLY))
        self.events: list[Event] = []
        self.unjournaled: list[Event] = []
        self._journal = journal

    def put(self, line: bytes, stream: Stream = "facts") -> None:
        self.events.append(decode_event(line))
        if self._journal is not None and line not in self._journal.read_bytes():
            self.unjournaled.append(decode_event(line))
        super().put(line, stream)


def done(recorder: Recorder) -> None:
    recorder.mark().result(10)


def test_a_session_event_is_in_the_journal_before_it_leaves(tmp_path: Path) -> None:
    reader = Reader(tmp_path / JOURNAL)
    recorder = Recorder(reader)
    recorder.open_session(tmp_path, started(PLAN))
    trial = finished(PLAN)
    sent: list[Event] = [TrialStarted(t_ns=2, trial=trial.trial, order=1, total=4), trial, END]
    for event in sent:
        recorder.emit(event)
    done(recorder)
    assert reader.events == [started(PLAN), *sent]
    assert reader.unjournaled == []
    assert list(read_events(tmp_path / JOURNAL)) == reader.events


def test_replies_and_live_text_are_not_journaled(tmp_path: Path) -> None:
    reader = Reader()
    recorder = Recorder(reader)
    recorder.emit(REPLY)
    recorder.open_session(tmp_path, started(PLAN))
    recorder.emit(REPLY)
    done(recorder)
    assert list(read_events(tmp_path / JOURNAL)) == [started(PLAN)]
    assert reader.events == [REPLY, started(PLAN), REPLY]


def test_a_row_is_on_disk_as_soon_as_its_trial_is_over(tmp_path: Path) -> None:
    recorder = Recorder(Reader())
    recorder.open_session(tmp_path, started(PLAN))
    recorder.emit(finished(PLAN))
    done(recorder)
    header, row = (tmp_path / TRIALS).read_text().splitlines()
    assert header.startswith("round,model,")
    assert row.startswith("1,llama3,")


def test_samples_name_the_trial_under_way(tmp_path: Path) -> None:
    recorder = Recorder(Reader())
    recorder.open_session(tmp_path, started(PLAN))
    trial = finished(PLAN)
    look = Sampled(t_ns=5, cores_busy=1.0)
    for event in (look, TrialStarted(t_ns=2, trial=trial.trial, order=1, total=4), look, trial, look):
        recorder.emit(event)
    done(recorder)
    rows = (tmp_path / SAMPLES).read_text().splitlines()[1:]
    assert [row.split(",")[2] for row in rows] == ["", trial.trial.id, ""]


def test_the_end_of_a_session_closes_its_files(tmp_path: Path) -> None:
    recorder = Recorder(Reader())
    recorder.open_session(tmp_path, started(PLAN))
    recorder.emit(finished(PLAN))
    done(recorder)
    assert writer_pid(tmp_path / LOCK) == os.getpid()
    recorder.emit(END)
    recorder.emit(Sampled(t_ns=7, cores_busy=1.0))
    done(recorder)
    assert writer_pid(tmp_path / LOCK) is None
    assert list(read_events(tmp_path / JOURNAL))[-1] == END
    assert (tmp_path / "summary.csv").read_text().count("\n") == 1 + 2 + 4


def test_a_session_that_is_opened_again_goes_on_where_it_ended(tmp_path: Path) -> None:
    reader = Reader(tmp_path / JOURNAL)
    recorder = Recorder(reader)
    files = recorder.open_session(tmp_path, started(PLAN))
    first, second = finished(PLAN), finished(PLAN, trial_of(PLAN, round_number=2), order=2)
    for event in (first, Sampled(t_ns=7, cores_busy=1.0), END):
        recorder.emit(event)
    done(recorder)
    recorder.reopen_session(files)
    assert writer_pid(tmp_path / LOCK) == os.getpid()
    later: list[Event] = [PlanExtended(t_ns=10, rounds=4, why="asked for"), second, Sampled(t_ns=12, cores_busy=1.0)]
    for more in later:
        recorder.emit(more)
    session = recorder.session().result(10)
    assert session is not None
    assert (len(session.rows), session.rounds, session.finished) == (2, 4, None)
    recorder.emit(END)
    done(recorder)
    assert writer_pid(tmp_path / LOCK) is None
    assert reader.unjournaled == []
    assert list(read_events(tmp_path / JOURNAL)) == reader.events
    assert [row.split(",")[0] for row in (tmp_path / TRIALS).read_text().splitlines()] == ["round", "1", "2"]
    assert len((tmp_path / SAMPLES).read_text().splitlines()) == 3


def test_without_files_there_is_no_session_to_tell(tmp_path: Path) -> None:
    recorder = Recorder(Reader())
    assert recorder.session().result(10) is None


class Disk:
    """A disk of a few bytes, for the files of one folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, room_bytes: int) -> None:
        self.room_bytes = room_bytes
        self._folder = folder
        self._write = os.write
        monkeypatch.setattr(os, "write", self._limited)

    def _limited(self, fd: int, data: bytes) -> int:
        if not Path(f"/proc/self/fd/{fd}").resolve().is_relative_to(self._folder):
            return self._write(fd, data)
        if self.room_bytes <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(fd, data[: self.room_bytes])
        self.room_bytes -= written
        return written


on_linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks /proc which file a descriptor is")


@on_linux
@pytest.mark.parametrize("room_bytes", range(0, 4000, 250))
def test_a_disk_that_fills_up_anywhere_is_told_once_and_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room_bytes: int
) -> None:
    reader = Reader()
    recorder = Recorder(reader)
    recorder.open_session(tmp_path, started(PLAN))
    done(recorder)
    disk = Disk(monkeypatch, tmp_path, room_bytes)
    trials = [finished(PLAN, trial_of(PLAN, round_number=n), order=n) for n in range(1, 9)]
    for trial in trials:
        recorder.emit(trial)
    recorder.emit(END)
    done(recorder)
    assert disk.room_bytes <= 0, "it was filled"
    noted = [event.problem for event in reader.events if isinstance(event, Noted)]
    assert [problem.code for problem in noted] == ["disk"]
    assert "No space left" in problem_what(noted[0])
    assert [event for event in reader.events if not isinstance(event, Noted)] == [started(PLAN), *trials, END]
    assert (tmp_path / JOURNAL).read_bytes().endswith(b"\n")
    saved = list(read_events(tmp_path / JOURNAL))
    assert saved == [started(PLAN), *trials, END][: len(saved)]
    assert (tmp_path / TRIALS).read_text().endswith("\n")


@on_linux
def test_what_a_full_disk_held_back_is_written_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader()
    recorder = Recorder(reader)
    recorder.open_session(tmp_path, started(PLAN))
    done(recorder)
    disk = Disk(monkeypatch, tmp_path, 700)
    trials = [finished(PLAN, trial_of(PLAN, round_number=n), order=n) for n in range(1, 5)]
    for trial in trials[:3]:
        recorder.emit(trial)
    done(recorder)
    disk.room_bytes = 1 << 20
    recorder.emit(trials[3])
    recorder.emit(END)
    done(recorder)
    noted = [event.problem.code for event in reader.events if isinstance(event, Noted)]
    assert noted == ["disk", "disk_again"]
    saved = list(read_events(tmp_path / JOURNAL))
    assert [event for event in saved if not isinstance(event, Noted)] == [started(PLAN), *trials, END]
    assert [event.problem.code for event in saved if isinstance(event, Noted)] == noted
    assert [row.split(",")[0] for row in (tmp_path / TRIALS).read_text().splitlines()[1:]] == list("1234")


def test_a_folder_that_was_removed_is_told(tmp_path: Path) -> None:
    reader = Reader()
    recorder = Recorder(reader)
    folder = tmp_path / "session"
    folder.mkdir()
    recorder.open_session(folder, started(PLAN))
    done(recorder)
    shutil.rmtree(folder)
    recorder.emit(finished(PLAN))
    done(recorder)
    noted = [event.problem for event in reader.events if isinstance(event, Noted)]
    assert [(problem.code, problem.detail) for problem in noted] == [("disk", "No such file or directory")]


def test_who_asked_and_was_cancelled_does_not_end_the_recording() -> None:
    reader = Reader()
    recorder = Recorder(reader)
    for _ in range(200):
        recorder.emit(REPLY)
        recorder.mark().cancel()
        recorder.session().cancel()
    done(recorder)
    assert len(reader.events) == 200


def test_many_threads_may_report(tmp_path: Path) -> None:
    reader = Reader()
    recorder = Recorder(reader)
    recorder.open_session(tmp_path, started(PLAN))

    def report(first: int) -> None:
        for number in range(first, first + 100):
            recorder.emit(Sampled(t_ns=number, cores_busy=1.0))

    threads = [threading.Thread(target=report, args=(first,)) for first in (1000, 2000, 3000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done(recorder)
    assert len(list(read_events(tmp_path / JOURNAL))) == 301
    assert list(map(encode, reader.events)) == (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)


def test_what_cannot_be_said_is_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match="finite"):
        Recorder(Reader()).emit(Sampled(t_ns=1, cores_busy=float("nan")))


def test_a_key_that_a_server_repeats_is_neither_told_nor_kept(tmp_path: Path) -> None:
    reader = Reader(tmp_path / JOURNAL)
    recorder = Recorder(reader, secrets=lambda: ('sk-"quoted"-1234',))
    recorder.open_session(tmp_path, started(PLAN))
    said = Problem(code="key_refused", args={"where": "h"}, detail='Incorrect key: sk-"quoted"-1234.')
    recorder.emit(finished(PLAN, outcome="error", problem=said))
    recorder.emit(END)
    done(recorder)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"quoted" not in kept
    assert b"Incorrect key: [hidden]." in kept
    assert "quoted" not in repr(reader.events)


def test_files_that_cannot_be_closed_are_told_and_do_not_end_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader()
    recorder = Recorder(reader)
    files = recorder.open_session(tmp_path, started(PLAN))

    def fails() -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(files._samples, "close", fails)
    recorder.emit(END)
    done(recorder)
    noted = [event.problem for event in reader.events if isinstance(event, Noted)]
    assert [(problem.code, problem.detail) for problem in noted] == [("disk", "Input/output error")]
    assert list(read_events(tmp_path / JOURNAL)) == [started(PLAN), END]
    assert writer_pid(tmp_path / LOCK) is None, "the other files are closed"
