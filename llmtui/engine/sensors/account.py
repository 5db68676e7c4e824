"""The machine figures of one trial, from all readings between its start and its end.

The runner is the process in which the model runs.
"""

from __future__ import annotations

from statistics import median
from typing import Final, TypeVar

import msgspec

from llmtui.core.records import ColdSource, MachineFigures
from llmtui.engine.sensors.machine_reading import (
    MachineReading,
    elapsed_between_s,
    energy_between,
    own_cpu_s,
    runner_cpu_s,
    shares,
)
from llmtui.engine.sensors.processes import was_born_after
from llmtui.engine.sensors.runner import RunnerReading
from llmtui.engine.sensors.thermal import ThermalReading

Counter = TypeVar("Counter", int, float)
SHORTEST_S: Final = 0.3
"""Shortest time in seconds over which other programs' CPU time is computed.

The system counts CPU time in steps of 10 ms per core.
"""
SEEN_WORKING: Final = 0.05
"""Smallest number of cores that visible processes of a model must keep busy.

If they use less, they only forward requests, and the processes that compute are not visible.
"""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """Counters that are read only at the start and the end of a trial."""

    reading: MachineReading
    swap_in_bytes: int | None = None
    """Bytes read back from swap by all programs."""
    disk_read_bytes: int | None = None
    """Bytes read from disk by all programs of the machine."""
    throttle_events: int | None = None


class TrialMachine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine figures of a trial."""

    figures: MachineFigures

    def cold_source(self, model_bytes: int | None) -> ColdSource:
        """Return where the weights of a cold start came from, by the bytes read from disk.

        Returns:
            ``disk`` if at least half of the model's file was read, ``memory`` if at most a tenth was, else ``mixed``;
            ``unknown`` if either size is not known.
        """
        read_bytes = self.figures.disk_read_bytes
        if read_bytes is None or not model_bytes:
            return "unknown"
        if read_bytes >= 0.5 * model_bytes:
            return "disk"
        return "memory" if read_bytes <= 0.1 * model_bytes else "mixed"


class TrialAccount:
    """Collects the machine readings of one trial. ``close`` returns the figures."""

    def __init__(self, start: Edge, others_cores_before: float | None, before: MachineReading | None = None) -> None:
        """Start to collect.

        Args:
            start: the reading at the start.
            others_cores_before: number of cores that other programs kept busy in the second before.
            before: an earlier reading. If the trial is too short to measure other programs, they are measured from this
                reading on.
        """
        self._start = start
        self._before = before
        self._others_cores_before = others_cores_before
        self._last = start.reading
        self._last_with_runner = start.reading
        self._held: list[tuple[int, int]] = []
        self._available: list[int] = []
        self._note(start.reading)

    def add(self, reading: MachineReading) -> None:
        """Add a reading taken during the trial."""
        self._last = reading
        if reading.runner is not None:
            self._last_with_runner = reading
        self._note(reading)

    def close(self, end: Edge, thermal: ThermalReading) -> TrialMachine:
        """Add the reading at the end, and return the trial's figures."""
        self.add(end.reading)
        runner = self._last_with_runner.runner
        held = runner.memory if runner else None
        reads = self._disk_reads(end)
        energy = energy_between(self._start.reading, end.reading)
        figures = MachineFigures(
            runner_pid=runner.runner.pid if runner else None,
            runner_peak_bytes=self._peak_bytes(),
            runner_steady_bytes=self._steady_bytes(),
            runner_file_bytes=held.file_bytes if held else None,
            runner_anon_bytes=held.anon_bytes if held else None,
            weights_in_anon=runner.runner.weights_in_anon if runner else None,
            available_min_bytes=min(self._available, default=None),
            swap_in_bytes=_gain(self._start.swap_in_bytes, end.swap_in_bytes),
            disk_read_bytes=reads,
            runner_cpu_s=runner_cpu_s(self._start.reading, self._last_with_runner),
            llmtui_cpu_s=own_cpu_s(self._start.reading, end.reading),
            others_cores_before=self._others_cores_before,
            others_cores=self._others_cores(end.reading),
            throttle_events=_gain(self._start.throttle_events, end.throttle_events),
            joules=energy.joules if energy else None,
            joules_source=energy.source if energy else None,
            temperature_c=thermal.temperature_c,
            on_battery=thermal.on_battery,
        )
        return TrialMachine(figures=figures)

    def _others_cores(self, end: MachineReading) -> float | None:
        """Return how many cores other programs kept busy; None unless the model's process was visible all the time."""
        start = self._start.reading
        if elapsed_between_s(start, end) < SHORTEST_S and self._before is not None:
            start = self._before
        if not (start.runner and end.runner) or start.runner.runner != end.runner.runner:
            return None
        if elapsed_between_s(start, end) < SHORTEST_S:
            return None
        used_s = runner_cpu_s(start, end)
        if used_s is None or used_s < SEEN_WORKING * elapsed_between_s(start, end):
            return None
        found = shares(start, end)
        return found.others if found else None

    def _note(self, reading: MachineReading) -> None:
        if reading.runner is not None and (held := reading.runner.resident_bytes) is not None:
            self._held.append((reading.t_ns, held))
        if reading.memory is not None and reading.memory.available_bytes is not None:
            self._available.append(reading.memory.available_bytes)

    def _peak_bytes(self) -> int | None:
        """Return the peak memory of the model's process.

        It is the highest reading, or the system's own peak if that was reached during the trial.
        """
        highest = max((held for _, held in self._held), default=None)
        runner = self._last_with_runner.runner
        mark = runner.memory.peak_bytes if runner and runner.memory else None
        if highest is None or runner is None or mark is None:
            return highest
        before = self._start.reading.runner
        mark_before = before.memory.peak_bytes if before and before.memory and before.runner == runner.runner else None
        reached_here = self._born_here(runner) if mark_before is None else mark > mark_before
        return max(highest, mark) if reached_here else highest

    def _steady_bytes(self) -> int | None:
        """Return the median of the readings in the second half of the trial.

        For a short trial, return the last reading.
        """
        middle_ns = (self._start.reading.t_ns + self._last.t_ns) / 2
        late = [held for t_ns, held in self._held if t_ns >= middle_ns] or [held for _, held in self._held[-1:]]
        return round(median(late)) if late else None

    def _disk_reads(self, end: Edge) -> int | None:
        """Return the bytes that the model's process read from disk; if they are not readable, those of all programs."""
        runner = self._last_with_runner.runner
        if runner is not None and runner.disk_read_bytes is not None:
            before = self._start.reading.runner
            if before is not None and before.runner == runner.runner:
                return _gain(before.disk_read_bytes, runner.disk_read_bytes)
            if self._born_here(runner):
                return runner.disk_read_bytes
        return _gain(self._start.disk_read_bytes, end.disk_read_bytes)

    def _born_here(self, runner: RunnerReading) -> bool:
        return was_born_after(runner.times, self._start.reading.system_s)


def _gain(before: Counter | None, after: Counter | None) -> Counter | None:
    return None if before is None or after is None else after - before
