"""Memory of the machine, swap, and disk reads."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from llmtui.engine.sensors.base import PROC, has_proc, read_fields, text_of_file


class MemoryReading(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of the machine at one moment, in bytes."""

    available_bytes: int | None = None
    total_bytes: int | None = None
    swap_used_bytes: int | None = None


class MemorySensor:
    """Memory of the machine: from ``/proc/meminfo`` on Linux, from psutil elsewhere."""

    def __init__(self, proc_root: Path = PROC) -> None:
        self._proc_root = proc_root
        self._uses_proc = has_proc(proc_root)

    def read(self) -> MemoryReading | None:
        """Return available memory, total memory and used swap; None if they are not readable."""
        return self._read_proc() if self._uses_proc else self._read_psutil()

    def _read_proc(self) -> MemoryReading | None:
        meminfo = read_fields(self._proc_root / "meminfo", "MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
        if not meminfo:
            return None
        return MemoryReading(
            available_bytes=meminfo.get("MemAvailable"),
            total_bytes=meminfo.get("MemTotal"),
            swap_used_bytes=meminfo["SwapTotal"] - meminfo["SwapFree"] if "SwapFree" in meminfo else None,
        )

    def _read_psutil(self) -> MemoryReading:
        import psutil

        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return MemoryReading(
            available_bytes=memory.available,
            total_bytes=memory.total,
            swap_used_bytes=swap.used,
        )


class SwapSensor:
    """Bytes read back from swap, from ``/proc/vmstat`` on Linux, from psutil elsewhere.

    It is read only at the start and the end of a trial.
    """

    def __init__(self, proc_root: Path = PROC) -> None:
        self._proc_root = proc_root
        self._uses_proc = has_proc(proc_root)

    def read(self) -> int | None:
        """Return the bytes read back from swap since the machine started; None if they are not counted."""
        if not self._uses_proc:
            return _swap_in_psutil()
        pages = read_fields(self._proc_root / "vmstat", "pswpin").get("pswpin")
        return None if pages is None else pages * os.sysconf("SC_PAGE_SIZE")


class DiskSensor:
    """Bytes read from disk by all programs together. Used if the count of the model's process is not readable."""

    def __init__(self, sys_root: Path = Path("/sys"), proc_root: Path = PROC) -> None:
        self._block = sys_root / "block"
        self._uses_sys = has_proc(proc_root)

    def read(self) -> int | None:
        """Return the bytes read since the machine started; None if no disk counts them."""
        return self._read_sys() if self._uses_sys else self._read_psutil()

    def _read_sys(self) -> int | None:
        sectors = [
            int(text.split()[2])
            for device in self._block.glob("*")
            # other devices (RAID, encryption, loops) would be counted twice
            if (device / "device").exists() and (text := text_of_file(device / "stat"))
        ]
        return 512 * sum(sectors) if sectors else None  # the kernel's sector here is 512 bytes whatever the disk's is

    def _read_psutil(self) -> int | None:
        import psutil

        counters = psutil.disk_io_counters()
        return counters.read_bytes if counters else None


def _swap_in_psutil() -> int | None:
    import psutil

    # on Windows psutil reports 0, since it is not counted there: treat it as missing
    return None if os.name == "nt" else psutil.swap_memory().sin
