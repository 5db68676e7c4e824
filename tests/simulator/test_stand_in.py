from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable

import httpx
import psutil
import pytest

from llmtui.simulator import Dialect, RunningSimulator, Unload, running_simulator
from llmtui.simulator.identity import blob_hash
from tests.simulator.asking import chat, quick, quick_script

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="stand-in processes are read through /proc"
)

MODEL = quick(stand_in_bytes=64 * 2**20, load_s=0.2)


def ask(simulator: RunningSimulator) -> None:
    assert httpx.post(f"{simulator.url}/api/chat", json=chat(), trust_env=False, timeout=30).status_code == 200


def pid_of(simulator: RunningSimulator) -> int:
    (loaded,) = simulator.state()["loaded"]
    assert isinstance(loaded["pid"], int)
    return loaded["pid"]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("dialect", ["0.11.4", "0.34.4"])
def test_a_loaded_model_has_a_process_that_names_its_blob(dialect: Dialect) -> None:
    with running_simulator(quick_script(MODEL, dialect=dialect, stand_in_runner=True)) as simulator:
        ask(simulator)
        pid = pid_of(simulator)
        arguments = psutil.Process(pid).cmdline()
        assert arguments[arguments.index("--model") + 1].endswith(f"/blobs/sha256-{blob_hash(MODEL)}")
        assert ("--no-mmap" in arguments) is (dialect == "0.11.4")
        assert ("--load-mode" in arguments) is (dialect == "0.34.4")
        assert psutil.Process(pid).ppid() == simulator.pid
        simulator.change(Unload(model="m"))
        assert not is_running(pid)
        assert simulator.state()["loaded"] == []


def test_it_takes_the_memory_that_the_script_says() -> None:
    with running_simulator(quick_script(MODEL, stand_in_runner=True)) as simulator:
        ask(simulator)
        process = psutil.Process(pid_of(simulator))
        wait_for(lambda: process.memory_info().rss > MODEL.stand_in_bytes)
        assert process.memory_info().rss < MODEL.stand_in_bytes + 48 * 2**20


def test_a_reload_is_another_process() -> None:
    with running_simulator(quick_script(MODEL, stand_in_runner=True)) as simulator:
        ask(simulator)
        first = pid_of(simulator)
        body = chat(options={"num_ctx": 1024})
        httpx.post(f"{simulator.url}/api/chat", json=body, trust_env=False, timeout=30)
        assert pid_of(simulator) != first
        assert not is_running(first)


def test_it_ends_with_the_simulator() -> None:
    with running_simulator(quick_script(MODEL, stand_in_runner=True)) as simulator:
        ask(simulator)
        pid = pid_of(simulator)
    wait_for(lambda: not is_running(pid))


def test_it_ends_when_the_simulator_is_killed() -> None:
    with running_simulator(quick_script(MODEL, stand_in_runner=True)) as simulator:
        ask(simulator)
        pid = pid_of(simulator)
        os.kill(simulator.pid, signal.SIGKILL)
        wait_for(lambda: not is_running(pid))


def test_an_aborted_load_leaves_no_process() -> None:
    slow = quick(stand_in_bytes=2**20, load_s=30.0)
    with running_simulator(quick_script(slow, stand_in_runner=True)) as simulator:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{simulator.url}/api/chat", json=chat(), trust_env=False, timeout=0.5)
        wait_for(lambda: psutil.Process(simulator.pid).children() == [])
