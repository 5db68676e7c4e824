"""Load of the cores, and CPU time of llmtui's own processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from llmtui.engine.sensors.base import PROC, has_proc, text_of_file
from llmtui.engine.sensors.processes import ProcessTable, ProcessTimes


class CpuReading(msgspec.Struct, frozen=True):
    """Busy seconds of each logical core since the machine started."""

    busy_s: tuple[float, ...]


class CpuSensor:
    """CPU time of each core. Time spent waiting for disks does not count, nor does time that a hypervisor took."""

    def __init__(self, proc_root: Path = PROC) -> None:
        self._proc_root = proc_root
        self._uses_proc = has_proc(proc_root)

    def read(self) -> CpuReading | None:
        """Return the busy seconds of each core; None if they are not readable."""
        return self._read_proc() if self._uses_proc else self._read_psutil()

    def _read_proc(self) -> CpuReading | None:
        ticks_per_s = os.sysconf("SC_CLK_TCK")
        busy_s = []
        for line in (text_of_file(self._proc_root / "stat") or "").splitlines():
            if not line.startswith("cpu"):
                break
            name, *ticks = line.split()
            if name != "cpu":
                user, nice, system, _idle, _iowait, irq, softirq = map(int, ticks[:7])
                busy_s.append((user + nice + system + irq + softirq) / ticks_per_s)
        return CpuReading(tuple(busy_s)) if busy_s else None

    def _read_psutil(self) -> CpuReading | None:
        import psutil

        return CpuReading(
            tuple(core.user + core.system + getattr(core, "nice", 0.0) for core in psutil.cpu_times(percpu=True))
        )


class OwnSensor:
    """CPU time of llmtui's own processes: the engine and, if there is one, the user interface."""

    def __init__(self, processes: ProcessTable, pids: Sequence[int]) -> None:
        self._processes = processes
        self.pids = frozenset(pids)

    def read(self) -> tuple[ProcessTimes, ...]:
        """Return the CPU times of the processes that are alive."""
        found = (self._processes.times(pid) for pid in sorted(self.pids))
        return tuple(times for times in found if times is not None)
