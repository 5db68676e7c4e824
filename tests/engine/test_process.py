from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from llmtui.core.commands import Cancel, Pause, SetServer, Shutdown
from llmtui.core.events import (
    SCHEMA,
    Chunks,
    CommandFailed,
    EngineReady,
    Event,
    Gap,
    Noted,
    Sampled,
    ServerChanged,
    SessionFinished,
    SessionOpened,
    SessionStarted,
    TrialFinished,
    encode,
)
from llmtui.simulator.model import ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import RunningSimulator, running_simulator
from llmtui.simulator.script import Script
from llmtui.store.journal import read_events
from llmtui.store.session_folder import JOURNAL, TRIALS
from llmtui.words.problems import problem_remedy
from tests.engine.engine_process import Engine, models_of, plan_for, running_engine, start
from tests.engine.waiting import wait_until

SLOW = SimulatedModel(name="slow", decode_tps=20.0, load_s=0.1, answers=(ScriptedAnswer(tokens=2000),))
FLOOD = SimulatedModel(
    name="flood", decode_tps=1500.0, load_s=0.1, answers=(ScriptedAnswer(tokens=8000, text="lighthouse " * 25000),)
)
OTHERS = SimulatedModel(name="others", load_s=0.1)


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running_simulator(Script(models=(SLOW, FLOOD, OTHERS), preloaded=("others",))) as running:
        yield running


def names_in_memory(simulator: RunningSimulator) -> list[str]:
    return [model["model"] for model in simulator.state()["loaded"]]


def start_slow(engine: Engine, simulator: RunningSimulator, tmp_path: Path) -> None:
    """A run in the middle of an answer."""
    models = models_of(engine, simulator.url)
    start(engine, plan_for(simulator.url, models["slow:latest"], kinds=("warm",)), tmp_path / "results")
    engine.wait_for(Chunks)


def assert_left_in_order(journal: list[Event]) -> None:
    (row,) = [event for event in journal if isinstance(event, TrialFinished)]
    assert row.outcome == "cancelled"
    assert row.text, "what had come is kept"
    assert isinstance(journal[-1], SessionFinished)
    assert journal[-1].how == "cancelled"


# --- a failed thread ----------------------------------------------------------------------------------------------

FAILING_RECORDER = """
import sys
from llmtui.engine import process, recorder

def fail(*_of):
    raise RuntimeError("a fault in the recorder")

recorder.Recorder._record = fail
sys.exit(process.main(["--log", sys.argv[1]]))
"""


def test_a_fault_in_the_recording_thread_ends_the_engine_with_its_own_code_and_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    command = [sys.executable, "-P", "-c", FAILING_RECORDER, str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as engine:
        assert engine.stdin is not None
        engine.stdin.write(encode(SetServer(address="http://127.0.0.1:9")))
        engine.stdin.flush()
        assert engine.wait(60) == 70
    assert "RuntimeError: a fault in the recorder" in log.read_text()


# --- its beginning ------------------------------------------------------------------------------------------------


def test_it_says_at_once_that_it_is_there(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        ready = engine.wait_for(EngineReady)
        assert (ready.schema, ready.pid) == (SCHEMA, engine.process.pid)
        assert isinstance(engine.events[0], EngineReady)


def test_nothing_heavy_is_imported_before_that() -> None:
    code = "import sys, llmtui.engine.process; print(' '.join(sys.modules))"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"asyncio", "httpx", "ollama", "psutil", "platformdirs", "pandas"} & set(found.split())


def test_a_line_that_is_no_command_is_answered_and_the_engine_goes_on(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        assert engine.process.stdin is not None
        engine.process.stdin.write(b'garbage\n\n{"type":"Dance"}\n{"type":"SetServer"}\n' + encode(Pause()))
        engine.process.stdin.flush()
        wait_until(lambda: len(engine.of(CommandFailed)) == 4)
        assert [failed.problem.code for failed in engine.of(CommandFailed)] == ["bad_command"] * 3 + ["no_run"]


def test_a_server_that_is_not_there_is_told_with_a_remedy(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        engine.send(SetServer(address="127.0.0.1:9"))
        problem = engine.wait_for(ServerChanged).problem
        assert problem is not None
        assert problem.code == "refused"
        assert problem_remedy(problem)


def test_no_print_of_a_library_gets_among_the_events(tmp_path: Path, simulator: RunningSimulator) -> None:
    noise = """
        import builtins, os, subprocess, sys
        class Noisy:
            def find_spec(self, name, path=None, target=None):
                if name.startswith(("httpx", "llmtui.backends", "llmtui.engine.commands")):
                    print("a library says:", name)
                    sys.stdout.flush()
                    os.write(1, b"by descriptor\\n")
                    os.write(2, b"by the other descriptor\\n")
                    subprocess.run(["echo", "a child says"], check=False)
        sys.meta_path.insert(0, Noisy())
    """
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(textwrap.dedent(noise))
    with running_engine(tmp_path, environment={"PYTHONPATH": str(site)}) as engine:
        assert "slow:latest" in models_of(engine, simulator.url)
        assert all(line.startswith(b"{") for line in engine.lines)
        log = engine.log.read_text()
    for said in ("a library says: httpx", "by descriptor", "by the other descriptor", "a child says"):
        assert said in log


# --- its end ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["end of stdin", "Shutdown", "SIGTERM", "SIGHUP"])
def test_every_end_is_an_end_in_order_within_two_seconds(tmp_path: Path, simulator: RunningSimulator, way: str) -> None:
    simulator.clear_log()
    with running_engine(tmp_path) as engine:
        start_slow(engine, simulator, tmp_path)
        if way == "end of stdin":
            engine.end_of_commands()
        elif way == "Shutdown":
            engine.send(Shutdown())
        else:
            engine.process.send_signal(signal.Signals[way])
        assert engine.ended_within(4) < 2
        assert engine.process.returncode == 0
        assert_left_in_order(engine.journal())
        assert (engine.folder() / TRIALS).read_text().count("cancelled") == 1
    cut = simulator.answers()[-1]
    assert cut.disconnected_ns is not None, "the server knows that nobody listens"
    wait_until(lambda: "slow" not in names_in_memory(simulator))


def test_an_idle_engine_ends_at_once(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        engine.wait_for(EngineReady)
        engine.end_of_commands()
        assert engine.ended_within(4) < 1
        assert engine.process.returncode == 0


def test_a_server_that_no_longer_answers_does_not_hold_it_back(tmp_path: Path) -> None:
    with running_simulator(Script(models=(SLOW,))) as own, running_engine(tmp_path) as engine:
        start_slow(engine, own, tmp_path)
        os.kill(own.pid, signal.SIGSTOP)
        try:
            engine.end_of_commands()
            assert engine.ended_within(4) < 2.1
        finally:
            os.kill(own.pid, signal.SIGCONT)
        rows = [event for event in engine.journal() if isinstance(event, TrialFinished)]
        assert [row.outcome for row in rows] == ["cancelled"]


def test_a_killed_parent_leaves_no_orphan(tmp_path: Path, simulator: RunningSimulator) -> None:
    """As when the process that draws is killed by -9."""
    with running_engine(tmp_path) as teller:
        plan = plan_for(simulator.url, models_of(teller, simulator.url)["slow:latest"], kinds=("warm",))
    results = tmp_path / "results"
    command = json.dumps(
        {"type": "StartPlan", "plan": json.loads(encode_plan(plan)), "results_dir": str(results)}, ensure_ascii=True
    )
    parent_code = """
        import subprocess, sys, time
        engine = subprocess.Popen([sys.executable, "-P", "-m", "llmtui.engine", "--log", sys.argv[1]],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        engine.stdin.write(sys.argv[2].encode() + b"\\n")
        engine.stdin.flush()
        print(engine.pid, flush=True)
        for line in engine.stdout:
            if b'"Chunks"' in line:
                print("writing", flush=True)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(parent_code), str(tmp_path / "log"), command], stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert parent.stdout.readline() == b"writing\n"
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_running(pid), within_s=30)
    parent.stdout.close()
    (folder,) = results.iterdir()
    assert_left_in_order(list(read_events(folder / JOURNAL)))


def test_an_empty_log_goes_with_the_engine(tmp_path: Path) -> None:
    with running_engine(tmp_path) as engine:
        engine.wait_for(EngineReady)
        assert engine.log.exists()
    assert not engine.log.exists()


def encode_plan(plan: object) -> bytes:
    import msgspec

    return msgspec.json.encode(plan)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_cancelled_run_leaves_an_engine_that_can_run_again(tmp_path: Path, simulator: RunningSimulator) -> None:
    with running_engine(tmp_path) as engine:
        start_slow(engine, simulator, tmp_path)
        engine.send(Cancel())
        assert engine.finished_session().how == "cancelled"
        assert "others" in names_in_memory(simulator), "what others had in memory has come back"
        plan = engine.of(SessionStarted)[0].plan
        start(engine, plan, tmp_path / "results")
        wait_until(lambda: len(engine.of(SessionOpened)) == 2)
        assert engine.process.poll() is None


# --- a reader that does not read ----------------------------------------------------------------------------------


@pytest.mark.timed
def test_a_stopped_reader_stops_no_measurement_and_loses_no_fact(tmp_path: Path, simulator: RunningSimulator) -> None:
    with running_engine(tmp_path) as engine:
        models = models_of(engine, simulator.url)
        plan = plan_for(simulator.url, models["flood:latest"], kinds=("cold", "warm"), num_predict=6000, num_ctx=8192)
        start(engine, plan, tmp_path / "results")
        folder = engine.folder()
        engine.stop_reading()
        wait_until(lambda: b"SessionFinished" in (folder / JOURNAL).read_bytes(), within_s=60)
        assert not engine.of(SessionFinished), "the reader has seen nothing of it"
        engine.read_on()
        engine.finished_session()
        kept = [event for event in engine.journal() if not isinstance(event, Sampled)]
        told = [event for event in engine.events if type(event) in {type(one) for one in kept}]
        assert told == kept, "every fact arrived, in order"
        gaps = engine.of(Gap)
        assert gaps
        rows = [event for event in kept if isinstance(event, TrialFinished)]
        assert [row.outcome for row in rows] == ["ok"] * 3
        truths = [answer for answer in simulator.answers() if answer.model == "flood:latest"][-2:]
        for row, truth in zip(rows[1:], truths, strict=True):
            assert truth.done_ns is not None
            assert truth.ttft_ns is not None
            assert row.done_ns == pytest.approx(truth.done_ns - truth.received_ns, rel=0.01, abs=5e6)


# --- the disk -----------------------------------------------------------------------------------------------------


def test_a_results_folder_that_cannot_be_written_is_told(tmp_path: Path, simulator: RunningSimulator) -> None:
    (tmp_path / "results").write_text("a file")
    with running_engine(tmp_path) as engine:
        models = models_of(engine, simulator.url)
        start(engine, plan_for(simulator.url, models["slow:latest"]), tmp_path / "results")
        failed = engine.wait_for(CommandFailed)
        assert (failed.command, failed.problem.code) == ("StartPlan", "results_unwritable")
        assert problem_remedy(failed.problem)


def test_every_line_is_in_the_journal_before_it_is_told(tmp_path: Path, simulator: RunningSimulator) -> None:
    with running_engine(tmp_path) as engine:
        models = models_of(engine, simulator.url)
        start(engine, plan_for(simulator.url, models["others:latest"], categories=("coding",)), tmp_path / "results")
        journal = engine.folder() / JOURNAL
        seen = 0
        while not engine.of(SessionFinished):
            lines = list(engine.lines)
            on_disk = journal.read_bytes()
            for line in lines[seen:]:
                if b'"TrialFinished"' in line[:40] or b'"PhaseChanged"' in line[:40]:
                    assert line + b"\n" in on_disk
            seen = len(lines)
        assert not [note for note in engine.of(Noted) if note.level == "error"]
