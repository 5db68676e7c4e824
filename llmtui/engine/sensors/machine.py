"""All sensors of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmtui.engine.sensors.account import Edge
from llmtui.engine.sensors.base import PROC, SYS
from llmtui.engine.sensors.cpu import CpuSensor, OwnSensor
from llmtui.engine.sensors.energy import EnergySensor
from llmtui.engine.sensors.gpu import GpuSensor
from llmtui.engine.sensors.machine_reading import MachineReading
from llmtui.engine.sensors.memory import DiskSensor, MemorySensor, SwapSensor
from llmtui.engine.sensors.processes import ProcessTable, process_table
from llmtui.engine.sensors.runner import RunnerSearch, RunnerSensor, RunnerTarget, find_runner
from llmtui.engine.sensors.thermal import ThermalReading, ThermalSensor, ThrottleSensor


class Machine:
    """The machine that this program runs on; in tests, a folder with copies of a machine's files.

    Not thread-safe.
    """

    def __init__(self, own_pids: Sequence[int], proc_root: Path = PROC, sys_root: Path = SYS) -> None:
        self._processes: ProcessTable = process_table(proc_root)
        self._cpu = CpuSensor(proc_root)
        self._memory = MemorySensor(proc_root)
        self._swap = SwapSensor(proc_root)
        self._runner = RunnerSensor(self._processes)
        self._own = OwnSensor(self._processes, own_pids)
        self._gpu = GpuSensor(sys_root)
        self._energy = EnergySensor(sys_root)
        self._disk = DiskSensor(sys_root, proc_root)
        self._throttle = ThrottleSensor(sys_root)
        self._thermal = ThermalSensor(sys_root, proc_root)

    def probe(self) -> None:
        """Search for GPUs, which may take half a second.

        Only this method may run at the same time as another method.
        """
        self._gpu.probe()

    def reading(self, t_ns: int) -> MachineReading:
        """Return a reading of everything that is quick to read (a fraction of a millisecond without a GPU)."""
        return MachineReading(
            t_ns=t_ns,
            system_s=self._processes.now_s(),
            cpu=self._cpu.read(),
            memory=self._memory.read(),
            runner=self._runner.read(),
            server=self._runner.read_server(),
            is_hidden=self._runner.is_hidden,
            own=self._own.read(),
            gpu=self._gpu.read(),
            energy=self._energy.read(),
        )

    def edge(self, t_ns: int) -> Edge:
        """Return a reading that includes the counters needed only at a trial's start and end."""
        return Edge(
            reading=self.reading(t_ns),
            swap_in_bytes=self._swap.read(),
            disk_read_bytes=self._disk.read(),
            throttle_events=self._throttle.read(),
        )

    def thermal(self) -> ThermalReading:
        """Return temperatures, clock rate and power supply; takes up to tens of milliseconds on some machines."""
        return self._thermal.read()

    def expect_runner(self, *, here: bool) -> None:
        """Follow no process until ``find_runner`` finds the model's.

        Args:
            here: whether the expected model runs on this machine.
        """
        self._runner.expect(here=here)

    def find_runner(self, target: RunnerTarget) -> RunnerSearch:
        """Search all processes for the one in which a model runs, and follow it from then on."""
        found = find_runner(target, self._processes, own=self._own.pids)
        self._runner.follow(found)
        return found
