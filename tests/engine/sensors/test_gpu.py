from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from llmtui.engine.sensors.gpu import AmdSensor, GpuReading, GpuSensor
from tests.engine.sensors.trees import lay


class FakeNvml(ModuleType):
    """NVML's module with two cards, of which one may keep a figure to itself."""

    class NVMLError(Exception):
        pass

    def __init__(self, *, driver: bool = True, tells_energy: bool = True) -> None:
        super().__init__("fake_nvml")
        self._driver, self._tells_energy = driver, tells_energy

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "nvmlDeviceGetName": b"Card",
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=1000, total=8000),
            "nvmlDeviceGetPowerUsage": 30_000,
        }
        if name in answers:
            return lambda _card: answers[name]
        raise AttributeError(name)

    def nvmlDeviceGetTemperature(self, card: int, sensor: int) -> int:  # noqa: N802
        return {0: (61, 72)}[sensor][card]

    def nvmlDeviceGetClockInfo(self, card: int, clock: int) -> int:  # noqa: N802
        return {0: (300, 400), 1: (1980, 1410)}[clock][card]

    def nvmlInit(self) -> None:  # noqa: N802
        if not self._driver:
            raise self.NVMLError("driver not loaded")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetUtilizationRates(self, card: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=(10, 80)[card])

    def nvmlDeviceGetTotalEnergyConsumption(self, card: int) -> int:  # noqa: N802
        if card == 1 and not self._tells_energy:
            raise self.NVMLError("not supported")
        return 5_000


def sensor_with(monkeypatch: pytest.MonkeyPatch, nvml: FakeNvml, sys_root: Path) -> GpuSensor:
    monkeypatch.setitem(sys.modules, "fake_nvml", nvml)
    sensor = GpuSensor(sys_root, nvml_module="fake_nvml")
    sensor.probe()
    return sensor


def test_nvidia_cards_are_taken_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sensor = sensor_with(monkeypatch, FakeNvml(), tmp_path)
    assert sensor.read() == GpuReading(
        vram_bytes=2000,
        vram_total_bytes=16_000,
        busy=0.8,
        joules=10.0,
        watts=60.0,
        temperature_c=72.0,
        clock_mhz=1980.0,
    )
    assert sensor.source == "NVML: Card, Card"


def test_a_figure_that_one_card_keeps_to_itself_is_missing_not_halved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sensor = sensor_with(monkeypatch, FakeNvml(tells_energy=False), tmp_path)
    reading = sensor.read()
    assert reading is not None
    assert reading.joules is None
    assert reading.vram_bytes == 2000


def test_without_a_driver_the_reason_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sensor = sensor_with(monkeypatch, FakeNvml(driver=False), tmp_path)
    assert sensor.read() is None
    assert sensor.source == "no NVIDIA card: driver not loaded; no AMD card"


def test_without_the_module_the_reason_is_told(tmp_path: Path) -> None:
    sensor = GpuSensor(tmp_path, nvml_module="no_such_module_for_llmtui")
    sensor.probe()
    assert sensor.read() is None
    assert "nvidia-ml-py" in sensor.source


def test_an_amd_card_is_read_from_its_files_and_its_connectors_are_not_cards(tmp_path: Path) -> None:
    card = "class/drm/card1/device"
    lay(
        tmp_path,
        {
            f"{card}/mem_info_vram_used": "4096",
            f"{card}/gpu_busy_percent": "25",
            f"{card}/hwmon/hwmon3/power1_average": "15000000",
            f"{card}/hwmon/hwmon3/temp1_input": "54000",
            f"{card}/hwmon/hwmon3/freq1_input": "2100000000",
            "class/drm/card0/device/vendor": "0x8086",
            "class/drm/card1-DP-1/device/mem_info_vram_used": "4096",
        },
    )
    sensor = GpuSensor(tmp_path, nvml_module="no_such_module_for_llmtui")
    assert sensor.read() is None  # not looked for yet
    sensor.probe()
    assert sensor.read() == GpuReading(vram_bytes=4096, busy=0.25, watts=15.0, temperature_c=54.0, clock_mhz=2100.0)
    assert sensor.source == "amdgpu: card1"


def test_what_one_of_two_amd_cards_does_not_tell_is_missing_and_no_zero(tmp_path: Path) -> None:
    first, second = "class/drm/card0/device", "class/drm/card1/device"
    lay(tmp_path, {f"{card}/mem_info_vram_used": "4096" for card in (first, second)})
    lay(tmp_path, {f"{first}/gpu_busy_percent": "25", f"{first}/hwmon/hwmon3/power1_average": "15000000"})
    sensor = AmdSensor(tmp_path)
    assert sensor.read() == GpuReading(vram_bytes=8192)
    (tmp_path / second / "mem_info_vram_used").unlink()  # its driver was unloaded
    assert sensor.read() == GpuReading()


def test_no_card_no_reading(tmp_path: Path) -> None:
    assert AmdSensor(tmp_path).read() is None
