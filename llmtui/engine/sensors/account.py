"""What the machine did during one trial: the account of all looks between its two edges."""

from __future__ import annotations

from statistics import median
from typing import Final, TypeVar

import msgspec

from llmtui.core.records import ColdSource, MachineFigures
from llmtui.engine.sensors.look import (
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
"""Over which others' CPU time is told: the system counts it in steps of 10 ms on each core."""
SEEN_WORKING: Final = 0.05
"""Cores that a model's processes keep busy at least. Those that do not only pass requests on, and what computes is
hidden."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """What is read at the start and at the end of a trial only."""

    look: MachineReading
    swap_in_bytes: int | None = None
    """Read back from swap by all programs."""
    disk_read_bytes: int | None = None
    """By all programs of the machine."""
    throttle_events: int | None = None


class TrialMachine(msgspec.Struct, frozen=True, kw_only=True):
    """A trial's figures."""

    figures: MachineFigures

    def cold_source(self, model_bytes: int | None) -> ColdSource:
        """Gives where a cold start's weights came from: disk from half of the file on, memory up to a tenth."""
        read_bytes = self.figures.disk_read_bytes
        if read_bytes is None or not model_bytes:
            return "unknown"
        if read_bytes >= 0.5 * model_bytes:
            return "disk"
        return "memory" if read_bytes <= 0.1 * model_bytes else "mixed"


class TrialAccount:
    """Collects the looks of one trial. ``close`` gives the figures."""

    def __init__(self, start: Edge, others_cores_before: float | None, before: MachineReading | None = None) -> None:
        """Open the account.

        Args:
            start: the look at the start.
            others_cores_before: what other programs did in the second before.
            before: an earlier look from which others are counted in a trial that is too short for it.
        """
        self._start = start
        self._before = before
        self._others_cores_before = others_cores_before
        self._last = start.look
        self._last_with_runner = start.look
        self._held: list[tuple[int, int]] = []
        self._available: list[int] = []
        self._note(start.look)

    def add(self, look: MachineReading) -> None:
        """Takes a look within the trial."""
        self._last = look
        if look.runner is not None:
            self._last_with_runner = look
        self._note(look)

    def close(self, end: Edge, thermal: ThermalReading) -> TrialMachine:
        """Takes the look at the end, and gives the trial's figures."""
        self.add(end.look)
        runner = self._last_with_runner.runner
        held = runner.memory if runner else None
        reads = self._disk_reads(end)
        energy = energy_between(self._start.look, end.look)
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
            runner_cpu_s=runner_cpu_s(self._start.look, self._last_with_runner),
            llmtui_cpu_s=own_cpu_s(self._start.look, end.look),
            others_cores_before=self._others_cores_before,
            others_cores=self._others_cores(end.look),
            throttle_events=_gain(self._start.throttle_events, end.throttle_events),
            joules=energy.joules if energy else None,
            joules_source=energy.source if energy else None,
            temperature_c=thermal.temperature_c,
            on_battery=thermal.on_battery,
        )
        return TrialMachine(figures=figures)

    def _others_cores(self, end: MachineReading) -> float | None:
        """Only where the server's processes were there from the first look to the last; else they may be the others."""
        start = self._start.look
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

    def _note(self, look: MachineReading) -> None:
        if look.runner is not None and (held := look.runner.resident_bytes) is not None:
            self._held.append((look.t_ns, held))
        if look.memory is not None and look.memory.available_bytes is not None:
            self._available.append(look.memory.available_bytes)

    def _peak_bytes(self) -> int | None:
        """The highest look; the system's own high-water mark instead, where it was reached within the trial."""
        highest = max((held for _, held in self._held), default=None)
        runner = self._last_with_runner.runner
        mark = runner.memory.peak_bytes if runner and runner.memory else None
        if highest is None or runner is None or mark is None:
            return highest
        before = self._start.look.runner
        mark_before = before.memory.peak_bytes if before and before.memory and before.runner == runner.runner else None
        reached_here = self._born_here(runner) if mark_before is None else mark > mark_before
        return max(highest, mark) if reached_here else highest

    def _steady_bytes(self) -> int | None:
        """Median of the looks in the second half of the trial, or the last look of a short one."""
        middle_ns = (self._start.look.t_ns + self._last.t_ns) / 2
        late = [held for t_ns, held in self._held if t_ns >= middle_ns] or [held for _, held in self._held[-1:]]
        return round(median(late)) if late else None

    def _disk_reads(self, end: Edge) -> int | None:
        """Return the runner's reads; where they are private, those of all programs."""
        runner = self._last_with_runner.runner
        if runner is not None and runner.disk_read_bytes is not None:
            before = self._start.look.runner
            if before is not None and before.runner == runner.runner:
                return _gain(before.disk_read_bytes, runner.disk_read_bytes)
            if self._born_here(runner):
                return runner.disk_read_bytes
        return _gain(self._start.disk_read_bytes, end.disk_read_bytes)

    def _born_here(self, runner: RunnerReading) -> bool:
        return was_born_after(runner.times, self._start.look.system_s)


def _gain(before: Counter | None, after: Counter | None) -> Counter | None:
    return None if before is None or after is None else after - before
