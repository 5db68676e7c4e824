from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llmtui.backends.base import RunnerClue, ServerEndpoint
from llmtui.engine.sensors.processes import ProcessTable, ProcProcesses, PsutilProcesses
from llmtui.engine.sensors.runner import ProcessId, RunnerSearch, RunnerSensor, RunnerTarget, find_runner
from tests.engine.sensors.trees import BLOB, lay, listen, process, stand_in_server, wait_for

BLOB_PATH = f"/home/me/.ollama/models/blobs/sha256-{BLOB}"
OTHER_BLOB = "f" * 64
PLACE = ServerEndpoint(addresses=("127.0.0.1",), port=11434)
SERVER = process(3, "ollama", "serve")


def target_of(argument: str | None, place: ServerEndpoint = PLACE) -> RunnerTarget:
    found = RunnerTarget.of_clue(RunnerClue(place=place, model_argument=argument))
    assert found is not None
    return found


TARGET = target_of(BLOB_PATH)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with an Ollama server, process 3, that has no runner."""
    lay(tmp_path, SERVER)
    listen(tmp_path, PLACE.port, 3)
    return tmp_path


def found_in(root: Path, target: RunnerTarget = TARGET, own: tuple[int, ...] = ()) -> RunnerSearch:
    return find_runner(target, ProcProcesses(root), own)


def pid_in(root: Path, target: RunnerTarget = TARGET, own: tuple[int, ...] = ()) -> int | None:
    runner = found_in(root, target, own).runner
    return None if runner is None else runner.pid


@pytest.mark.parametrize(
    "arguments",
    [
        ["ollama", "runner", "--model", BLOB_PATH, "--port", "1"],
        ["llama-server", f"--model={BLOB_PATH}"],
        ["llama-server", "--model", f"C:\\models\\blobs\\sha256-{BLOB}"],
        ["llama-server", "--model", f"/elsewhere/in/a/container/sha256-{BLOB.upper()}"],
    ],
)
def test_a_servers_child_is_told_by_the_hash_in_its_model_argument_wherever_the_file_lies(arguments: list[str]) -> None:
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
def test_other_children_are_not_the_runner(arguments: list[str]) -> None:
    assert not TARGET.is_named_in(arguments)


def test_a_child_without_a_blob_is_told_by_the_whole_argument() -> None:
    target = target_of("/home/me/tiny.gguf")
    assert target.is_named_in(["llama-server", "--model", "/home/me/tiny.gguf"])
    assert target_of("tiny.gguf").is_named_in(["llama-server", "-m", "/home/me/tiny.gguf"])
    assert not target.is_named_in(["llama-server", "--model", "/home/me/tiny.gguf.part"])


def test_what_a_backend_knows_becomes_a_target() -> None:
    assert RunnerTarget.of_clue(None) is None
    assert RunnerTarget.of_clue(RunnerClue()) is None
    assert RunnerTarget.of_clue(RunnerClue(model_argument=BLOB_PATH)) is None, "a file's name is nobody's process"
    assert RunnerTarget.of_clue(RunnerClue(pid=7, model_argument="x")) == RunnerTarget(pid=7)
    assert target_of(None) == RunnerTarget(place=PLACE)
    for spelling in (f"sha256-{BLOB}", f"sha256:{BLOB}", f"FROM {BLOB_PATH}"):
        assert target_of(spelling) == TARGET == RunnerTarget(place=PLACE, blob_hex=BLOB)
    assert target_of("name:1b") == RunnerTarget(place=PLACE, argument="name:1b")
    assert [one.is_child for one in (TARGET, target_of("name:1b"), target_of(None))] == [True, True, False]


def test_the_beginning_of_a_hash_is_enough() -> None:
    target = target_of(f"sha256-{BLOB[:12]}")
    assert target.is_named_in(["llama-server", "--model", BLOB_PATH])
    assert not target.is_named_in(["llama-server", "--model", f"/x/sha256-{OTHER_BLOB}"])


def test_a_runner_of_known_pid_is_followed_whatever_its_arguments(root: Path) -> None:
    lay(root, process(7, "python", "-m", "server") | process(8, "r", "--model", BLOB_PATH, parent=3))
    assert pid_in(root, RunnerTarget(pid=7)) == 7
    assert found_in(root, RunnerTarget(pid=9)) == RunnerSearch()


class TestAServerThatRunsEachModelInAChild:
    def test_has_it_below_it(self, root: Path) -> None:
        lay(root, process(7, "r", "--model", BLOB_PATH, parent=3, started_s=6))
        found = found_in(root)
        assert (found.runner is not None, found.server) == (True, ProcessId(3, 5.0))
        assert pid_in(root) == 7

    def test_is_seen_also_while_it_has_none(self, root: Path) -> None:
        assert found_in(root) == RunnerSearch(server=ProcessId(3, 5.0))
        assert found_in(root).is_seen

    def test_is_not_given_a_process_that_it_did_not_start(self, root: Path) -> None:
        lay(root, process(7, "llama-server", "--model", BLOB_PATH) | process(8, "llmtui", "run", "-m", BLOB_PATH))
        assert pid_in(root) is None

    def test_is_not_given_the_child_of_another_server_on_the_same_file(self, root: Path) -> None:
        other = ServerEndpoint(addresses=("127.0.0.1",), port=11435)
        lay(root, process(4, "ollama", "serve") | process(7, "r", "--model", BLOB_PATH, parent=3))
        lay(root, process(8, "r", "--model", BLOB_PATH, parent=4, started_s=60))
        listen(root, other.port, 4)
        assert (pid_in(root), pid_in(root, target_of(BLOB_PATH, other))) == (7, 8)

    def test_has_the_youngest_of_several_for_the_old_one_may_be_on_its_way_out(self, root: Path) -> None:
        lay(root, process(7, "r", "--model", BLOB_PATH, parent=3, started_s=50))
        lay(root, process(8, "r", "--model", BLOB_PATH, parent=3, started_s=40))
        assert pid_in(root) == 7


class TestAServerThatHoldsItsModelItself:
    TARGET = target_of(None)

    def test_is_the_process_that_listens_with_all_that_it_started(self, root: Path) -> None:
        lay(root, process(7, "VLLM::EngineCore", parent=3, started_s=6) | process(8, "VLLM::Worker", parent=7))
        lay(root, process(9, "bystander"))
        runner = found_in(root, self.TARGET).runner
        assert runner is not None
        assert (runner.pid, [one.pid for one in runner.beside]) == (3, [7, 8])

    def test_is_read_with_all_of_them(self, root: Path) -> None:
        lay(root, process(7, "VLLM::EngineCore", parent=3, anon_kb=5000, file_kb=100, cpu_s=2.0))
        processes = ProcProcesses(root)
        sensor = RunnerSensor(processes)
        sensor.follow(find_runner(self.TARGET, processes))
        reading = sensor.read()
        assert reading is not None
        assert reading.memory is not None
        assert (reading.memory.anon_bytes, reading.memory.file_bytes) == (6000 * 1024, 300 * 1024)
        assert reading.memory.peak_bytes is None, "their peaks were not at one time"
        assert [one.cpu_s for one in reading.beside] == [2.0]
        (root / "7" / "stat").unlink()
        reading = sensor.read()
        assert reading is not None
        assert reading.beside == ()

    def test_does_not_hold_llmtui_that_it_started(self, root: Path) -> None:
        """As from a notebook that serves a model, too."""
        lay(root, process(7, "llmtui", "run", parent=3) | process(8, "engine", parent=7))
        listen(root, 9000, 7)
        assert found_in(root, self.TARGET, own=(8,)) == RunnerSearch(), "nor is what started llmtui the model"
        assert (
            found_in(root, target_of(None, ServerEndpoint(addresses=("127.0.0.1",), port=9000)), own=(8,))
            == RunnerSearch()
        )

    def test_is_not_what_llmtui_started_itself(self, root: Path) -> None:
        lay(root, process(20, "engine") | process(21, "child", parent=20))
        listen(root, 9000, 21)
        assert (
            found_in(root, target_of(None, ServerEndpoint(addresses=("127.0.0.1",), port=9000)), own=(20,))
            == RunnerSearch()
        )


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
    root: Path, arguments: list[str], weights_in_anon: bool
) -> None:
    lay(root, process(7, "llama-server", "--model", BLOB_PATH, *arguments, parent=3))
    runner = found_in(root).runner
    assert runner is not None
    assert runner.weights_in_anon is weights_in_anon


class TestTheSensor:
    def test_reads_nothing_once_its_pid_went_to_another_program(self, root: Path) -> None:
        processes = ProcProcesses(lay(root, process(7, "r", "--model", BLOB_PATH, parent=3, started_s=50)))
        sensor = RunnerSensor(processes)
        sensor.follow(find_runner(TARGET, processes))
        assert sensor.read() is not None
        lay(root, process(7, "cat", started_s=90))
        assert sensor.read() is None

    def test_reads_nothing_where_nothing_is_followed(self, root: Path) -> None:
        sensor = RunnerSensor(ProcProcesses(root))
        assert (sensor.read(), sensor.read_server(), sensor.is_hidden) == (None, None, False)
        sensor.follow(RunnerSearch())

    def test_says_that_a_server_is_hidden_which_works_here_unseen(self, root: Path) -> None:
        sensor = RunnerSensor(ProcProcesses(root))
        hidden: list[bool] = []
        sensor.expect(here=True)
        hidden.append(sensor.is_hidden)
        sensor.follow(found_in(root, target_of(None, ServerEndpoint(addresses=("127.0.0.1",), port=1))))
        hidden.append(sensor.is_hidden)
        sensor.follow(found_in(root))  # its server is seen, though it has no runner now
        hidden.append(sensor.is_hidden)
        sensor.expect(here=False)
        hidden.append(sensor.is_hidden)
        assert hidden == [True, True, False, False]


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(ProcProcesses, marks=pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")),
        PsutilProcesses,
    ],
)
def test_real_servers_on_one_file_each_have_their_own_runner(
    table: type[ProcProcesses | PsutilProcesses],
) -> None:
    processes: ProcessTable = table()
    with stand_in_server() as one, stand_in_server() as other:
        pids = [server.run("--model", BLOB_PATH, "--no-mmap", hold_bytes=80_000_000) for server in (one, other)]
        targets = [
            target_of(BLOB_PATH, ServerEndpoint(addresses=("127.0.0.1",), port=server.port)) for server in (one, other)
        ]
        found = [find_runner(target, processes).runner for target in targets]
        assert [None if runner is None else runner.pid for runner in found] == pids
        sensor = RunnerSensor(processes)
        sensor.follow(find_runner(targets[0], processes))
        reading = sensor.read()
        assert reading is not None
        assert reading.runner.weights_in_anon
        assert reading.resident_bytes is not None
        assert 80_000_000 <= reading.resident_bytes < 200_000_000
        one.unload()
        wait_for(lambda: sensor.read() is None)
        assert [find_runner(target, processes).runner is None for target in targets] == [True, False]
