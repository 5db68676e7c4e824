from __future__ import annotations

import os
from pathlib import Path

import psutil

from llmtui.engine.sensors.memory import DiskSensor, MemoryReading, MemorySensor, SwapSensor
from tests.engine.sensors.trees import lay

MEMINFO = """MemTotal:       16000 kB
MemFree:          100 kB
MemAvailable:    9000 kB
SwapCached:         1 kB
SwapTotal:       2000 kB
SwapFree:         500 kB
"""


def test_available_total_and_used_swap(tmp_path: Path) -> None:
    assert MemorySensor(lay(tmp_path, {"meminfo": MEMINFO})).read() == MemoryReading(
        available_bytes=9000 * 1024, total_bytes=16000 * 1024, swap_used_bytes=1500 * 1024
    )


def test_a_container_without_swap_lines_has_no_swap_figure(tmp_path: Path) -> None:
    reading = MemorySensor(lay(tmp_path, {"meminfo": "MemTotal: 16 kB\n"})).read()
    assert reading == MemoryReading(total_bytes=16 * 1024)


def test_no_meminfo_no_reading(tmp_path: Path) -> None:
    assert MemorySensor(tmp_path).read() is None


def test_this_machine_agrees_with_psutil() -> None:
    reading = MemorySensor().read()
    assert reading is not None
    assert reading.total_bytes == psutil.virtual_memory().total


def test_pages_read_back_from_swap_are_bytes(tmp_path: Path) -> None:
    lay(tmp_path, {"vmstat": "pgpgin 5\npswpin 3\npswpout 4\n"})
    assert SwapSensor(tmp_path).read() == 3 * os.sysconf("SC_PAGE_SIZE")


def test_a_kernel_that_does_not_count_them_has_none(tmp_path: Path) -> None:
    assert SwapSensor(tmp_path).read() is None


def test_disk_reads_are_summed_over_whole_disks_only(tmp_path: Path) -> None:
    stat = "  1 2 {sectors} 4 5 6 7 8 9 10 11"
    lay(
        tmp_path / "sys",
        {
            "block/sda/stat": stat.format(sectors=10),
            "block/sda/device/model": "disk",
            "block/nvme0n1/stat": stat.format(sectors=5),
            "block/nvme0n1/device/model": "disk",
            "block/dm-0/stat": stat.format(sectors=7),  # is on sda: the same bytes again
        },
    )
    assert DiskSensor(tmp_path / "sys", tmp_path).read() == 15 * 512


def test_a_machine_without_disks_has_no_disk_figure(tmp_path: Path) -> None:
    assert DiskSensor(tmp_path / "sys", tmp_path).read() is None
