"""What holds prompts or answers is readable by its owner alone, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmtui.core.events import SessionFinished, encode
from llmtui.engine.outbox import Outbox
from llmtui.engine.recorder import Recorder
from llmtui.store.session_folder import create_session_folder
from llmtui.store.writing import replace_file
from tests.core.made import finished, plan, started

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


@pytest.fixture(autouse=True, params=[0o000, 0o022])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_sessions_files_and_folders(tmp_path: Path) -> None:
    of = plan()
    folder = create_session_folder(tmp_path / "results", 1_790_000_000_000_000_000)
    recorder = Recorder(Outbox(os.open(os.devnull, os.O_WRONLY)))
    recorder.open_session(folder, started(of))
    recorder.emit(finished(of))
    recorder.mark().result(10)
    modes = {path.name: mode(path) for path in folder.iterdir()}
    recorder.emit(SessionFinished(t_ns=9, wall_ns=9, how="complete"))
    recorder.mark().result(10)
    modes |= {path.name: mode(path) for path in folder.iterdir()}
    assert set(modes) >= {"events.jsonl", "events.lock", "trials.csv", "samples.csv", "summary.csv", "pairs.csv"}
    assert set(modes.values()) == {0o600}
    assert mode(folder) == mode(folder.parent) == 0o700


def test_a_report_is_for_whom_the_umask_says(tmp_path: Path) -> None:
    replace_file(tmp_path / "report.md", encode(finished(plan())))
    assert mode(tmp_path / "report.md") & 0o044 == 0o044
