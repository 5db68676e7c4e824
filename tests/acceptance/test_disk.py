"""A results folder that fills up, is removed or may not be written: measured on, said at once, nothing called saved."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from llmtui.core.events import TrialFinished
from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast
from llmtui.store.journal import read_events
from tests.acceptance.program import Home, rows_of
from tests.acceptance.small_disk import small_disk
from tests.terminal import wait_until

ROUNDS = ("-c", "coding", "-c", "summary", "--rounds", "3")


def saved_trials(results: Path) -> int:
    journal = next(results.glob("*/events.jsonl"))
    return sum(isinstance(event, TrialFinished) for event in read_events(journal))


@pytest.mark.parametrize("kilobytes", [60, 100, 140])
def test_a_disk_that_fills_up_costs_no_figure_and_nothing_else_is_called_saved(
    home: Home, tmp_path: Path, kilobytes: int
) -> None:
    copy, report = tmp_path / "copy.csv", tmp_path / "report.md"
    with small_disk(tmp_path / "small", kilobytes) as results, running_simulator(fast()) as server:
        done = home.run(
            "run", "--host", server.url, "--results", str(results), *ROUNDS, "--csv", str(copy), "--markdown",
            str(report),
        )  # fmt: skip
        on_disk = saved_trials(results)
        cut = [path for path in results.glob("*/*.*") if path.stat().st_size and not path.read_bytes().endswith(b"\n")]
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    told = re.search(r"^Only (\d+) of 24 trials are saved", done.stdout, re.MULTILINE)
    assert told is not None, done.stdout
    assert int(told[1]) == on_disk < 24
    assert "Saved: " not in done.stdout
    assert len(rows_of(copy)) == 24, "what was asked for elsewhere is whole"
    assert report.read_text("utf-8").startswith("# ")
    assert cut == []


def test_a_folder_that_is_removed_in_mid_run_is_told(home: Home) -> None:
    with running_simulator(fast()) as server:
        running = home.start("run", "--host", server.url, "--results", str(home.results), *ROUNDS)
        wait_until(lambda: len(home.trials()) >= 2, what="finished trials", timeout_s=60)
        shutil.rmtree(home.sessions()[0])
        out, err = running.communicate(timeout=100)
    assert running.returncode == 3
    assert "cannot be written to disk: No such file or directory" in err
    assert "Only 0 of 24 trials are saved" in out


def test_a_copy_that_does_not_fit_is_refused_and_is_not_half_there(home: Home, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 4) as full, running_simulator(fast()) as server:
        (full / "ballast").write_bytes(b"x" * 4096)
        done = home.run(
            "run", "--host", server.url, "-c", "coding", "--rounds", "1", "--results", str(home.results), "--csv",
            str(full / "copy.csv"),
        )  # fmt: skip
        there = [path.name for path in full.iterdir()]
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Speed tok/s" in done.stdout, "the table is printed all the same"
    assert there == ["ballast"]
    assert len(home.trials()) == 6
