from __future__ import annotations

from pathlib import Path

from llmtui.core.events import TrialFinished, encode
from llmtui.core.session import fold
from llmtui.store.journal import JournalWriter
from llmtui.store.past_speeds import past_speeds
from llmtui.store.session_folder import TRIALS
from llmtui.store.trials_csv import trials_csv
from tests.core.made import finished, plan, started, trial

PLAN = plan()


def save(results: Path, name: str, *rows: TrialFinished) -> Path:
    folder = results / name
    folder.mkdir(parents=True)
    writer = JournalWriter(folder)
    writer.append(encode(started(PLAN)))
    writer.close()
    session = fold([started(PLAN), *rows])
    assert session is not None
    (folder / TRIALS).write_bytes(trials_csv(session))
    return folder


def test_speed_and_load_time_come_from_earlier_rows(tmp_path: Path) -> None:
    save(tmp_path, "a", finished(PLAN), finished(PLAN, trial(PLAN, kind="cold"), tokens=16, load_ms=400))
    known = past_speeds(tmp_path)
    assert set(known) == {"digest-of-llama3"}
    assert known["digest-of-llama3"].decode_tps == 10
    assert known["digest-of-llama3"].load_s == 0.4


def test_short_answers_say_nothing_about_speed(tmp_path: Path) -> None:
    save(tmp_path, "a", finished(PLAN, tokens=20))
    assert past_speeds(tmp_path) == {}


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    assert past_speeds(tmp_path / "none") == {}
    (save(tmp_path, "a", finished(PLAN)) / TRIALS).write_bytes(b"other,columns\n1,2\n")
    (save(tmp_path, "b", finished(PLAN)) / TRIALS).write_bytes(b"\xff\xfe")
    assert past_speeds(tmp_path) == {}
