from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmtui.backends.base import RunnerClue
from llmtui.engine.sensors.processes import ProcessTable, ProcProcesses, PsutilProcesses
from llmtui.engine.sensors.runner import RunnerSensor, RunnerTarget, find_runner
from tests.engine.sensors.trees import BLOB, lay, process, stand_in_runner, wait_for

BLOB_PATH = f"/home/me/.ollama/models/blobs/sha256-{BLOB}"
TARGET = RunnerTarget.of(BLOB_PATH)
OTHER_BLOB = "f" * 64


@pytest.mark.parametrize(
    "arguments",
    [
        ["ollama", "runner", "--model", BLOB_PATH, "--port", "1"],
        ["llama-server", f"--model={BLOB_PATH}"],
        ["llama-server", "--model", f"C:\\models\\blobs\\sha256-{BLOB}"],
        ["llama-server", "--model", f"/elsewhere/in/a/container/sha256-{BLOB.upper()}"],
    ],
)
def test_a_runner_is_told_by_the_hash_in_its_model_argument_wherever_the_file_lies(arguments: list[str]) -> None:
    assert TARGET.is_named_in(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["llama-server", "--verbose"],  # the short-lived search for graphics cards
        ["llama-server", "--model"],
        ["llama-server", "--model", f"/x/sha256-{OTHER_BLOB}"],
        ["less", BLOB_PATH],
        ["ollama", "create", "--models", BLOB_PATH],
        [],
    ],
)
def test_other_programs_are_not_the_runner(arguments: list[str]) -> None:
    assert not TARGET.is_named_in(arguments)


def test_a_server_without_blobs_is_told_by_the_whole_argument() -> None:
    target = RunnerTarget.of("/home/me/tiny.gguf")
    assert target.is_named_in(["llama-server", "--model", "/home/me/tiny.gguf"])
    assert RunnerTarget.of("tiny.gguf").is_named_in(["llama-server", "-m", "/home/me/tiny.gguf"])
    assert not target.is_named_in(["llama-server", "--model", "/home/me/tiny.gguf.part"])


def test_the_line_of_a_modelfile_and_its_digest_spelling_lead_to_the_same_target() -> None:
    assert RunnerTarget.of(f"FROM {BLOB_PATH}") == RunnerTarget.of(f"sha256:{BLOB}") == TARGET


def test_what_a_backend_knows_becomes_a_target() -> None:
    assert RunnerTarget.of_clue(None) is None
    assert RunnerTarget.of_clue(RunnerClue()) is None
    assert RunnerTarget.of_clue(RunnerClue(pid=7, model_argument="x")) == RunnerTarget(pid=7)
    assert RunnerTarget.of_clue(RunnerClue(model_argument=f"sha256-{BLOB}")) == TARGET
    assert RunnerTarget.of_clue(RunnerClue(model_argument="name:1b")) == RunnerTarget(argument="name:1b")


def test_the_beginning_of_a_hash_is_enough() -> None:
    target = RunnerTarget.of(f"sha256-{BLOB[:12]}")
    assert target.is_named_in(["llama-server", "--model", BLOB_PATH])
    assert not target.is_named_in(["llama-server", "--model", f"/x/sha256-{OTHER_BLOB}"])


class Counted(ProcProcesses):
    """Counts how often all processes are looked through, which takes tens of milliseconds on a full machine."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.scans = 0

    def command_lines(self) -> Iterator[tuple[int, list[str]]]:
        self.scans += 1
        return super().command_lines()


def test_a_runner_of_known_pid_is_followed_whatever_its_arguments(tmp_path: Path) -> None:
    lay(tmp_path, process(7, "python", "-m", "server") | process(8, "r", "--model", BLOB_PATH))
    processes = Counted(tmp_path)
    runner = find_runner(RunnerTarget(pid=7), processes)
    assert runner is not None
    assert runner.pid == 7
    assert processes.scans == 0
    assert find_runner(RunnerTarget(pid=9), processes) is None


def test_processes_are_looked_through_once_a_search(tmp_path: Path) -> None:
    processes = Counted(lay(tmp_path, process(3, "ollama") | process(7, "r", "--model", BLOB_PATH, parent=3)))
    runner = find_runner(TARGET, processes)
    assert runner is not None
    assert runner.server_pid == 3
    assert processes.scans == 1


@pytest.mark.parametrize(
    ("arguments", "weights_in_anon"),
    [
        (["--no-mmap"], True),
        (["--load-mode", "none"], True),
        (["--load-mode=none"], True),
        (["--load-mode", "mmap"], False),
        ([], False),
    ],
)
def test_a_runner_told_not_to_map_its_file_holds_the_weights_in_anonymous_memory(
    tmp_path: Path, arguments: list[str], weights_in_anon: bool
) -> None:
    lay(tmp_path, process(7, "llama-server", "--model", BLOB_PATH, *arguments))
    runner = find_runner(TARGET, ProcProcesses(tmp_path))
    assert runner is not None
    assert runner.weights_in_anon is weights_in_anon


def test_the_youngest_of_several_is_taken_for_the_old_one_may_be_on_its_way_out(tmp_path: Path) -> None:
    lay(
        tmp_path,
        process(7, "r", "--model", BLOB_PATH, started_s=50) | process(8, "r", "--model", BLOB_PATH, started_s=40),
    )
    runner = find_runner(TARGET, ProcProcesses(tmp_path))
    assert runner is not None
    assert runner.pid == 7


def test_llmtui_is_never_its_own_runner(tmp_path: Path) -> None:
    lay(tmp_path, process(7, "llmtui", "run", "--model", BLOB_PATH))
    assert find_runner(TARGET, ProcProcesses(tmp_path), not_pids={7}) is None


@pytest.mark.parametrize(("parent", "server_pid"), [("/usr/bin/ollama", 3), ("/bin/bash", None)])
def test_the_parent_counts_as_the_server_only_if_it_is_one(tmp_path: Path, parent: str, server_pid: int | None) -> None:
    lay(tmp_path, process(3, parent, "serve") | process(7, "r", "--model", BLOB_PATH, parent=3))
    runner = find_runner(TARGET, ProcProcesses(tmp_path))
    assert runner is not None
    assert runner.server_pid == server_pid


def test_a_runner_whose_pid_went_to_another_program_has_ended(tmp_path: Path) -> None:
    processes = ProcProcesses(lay(tmp_path, process(7, "r", "--model", BLOB_PATH, started_s=50)))
    sensor = RunnerSensor(processes)
    sensor.follow(find_runner(TARGET, processes))
    assert sensor.read() is not None
    lay(tmp_path, process(7, "cat", started_s=90))
    assert sensor.read() is None


def test_nothing_followed_nothing_read(tmp_path: Path) -> None:
    sensor = RunnerSensor(ProcProcesses(tmp_path))
    assert sensor.read() is None
    sensor.follow(None)
    assert sensor.source == "the runner is not visible from here"


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(ProcProcesses, marks=pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")),
        PsutilProcesses,
    ],
)
def test_a_real_process_with_a_runners_arguments_is_found_and_measured(
    table: type[ProcProcesses | PsutilProcesses],
) -> None:
    processes: ProcessTable = table()
    with stand_in_runner("--model", BLOB_PATH, "--no-mmap", hold_bytes=80_000_000) as process_:
        runner = find_runner(TARGET, processes)
        assert runner is not None
        assert runner.pid == process_.pid
        assert runner.weights_in_anon
        sensor = RunnerSensor(processes)
        sensor.follow(runner)
        reading = sensor.read()
        assert reading is not None
        assert reading.resident_bytes is not None
        assert 80_000_000 <= reading.resident_bytes < 200_000_000
    wait_for(lambda: sensor.read() is None)
    assert find_runner(TARGET, processes) is None
