from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import httpx
import pytest

from llmtui.simulator import (
    OtherClientAsks,
    OtherClientLoads,
    Planned,
    RunningSimulator,
    Script,
    ScriptedAnswer,
    SimulatedModel,
    Stall,
    encode_script,
    running_simulator,
)
from llmtui.simulator.server import SKEW_VARIABLE
from tests.simulator.asking import QUESTION, chat, quick, quick_script

COMMAND = [sys.executable, "-P", "-m", "llmtui.simulator"]


def ask(simulator: RunningSimulator, model: str = "m", num_predict: int = 10_000, content: str = QUESTION) -> None:
    body = chat(model, content, options={"num_predict": num_predict})
    response = httpx.post(f"{simulator.url}/api/chat", json=body, trust_env=False, timeout=60)
    assert response.status_code == 200


@pytest.mark.parametrize("decode_tps", [50.0, 250.0, 1000.0])
@pytest.mark.timed
def test_tokens_are_sent_at_their_rate_and_the_log_tells_when(decode_tps: float) -> None:
    tokens = round(decode_tps)
    model = SimulatedModel(name="m", load_s=0.0, decode_tps=decode_tps, answers=(ScriptedAnswer(tokens=10_000),))
    with running_simulator(Script(models=(model,))) as simulator:
        ask(simulator, num_predict=tokens)
        (record,) = simulator.answers()
    interval_ns = 1e9 / decode_tps
    first_ns = record.texts[0].sent_ns
    lateness_ns = [chunk.sent_ns - first_ns - i * interval_ns for i, chunk in enumerate(record.texts)]
    assert len(record.texts) == tokens
    assert abs(median(lateness_ns)) < 5e6
    # Deadlines are absolute: being late now and then does not add up.
    assert record.decode_tps == pytest.approx(decode_tps, rel=0.05)


@pytest.mark.timed
def test_a_reader_sees_each_line_just_after_the_log_says_it_was_handed_over() -> None:
    model = SimulatedModel(name="m", load_s=0.0, decode_tps=100.0, answers=(ScriptedAnswer(tokens=101),))
    arrivals_ns = []
    with running_simulator(Script(models=(model,))) as simulator:
        with httpx.stream("POST", f"{simulator.url}/api/chat", json=chat(), trust_env=False) as response:
            for data in response.iter_raw():
                arrivals_ns += [time.perf_counter_ns()] * data.count(b"\n")
        (record,) = simulator.answers()
    assert len(arrivals_ns) == len(record.chunks) == 101
    lags_ns = [arrival - chunk.handed_ns for arrival, chunk in zip(arrivals_ns, record.chunks, strict=True)]
    assert min(lags_ns) > 0
    assert median(lags_ns) < 5e6


@pytest.mark.timed
def test_load_prefill_and_first_token_follow_the_script() -> None:
    model = SimulatedModel(name="m", load_s=0.5, prefill_tps=100.0, decode_tps=100.0)
    with running_simulator(Script(models=(model,))) as simulator:
        ask(simulator, num_predict=10, content="x" * 200)
        ask(simulator, num_predict=10, content="y" * 200)
        cold, warm = simulator.answers()
    assert cold.truth is not None
    assert warm.truth is not None
    assert (cold.truth.loaded, warm.truth.loaded) == (True, False)
    new_tokens = warm.truth.prompt_tokens - warm.truth.cached_tokens
    assert warm.ttft_ns == pytest.approx(new_tokens * 1e7, rel=0.25)
    assert cold.ttft_ns == pytest.approx(0.5e9 + cold.truth.prompt_tokens * 1e7, rel=0.25)


@pytest.mark.timed
def test_a_stall_is_where_the_script_puts_it_and_time_scale_shortens_everything() -> None:
    answer = ScriptedAnswer(tokens=10, stalls=(Stall(before_token=5, seconds=4.0),))
    model = SimulatedModel(name="m", load_s=0.0, decode_tps=10.0, answers=(answer,))
    with running_simulator(Script(models=(model,), time_scale=10.0)) as simulator:
        ask(simulator)
        (record,) = simulator.answers()
    times = [chunk.sent_ns for chunk in record.texts]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps.index(max(gaps)) == 3
    assert max(gaps) == pytest.approx(0.41e9, rel=0.1)
    assert median(gaps) == pytest.approx(0.01e9, rel=0.5)


def test_things_can_happen_in_mid_run() -> None:
    with running_simulator(quick_script()) as simulator:
        simulator.change(OtherClientLoads(model="m", options={"num_ctx": 2048}))
        assert simulator.state()["loaded"][0]["num_ctx"] == 2048
        simulator.change(OtherClientAsks(model="m", seconds=0.3))
        assert simulator.state()["loaded"][0]["busy"] is True
        simulator.change(Planned(before_trial=7, change=OtherClientAsks(model="m", seconds=0.3)))
        with pytest.raises(ValueError, match="model 'x' not found"):
            simulator.change(OtherClientLoads(model="x"))


def test_the_log_can_be_read_in_parts_and_cleared() -> None:
    with running_simulator(quick_script()) as simulator:
        ask(simulator)
        ask(simulator)
        assert [record.number for record in simulator.send_log(since=1)] == [2]
        simulator.clear_log()
        assert simulator.send_log() == ()
        ask(simulator)
        assert simulator.send_log()[0].number == 3


def test_the_skew_reaches_the_process() -> None:
    with running_simulator(quick_script(), environment={SKEW_VARIABLE: "60000"}) as simulator:
        ask(simulator)
        (record,) = simulator.answers()
    assert record.ttft_ns is not None
    assert record.ttft_ns > 60e9


def test_a_script_may_hold_half_of_a_surrogate_pair_and_so_may_a_request() -> None:
    with running_simulator(quick_script(quick(answers=(ScriptedAnswer(text="\ud83d"),)))) as simulator:
        body = json.dumps(chat(content="\udc00"))
        httpx.post(f"{simulator.url}/api/chat", content=body, trust_env=False)
        (record,) = simulator.answers()
    assert record.body["messages"][0]["content"] == "\udc00"


def test_the_process_ends_when_its_input_ends() -> None:
    process = subprocess.Popen([*COMMAND, "--scenario", "fast"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, process.stdin:
        ready = json.loads(process.stdout.readline())
        assert httpx.get(f"http://127.0.0.1:{ready['port']}/", trust_env=False).text == "Ollama is running"
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_on_a_signal(number: int) -> None:
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, process.stdin:
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(10) == 0


def test_the_process_ends_in_mid_answer() -> None:
    with running_simulator(quick_script(quick(answers=(ScriptedAnswer(silent=True),)))) as simulator:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{simulator.url}/api/chat", json=chat(), trust_env=False, timeout=0.2)
        pid = simulator.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_script_can_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    file.write_bytes(encode_script(quick_script(version="9.9.9")))
    with subprocess.Popen([*COMMAND, "--script", str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        assert httpx.get(f"http://127.0.0.1:{port}/api/version", trust_env=False).json() == {"version": "9.9.9"}
        process.terminate()


@pytest.mark.parametrize(
    ("arguments", "given", "complaint"),
    [
        (["--script", "-"], b'{"modells": []}\n', "modells"),
        (["--script", "-"], b"", "not a script"),
        (["--script", "-"], b'{"preloaded": ["x"]}\n', "model 'x' not found"),
        (["--script", "/nowhere/at/all.json"], b"", "No such file"),
        (["--scenario", "unheard-of"], b"", "invalid choice"),
    ],
)
def test_what_cannot_start_says_why_in_a_sentence(arguments: list[str], given: bytes, complaint: str) -> None:
    ended = subprocess.run([*COMMAND, *arguments], input=given, capture_output=True, check=False, timeout=30)
    assert ended.returncode == 2
    assert complaint in ended.stderr.decode()
    assert b"Traceback" not in ended.stderr


def test_a_simulator_that_does_not_start_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with (
        (tmp_path / "stderr").open("wb") as stderr,
        pytest.raises(RuntimeError, match="status 2"),
        running_simulator(Script(preloaded=("x",)), stderr=stderr),
    ):
        raise AssertionError("it started")
    assert b"not found" in (tmp_path / "stderr").read_bytes()


def test_nothing_heavy_is_imported() -> None:
    program = "import sys, llmtui.simulator.__main__; print(' '.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, check=True, text=True).stdout
    heavy = {"httpx", "textual", "pandas", "psutil", "ollama", "pydantic", "llmtui.engine"}
    assert heavy & set(modules.split()) == set()
