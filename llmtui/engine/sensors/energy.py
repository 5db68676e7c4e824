"""Energy of the CPU, from the counters of Intel's and AMD's processors (RAPL)."""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmtui.engine.sensors.base import SYS, read_int, text_of_file


class EnergyReading(msgspec.Struct, frozen=True, kw_only=True):
    """Joules since the sensor's first reading, including idle power."""

    joules: float
    source: str


class EnergySensor:
    """Sum over the CPU packages in ``/sys/class/powercap``. Since Linux 5.10 only root can read them."""

    def __init__(self, sys_root: Path = SYS) -> None:
        packages = [
            zone
            for zone in sorted((sys_root / "class" / "powercap").glob("intel-rapl:*"))
            # "package-0", …; cores and memory controllers are parts of them, "psys" is the whole board
            if (text_of_file(zone / "name") or "").startswith("package")
        ]
        self._zones = [_Zone(zone) for zone in packages if read_int(zone / "energy_uj") is not None]

    def read(self) -> EnergyReading | None:
        """Return the joules since the first reading; None if there is no counter, or it is no longer readable."""
        told = [zone.advance() for zone in self._zones]
        if not told or not all(told):
            return None
        return EnergyReading(joules=sum(zone.joules for zone in self._zones), source="rapl")


class _Zone:
    """One energy counter. It wraps around to zero about once per minute on a busy machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._range_uj = read_int(folder / "max_energy_range_uj")
        self._last_uj = read_int(folder / "energy_uj")
        self.joules = 0.0

    def advance(self) -> bool:
        """Read the counter and add the difference; return False if it is not readable."""
        now_uj = read_int(self._folder / "energy_uj")
        if now_uj is None or self._last_uj is None:
            return False
        gained_uj = now_uj - self._last_uj
        if gained_uj < 0:
            gained_uj += self._range_uj or 0
        self.joules += max(0, gained_uj) / 1e6
        self._last_uj = now_uj
        return True
