from __future__ import annotations

import os
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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_saving_and_is_told_once(tmp_path: Path) -> None:
    reader = Reader()
    failed: list[Problem] = []
    recorder = Recorder(reader, on_disk_failed=failed.append)
    recorder.open_session(tmp_path, started(PLAN))
    done(recorder)
    full = tmp_path / "full"
    full.mkdir()
    (full / JOURNAL).symlink_to("/dev/full")
    recorder.open_session(full, started(PLAN))
    recorder.emit(finished(PLAN))
    done(recorder)
    assert [problem.code for problem in failed] == ["disk"]
    noted = [event for event in reader.events if isinstance(event, Noted)]
    assert [note.problem for note in noted] == failed
    assert "No space left" in problem_what(failed[0])
    assert reader.events[-1] == finished(PLAN), "the reader still gets every fact"


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
