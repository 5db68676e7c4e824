"""Systems without ``/proc`` are read through psutil; here its answers are compared with those of ``/proc``."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from llmtui.backends.base import ServerEndpoint
from llmtui.engine.sensors import cpu, machine, memory, processes, thermal
from llmtui.engine.sensors.machine import Machine
from llmtui.engine.sensors.machine_reading import shares
from llmtui.engine.sensors.runner import RunnerTarget
from tests.engine.sensors.trees import BLOB, stand_in_runner, stand_in_server


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """A machine without the files of Linux."""
    for module in (cpu, memory, processes, thermal):
        monkeypatch.setattr(module, "has_proc", lambda _root: False)
    return machine.Machine([os.getpid()], sys_root=tmp_path)


def test_cores_memory_and_processes_are_there(elsewhere: Machine) -> None:
    reading = elsewhere.reading(0)
    assert reading.cpu is not None
    assert len(reading.cpu.busy_s) == psutil.cpu_count()
    assert reading.memory is not None
    assert reading.memory.total_bytes == psutil.virtual_memory().total
    assert [times.pid for times in reading.own] == [os.getpid()]


def test_busy_seconds_agree_with_proc(elsewhere: Machine) -> None:
    ours, theirs = cpu.CpuSensor().read(), elsewhere.reading(0).cpu
    assert ours is not None
    assert theirs is not None
    assert sum(theirs.busy_s) == pytest.approx(sum(ours.busy_s), rel=0.05, abs=2.0)


@pytest.mark.usefixtures("elsewhere")
def test_a_runner_is_found_and_followed(tmp_path: Path) -> None:
    # children of llmtui are never a model, and this process starts the server: pretend that another one is llmtui
    with stand_in_runner() as engine, stand_in_server() as server:
        there = machine.Machine([engine.pid], sys_root=tmp_path)
        pid = server.run("--model", f"sha256-{BLOB}", hold_bytes=50_000_000)
        place = ServerEndpoint(addresses=("127.0.0.1",), port=server.port)
        runner = there.find_runner(RunnerTarget(place=place, blob_hex=BLOB)).runner
        assert runner is not None
        assert runner.pid == pid
        before = there.reading(0)
        after = there.reading(10**9)
    assert after.runner is not None
    assert (after.runner.resident_bytes or 0) >= 50_000_000
    assert after.runner.disk_read_bytes is None  # what is counted elsewhere holds the page cache too
    found = shares(before, after)
    assert found is not None
    assert found.others is not None


def test_the_edges_of_a_trial_and_heat_do_not_fail(elsewhere: Machine) -> None:
    edge = elsewhere.edge(0)
    assert edge.throttle_events is None
    assert elsewhere.thermal().temperature_c is None
