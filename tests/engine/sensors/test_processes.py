from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from llmtui.engine.sensors.processes import (
    ProcessTable,
    ProcessTimes,
    ProcProcesses,
    PsutilProcesses,
    cpu_used_s,
    was_born_after,
)
from tests.engine.sensors.trees import lay, process, stand_in_runner, stat_line, wait_for

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")
every_table = pytest.mark.parametrize("table", [pytest.param(ProcProcesses, marks=only_linux), PsutilProcesses])


def times(pid: int = 7, started_s: float = 5.0, cpu_s: float = 0.0) -> ProcessTimes:
    return ProcessTimes(pid=pid, started_s=started_s, parent_pid=1, cpu_s=cpu_s)


def test_a_program_name_with_brackets_and_spaces_does_not_shift_the_fields(tmp_path: Path) -> None:
    lay(tmp_path, process(7, "a", cpu_s=1.25, started_s=33.5, parent=3))
    assert ProcProcesses(tmp_path).times(7) == ProcessTimes(pid=7, started_s=33.5, parent_pid=3, cpu_s=1.25)


def test_a_zombie_and_a_vanished_process_are_not_there(tmp_path: Path) -> None:
    lay(tmp_path, {"7/stat": stat_line(7, state="Z")})
    assert ProcProcesses(tmp_path).times(7) is None
    assert ProcProcesses(tmp_path).times(8) is None
    assert ProcProcesses(tmp_path).memory(8) is None
    assert ProcProcesses(tmp_path).disk_read_bytes(8) is None


def test_memory_is_split_into_anonymous_and_mapped(tmp_path: Path) -> None:
    lay(tmp_path, process(7, "a", anon_kb=3000, file_kb=500))
    memory = ProcProcesses(tmp_path).memory(7)
    assert memory is not None
    assert (memory.anon_bytes, memory.file_bytes, memory.peak_bytes) == (3000 * 1024, 500 * 1024, 3550 * 1024)


def test_disk_reads_are_those_that_reached_the_disk(tmp_path: Path) -> None:
    lay(tmp_path, {"7/io": "rchar: 999\nwchar: 5\nread_bytes: 4096\nwrite_bytes: 1\n"})
    assert ProcProcesses(tmp_path).disk_read_bytes(7) == 4096


def test_command_lines_keep_empty_arguments_and_leave_out_kernel_threads(tmp_path: Path) -> None:
    lay(tmp_path, {"7/cmdline": "run\0\0--model\0x\0", "8/cmdline": "", "self/cmdline": "no\0"})
    assert list(ProcProcesses(tmp_path).command_lines()) == [(7, ["run", "", "--model", "x"])]


@every_table
def test_a_real_process_is_seen_with_its_memory_time_and_arguments(
    table: type[ProcProcesses | PsutilProcesses],
) -> None:
    processes: ProcessTable = table()
    before_s = processes.now_s()
    with stand_in_runner("--model", "x", hold_bytes=60_000_000, busy_s=60) as runner:
        seen = processes.times(runner.pid)
        assert seen is not None
        assert seen.parent_pid == os.getpid()
        # psutil rounds the time of boot to a second on Linux; where it is used for measuring there is no such step
        assert before_s - 1.5 <= seen.started_s <= processes.now_s() + 1.5
        memory = processes.memory(runner.pid)
        assert memory is not None
        assert memory.anon_bytes >= 60_000_000
        assert dict(processes.command_lines())[runner.pid][-2:] == ["--model", "x"]
        wait_for(lambda: (now := processes.times(runner.pid)) and now.cpu_s >= seen.cpu_s + 0.1)
    wait_for(lambda: processes.times(runner.pid) is None)


def test_cpu_time_between_two_looks_is_the_difference() -> None:
    assert cpu_used_s(times(cpu_s=2.0), times(cpu_s=2.5), since_s=100.0) == 0.5


def test_a_process_born_in_between_counts_from_its_start() -> None:
    assert cpu_used_s(None, times(started_s=100.5, cpu_s=0.4), since_s=100.0) == 0.4


def test_a_pid_that_was_used_again_is_another_process() -> None:
    old, new = times(started_s=5.0, cpu_s=9.0), times(started_s=100.5, cpu_s=0.4)
    assert cpu_used_s(old, new, since_s=100.0) == 0.4


def test_an_old_process_seen_for_the_first_time_has_no_figure() -> None:
    assert cpu_used_s(None, times(started_s=5.0, cpu_s=9.0), since_s=100.0) is None


def test_a_process_that_is_gone_has_no_figure() -> None:
    assert cpu_used_s(times(cpu_s=2.0), None, since_s=100.0) is None


def test_birth_is_told_with_the_grain_of_the_system_clock() -> None:
    assert was_born_after(times(started_s=99.99), since_s=100.0)
    assert not was_born_after(times(started_s=99.9), since_s=100.0)
