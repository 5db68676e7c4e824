"""Temperatures, clock rate, throttling and power supply of the machine.

They are slow to read on some machines, so they are read at most every five seconds.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import msgspec

from llmtui.engine.sensors.base import PROC, SYS, has_proc, read_int, text_of_file

# Temperature sources of the CPU, the best first; the others are of the disk, Wi-Fi or battery.
_CPU_HWMONS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
_CPU_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc_thermal", "acpitz")


class ThermalReading(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of temperature, clock rate and power supply."""

    temperature_c: float | None = None
    """Temperature of the hottest sensor of the CPU."""
    frequency_mhz: float | None = None
    """Mean clock rate of the cores."""
    on_battery: bool | None = None
    """Whether the machine runs on its battery; None if it has none, or does not report it."""


class ThermalSensor:
    """Sensors in ``hwmon``, ``thermal``, ``cpufreq`` and ``power_supply`` of ``/sys``; psutil elsewhere."""

    def __init__(self, sys_root: Path = SYS, proc_root: Path = PROC) -> None:
        self._sys_root = sys_root
        self._uses_sys = has_proc(proc_root)

    def read(self) -> ThermalReading:
        """Return the readable values; values that are not readable are None."""
        if not self._uses_sys:
            return _read_psutil()
        return ThermalReading(
            temperature_c=self._temperature_c(), frequency_mhz=self._frequency_mhz(), on_battery=self._on_battery()
        )

    def _temperature_c(self) -> float | None:
        for name in _CPU_HWMONS:
            for folder in (self._sys_root / "class" / "hwmon").glob("*"):
                if text_of_file(folder / "name") == name:
                    found = [read_int(path) for path in folder.glob("temp*_input")]
                    if degrees := [value / 1000 for value in found if value is not None]:
                        return max(degrees)
        for name in _CPU_ZONES:
            for folder in (self._sys_root / "class" / "thermal").glob("thermal_zone*"):
                if text_of_file(folder / "type") == name and (value := read_int(folder / "temp")) is not None:
                    return value / 1000
        return None

    def _frequency_mhz(self) -> float | None:
        cores = (self._sys_root / "devices" / "system" / "cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
        rates_khz = [rate for path in cores if (rate := read_int(path)) is not None]
        return fmean(rates_khz) / 1000 if rates_khz else None

    def _on_battery(self) -> bool | None:
        supplies = list((self._sys_root / "class" / "power_supply").glob("*"))
        # A mouse or a headset has a battery too; its scope is "Device".
        if not any(text_of_file(s / "type") == "Battery" and text_of_file(s / "scope") != "Device" for s in supplies):
            return None
        mains = [read_int(s / "online") for s in supplies if text_of_file(s / "type") in {"Mains", "USB"}]
        return not any(mains) if mains else None


class ThrottleSensor:
    """Number of times that heat slowed the CPU down: Intel's counters, read at the start and end of a trial."""

    def __init__(self, sys_root: Path = SYS) -> None:
        self._counters = sorted(
            (sys_root / "devices" / "system" / "cpu").glob("cpu[0-9]*/thermal_throttle/*_throttle_count")
        )

    def read(self) -> int | None:
        """Return the number of throttling events since the machine started, over all cores and packages.

        Returns:
            The number; None if they are not counted.
        """
        counts = [count for path in self._counters if (count := read_int(path)) is not None]
        return sum(counts) if counts else None


def _read_psutil() -> ThermalReading:
    import psutil

    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return ThermalReading(
        # sensors_temperatures exists on Linux and FreeBSD only
        frequency_mhz=frequency.current if frequency else None,
        on_battery=None if battery is None or battery.power_plugged is None else not battery.power_plugged,
    )
