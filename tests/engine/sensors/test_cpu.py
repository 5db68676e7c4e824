from __future__ import annotations

import os
from pathlib import Path

from llmtui.engine.sensors.cpu import CpuSensor, OwnSensor
from llmtui.engine.sensors.processes import ProcProcesses
from tests.engine.sensors.trees import lay, process

STAT = """cpu  400 20 100 9000 70 3 7 50 10 0
cpu0 300 20 100 4000 70 3 7 50 10 0
cpu1 100 0 0 5000 0 0 0 0 0 0
intr 1 2 3
"""


def test_busy_time_is_work_and_interrupts_but_not_waiting_for_disk_nor_stolen_time(tmp_path: Path) -> None:
    reading = CpuSensor(lay(tmp_path, {"stat": STAT})).read()
    assert reading is not None
    assert reading.busy_s == (4.30, 1.00)


def test_a_machine_that_does_not_tell_has_no_reading(tmp_path: Path) -> None:
    assert CpuSensor(tmp_path).read() is None


def test_this_machine_tells_about_all_its_cores() -> None:
    reading = CpuSensor().read()
    assert reading is not None
    assert len(reading.busy_s) == os.cpu_count()
    assert sum(reading.busy_s) > 0


def test_own_processes_are_those_that_live(tmp_path: Path) -> None:
    sensor = OwnSensor(ProcProcesses(lay(tmp_path, process(7, "a", cpu_s=1.0))), [8, 7])
    assert [times.pid for times in sensor.read()] == [7]
