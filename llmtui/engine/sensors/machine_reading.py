"""One reading of the whole machine, and the differences between two readings.

The runner is the process in which a model runs.
"""

from __future__ import annotations

import msgspec

from llmtui.core.events import Sampled
from llmtui.engine.sensors.cpu import CpuReading
from llmtui.engine.sensors.energy import EnergyReading
from llmtui.engine.sensors.gpu import GpuReading
from llmtui.engine.sensors.memory import MemoryReading
from llmtui.engine.sensors.processes import ProcessTimes, cpu_used_s
from llmtui.engine.sensors.runner import RunnerReading
from llmtui.engine.sensors.thermal import ThermalReading


class MachineReading(msgspec.Struct, frozen=True, kw_only=True):
    """The values of all sensors at one moment. For counters, only differences between readings are meaningful."""

    t_ns: int
    system_s: float
    """The same moment as ``t_ns``, in seconds on the scale of ``ProcessTimes.started_s``."""
    cpu: CpuReading | None = None
    memory: MemoryReading | None = None
    runner: RunnerReading | None = None
    server: ProcessTimes | None = None
    """The model server that started the runner, if it is another process. It counts neither as the runner nor as
    another program.
    """
    is_hidden: bool = False
    """Whether the processes of a model server that works on this machine cannot be distinguished from other programs.
    """
    own: tuple[ProcessTimes, ...] = ()
    gpu: GpuReading | None = None
    energy: EnergyReading | None = None


class Shares(msgspec.Struct, frozen=True, kw_only=True):
    """Number of cores that each group of programs kept busy between two readings. A logical core at full load is 1."""

    busy: float
    per_core: tuple[float, ...]
    runner: float | None
    llmtui: float | None
    others: float | None
    """All other programs, without the model server; None if they cannot be distinguished from it."""


class Joules(msgspec.Struct, frozen=True, kw_only=True):
    """Energy between two readings, and the source of the counters: ``rapl``, ``nvml`` or ``rapl+nvml``."""

    joules: float
    source: str


def shares(before: MachineReading, after: MachineReading) -> Shares | None:
    """Return how many cores were busy between two readings; None if they are not readable or their number changed."""
    elapsed_s = elapsed_between_s(before, after)
    if before.cpu is None or after.cpu is None or elapsed_s <= 0 or len(before.cpu.busy_s) != len(after.cpu.busy_s):
        return None
    per_core = tuple(
        min(1.0, max(0.0, (now - then) / elapsed_s))
        for then, now in zip(before.cpu.busy_s, after.cpu.busy_s, strict=True)
    )
    busy = sum(per_core)
    runner_s = runner_cpu_s(before, after)
    own_s = own_cpu_s(before, after)
    served_s = _served_cpu_s(before, after, runner_s)
    others = None
    if own_s is not None and served_s is not None:
        others = max(0.0, busy - (own_s + served_s) / elapsed_s)
    return Shares(
        busy=busy,
        per_core=per_core,
        runner=None if runner_s is None else runner_s / elapsed_s,
        llmtui=None if own_s is None else own_s / elapsed_s,
        others=others,
    )


def runner_cpu_s(before: MachineReading, after: MachineReading) -> float | None:
    """Return the CPU seconds of the model's processes between two readings; None if they are not known.

    A process that started between the readings counts from its start.
    """
    if after.runner is None:
        return None
    then = {} if before.runner is None else {one.pid: one for one in (before.runner.times, *before.runner.beside)}
    used = [cpu_used_s(then.get(one.pid), one, before.system_s) for one in (after.runner.times, *after.runner.beside)]
    if used[0] is None:
        return None
    return sum(seconds for seconds in used if seconds is not None)


def own_cpu_s(before: MachineReading, after: MachineReading) -> float | None:
    """Return the CPU seconds of llmtui's processes between two readings; None if none was visible."""
    then = {process.pid: process for process in before.own}
    used = (cpu_used_s(then.get(now.pid), now, before.system_s) for now in after.own)
    known = [seconds for seconds in used if seconds is not None]
    return sum(known) if known else None


def energy_between(before: MachineReading, after: MachineReading) -> Joules | None:
    """Return the energy between two readings, summed over the counters that both have; None if they share none."""
    parts: list[tuple[str, float]] = []
    if before.energy and after.energy:
        parts.append((after.energy.source, after.energy.joules - before.energy.joules))
    if before.gpu and after.gpu and before.gpu.joules is not None and after.gpu.joules is not None:
        parts.append(("nvml", after.gpu.joules - before.gpu.joules))
    if not parts:
        return None
    return Joules(joules=sum(joules for _, joules in parts), source="+".join(source for source, _ in parts))


def elapsed_between_s(before: MachineReading, after: MachineReading) -> float:
    """Return the seconds between two readings."""
    return (after.t_ns - before.t_ns) / 1e9


def sampled(before: MachineReading, after: MachineReading, thermal: ThermalReading, cost_ms: float) -> Sampled | None:
    """Return the event for the later of two readings; None if the load of the cores is not known."""
    cpu = shares(before, after)
    if cpu is None:
        return None
    memory = after.memory or MemoryReading()
    held = after.runner.memory if after.runner else None
    gpu = after.gpu or GpuReading()
    energy = energy_between(before, after)
    return Sampled(
        t_ns=after.t_ns,
        cores_busy=cpu.busy,
        per_core=cpu.per_core,
        runner_cores=cpu.runner,
        llmtui_cores=cpu.llmtui,
        others_cores=cpu.others,
        available_bytes=memory.available_bytes,
        ram_total_bytes=memory.total_bytes,
        swap_used_bytes=memory.swap_used_bytes,
        runner_file_bytes=held.file_bytes if held else None,
        runner_anon_bytes=held.anon_bytes if held else None,
        vram_bytes=gpu.vram_bytes,
        gpu_busy=gpu.busy,
        temperature_c=thermal.temperature_c,
        frequency_mhz=thermal.frequency_mhz,
        watts=energy.joules / elapsed_between_s(before, after) if energy else gpu.watts,
        cost_ms=cost_ms,
        gpu_temperature_c=gpu.temperature_c,
        gpu_clock_mhz=gpu.clock_mhz,
        gpu_watts=gpu.watts,
    )


def _served_cpu_s(before: MachineReading, after: MachineReading, runner_s: float | None) -> float | None:
    """Return the CPU seconds of the model server and the model's processes; None if a part is not visible."""
    if before.is_hidden or after.is_hidden or (after.runner is not None and runner_s is None):
        return None
    server_s: float | None = 0.0
    if after.server is not None and after.server.pid not in {process.pid for process in after.own}:
        server_s = cpu_used_s(before.server, after.server, before.system_s)
    return None if server_s is None else (runner_s or 0.0) + server_s
