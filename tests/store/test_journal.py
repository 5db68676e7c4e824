from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.events import Event, Noted, SessionFinished, TrialFinished, encode
from llmtui.core.records import Problem
from llmtui.store.journal import JournalReader, JournalWriter, TrialIndex, read_events
from llmtui.store.lock import JournalBusy, writer_pid
from llmtui.store.session_folder import JOURNAL, LOCK
from llmtui.store.writing import replace_file
from llmtui.words.problems import problem_what
from tests.core.made import finished, plan, started, trial

PLAN = plan()


def note(number: int) -> Noted:
    return Noted(t_ns=number, level="info", problem=Problem(code="skipped", args={"number": number}))


def write(folder: Path, *lines: bytes) -> Path:
    writer = JournalWriter(folder)
    for line in lines:
        writer.append(line)
    writer.close()
    return folder / JOURNAL


def test_what_was_written_is_read_in_order(tmp_path: Path) -> None:
    events: list[Event] = [started(PLAN), note(1), finished(PLAN), SessionFinished(t_ns=9, wall_ns=9, how="complete")]
    path = write(tmp_path, *(encode(event) for event in events))
    assert list(read_events(path)) == events


def test_a_line_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    writer.append(encode(note(1)), sync=True)
    assert (tmp_path / JOURNAL).read_bytes() == encode(note(1))
    writer.close()


def test_a_torn_last_line_is_left_out_and_told(tmp_path: Path) -> None:
    path = write(tmp_path, encode(note(1)), encode(note(2))[:-5])
    reader = JournalReader(path)
    assert reader.poll() == (note(1),)
    assert reader.torn
    assert [problem.code for problem in reader.problems()] == ["torn_line"]


def test_a_growing_file_gives_a_line_once_and_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / JOURNAL
    line = encode(note(2))
    path.write_bytes(encode(note(1)) + line[:10])
    reader = JournalReader(path)
    assert reader.poll() == (note(1),)
    assert reader.poll() == ()
    with path.open("ab") as file:
        file.write(line[10:])
    assert reader.poll() == (note(2),)
    assert not reader.torn
    assert reader.problems() == ()


def test_a_writer_that_comes_after_a_torn_line_starts_on_a_new_one(tmp_path: Path) -> None:
    write(tmp_path, encode(note(1)), encode(note(2))[:-5])
    path = write(tmp_path, encode(note(3)))
    assert list(read_events(path)) == [note(1), note(3)]


def test_unknown_kinds_are_skipped_with_one_note_each(tmp_path: Path) -> None:
    unknown = b'{"type":"Dreamed","t_ns":1}\n'
    path = write(tmp_path, encode(note(1)), unknown, unknown, b"garbage\n", encode(note(2)))
    reader = JournalReader(path)
    assert reader.poll() == (note(1), note(2))
    told = {problem.code: problem_what(problem) for problem in reader.problems()}
    assert set(told) == {"unknown_event", "bad_lines"}
    assert "2 lines" in told["unknown_event"]
    assert "Dreamed" in told["unknown_event"]


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    path = write(tmp_path, encode(note(1)).replace(b'"level"', b'"mood":"fine","level"'))
    assert list(read_events(path)) == [note(1)]


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("junk") / JOURNAL
    path.write_bytes(encode(note(1)) + junk + b"\n" + encode(note(2)))
    found = list(read_events(path))
    assert found[0] == note(1)
    assert found[-1] == note(2)
    assert TrialIndex(path).read("nobody") is None


def test_a_second_writer_is_refused_and_told_who_writes(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path)
    with pytest.raises(JournalBusy, match=str(os.getpid())) as refused:
        JournalWriter(tmp_path)
    assert refused.value.pid == os.getpid()
    writer.close()
    JournalWriter(tmp_path).close()
    assert not (tmp_path / LOCK).exists()


def test_the_lock_of_a_killed_writer_is_taken_over(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from llmtui.store.journal import JournalWriter;"
        "JournalWriter(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / LOCK).read_text().strip().isdigit(), "the dead writer left its lock file"
    assert writer_pid(tmp_path / LOCK) is None
    JournalWriter(tmp_path).close()


def test_the_living_writer_can_be_asked_for(tmp_path: Path) -> None:
    assert writer_pid(tmp_path / LOCK) is None
    writer = JournalWriter(tmp_path)
    assert writer_pid(tmp_path / LOCK) == os.getpid()
    writer.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_and_not_a_lost_line(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).symlink_to("/dev/full")
    writer = JournalWriter(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        writer.append(encode(note(1)))
    writer.close()


def test_a_replaced_file_is_whole_or_old(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    replace_file(path, b"old\n")
    replace_file(path, b"new\n")
    assert path.read_bytes() == b"new\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.csv"]


# --- the index of finished trials ---------------------------------------------------------------------------------


def two_trials() -> tuple[TrialFinished, TrialFinished]:
    return finished(PLAN), finished(PLAN, trial(PLAN, kind="cold"), tokens=16)


def test_a_trial_is_found_by_its_id(tmp_path: Path) -> None:
    warm, cold = two_trials()
    index = TrialIndex(write(tmp_path, encode(started(PLAN)), encode(warm), encode(note(1)), encode(cold)))
    assert index.read(cold.trial.id) == cold
    assert index.read(warm.trial.id) == warm
    assert index.read("r9-m9-cold") is None


def test_a_missing_file_has_no_trials(tmp_path: Path) -> None:
    assert TrialIndex(tmp_path / "nothing").read("r1-m1-cold") is None


@given(st.lists(st.integers(1, 4000), max_size=8))
def test_a_file_that_grows_by_any_pieces_gives_each_trial_once_it_is_whole(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    warm, cold = two_trials()
    lines = [encode(started(PLAN)), encode(cold), encode(note(1)), encode(warm)]
    data = b"".join(lines)
    whole_from = {cold.trial.id: len(lines[0] + lines[1]), warm.trial.id: len(data)}
    path = tmp_path_factory.mktemp("grows") / JOURNAL
    index = TrialIndex(path)
    for end in sorted({min(cut, len(data)) for cut in cuts} | {len(data)}):
        path.write_bytes(data[:end])
        for event in (warm, cold):
            assert index.read(event.trial.id) == (event if end >= whole_from[event.trial.id] else None)
