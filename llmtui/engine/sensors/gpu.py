"""GPUs: NVIDIA through NVML if its Python module is installed, AMD through ``/sys``."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from llmtui.engine.sensors.base import SYS, read_int, text_of_file

_NVML_TEMPERATURE_GPU = 0
_NVML_CLOCK_SM = 1
"""``_NVML_TEMPERATURE_GPU`` and ``_NVML_CLOCK_SM`` are values of NVML's ``nvmlTemperatureSensors_t`` and
``nvmlClockType_t``.
"""


class GpuReading(msgspec.Struct, frozen=True, kw_only=True):
    """All GPUs of one maker together, as reported by their driver."""

    vram_bytes: int | None = None
    """Memory in use on all GPUs, by all programs."""
    vram_total_bytes: int | None = None
    """Total memory of all GPUs."""
    busy: float | None = None
    """Load of the busiest GPU, 0–1: the fraction of time in which it was in use. This is not its occupancy."""
    joules: float | None = None
    """Energy since the driver was loaded."""
    watts: float | None = None
    """Power, as smoothed by the driver."""
    temperature_c: float | None = None
    """Temperature of the hottest GPU."""
    clock_mhz: float | None = None
    """Compute clock of the fastest GPU."""


class NvidiaSensor:
    """NVML through the optional module ``pynvml`` (package ``nvidia-ml-py``)."""

    def __init__(self, nvml: ModuleType) -> None:
        """Initialise the module.

        Raises:
            NVMLError: the module's own exception, if there is no driver.
        """
        self._nvml: Any = nvml
        nvml.nvmlInit()
        self._cards = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        names = [nvml.nvmlDeviceGetName(card) for card in self._cards]
        self.source = f"NVML: {', '.join(n.decode() if isinstance(n, bytes) else n for n in names)}"

    def read(self) -> GpuReading | None:
        """Return the GPUs' figures, with None for each figure that is not reported."""
        used = self._ask("nvmlDeviceGetMemoryInfo")
        rates = self._ask("nvmlDeviceGetUtilizationRates")
        millijoules = self._ask("nvmlDeviceGetTotalEnergyConsumption")
        milliwatts = self._ask("nvmlDeviceGetPowerUsage")
        temperatures_c = self._ask("nvmlDeviceGetTemperature", _NVML_TEMPERATURE_GPU)
        clocks_mhz = self._ask("nvmlDeviceGetClockInfo", _NVML_CLOCK_SM)
        return GpuReading(
            vram_bytes=sum(memory.used for memory in used) if used else None,
            vram_total_bytes=sum(memory.total for memory in used) if used else None,
            busy=max(rate.gpu for rate in rates) / 100 if rates else None,
            joules=sum(millijoules) / 1000 if millijoules else None,
            watts=sum(milliwatts) / 1000 if milliwatts else None,
            temperature_c=float(max(temperatures_c)) if temperatures_c else None,
            clock_mhz=float(max(clocks_mhz)) if clocks_mhz else None,
        )

    def _ask(self, function: str, *which: int) -> list[Any]:
        """Return one figure per GPU; empty if any GPU does not report it, since a partial sum would mislead."""
        try:
            return [getattr(self._nvml, function)(card, *which) for card in self._cards]
        except self._nvml.NVMLError:
            return []


class AmdSensor:
    """AMD GPUs, through the files of the ``amdgpu`` driver."""

    def __init__(self, sys_root: Path = SYS) -> None:
        self._cards = [
            card
            for card in sorted((sys_root / "class" / "drm").glob("card[0-9]*/device"))
            if card.parent.name[4:].isdecimal() and read_int(card / "mem_info_vram_used") is not None
        ]
        names = [text_of_file(card / "product_name") or card.parent.name for card in self._cards]
        self.source = f"amdgpu: {', '.join(names)}" if names else "no AMD card"

    def read(self) -> GpuReading | None:
        """Return the GPUs' figures, with None for each figure that is not reported; None if there is no GPU."""
        if not self._cards:
            return None
        used_bytes = self._of_every_card("mem_info_vram_used")
        total_bytes = self._of_every_card("mem_info_vram_total")
        busy_percent = self._of_every_card("gpu_busy_percent")
        microwatts = self._of_every_card("hwmon/hwmon*/power1_average")
        millidegrees = self._of_every_card("hwmon/hwmon*/temp1_input")
        hertz = self._of_every_card("hwmon/hwmon*/freq1_input")
        return GpuReading(
            vram_bytes=sum(used_bytes) if used_bytes else None,
            vram_total_bytes=sum(total_bytes) if total_bytes else None,
            busy=max(busy_percent) / 100 if busy_percent else None,
            watts=sum(microwatts) / 1e6 if microwatts else None,
            temperature_c=max(millidegrees) / 1000 if millidegrees else None,
            clock_mhz=max(hertz) / 1e6 if hertz else None,
        )

    def _of_every_card(self, pattern: str) -> list[int]:
        """Return one figure per GPU; empty if any GPU does not report it, since a partial sum would mislead."""
        told = [[read_int(path) for path in card.glob(pattern)] for card in self._cards]
        first = [numbers[0] if numbers else None for numbers in told]
        known = [number for number in first if number is not None]
        return known if len(known) == len(self._cards) else []


class GpuSensor:
    """The GPUs of this machine, of any maker.

    NVML may take half a second to start, so ``probe`` is a separate method.
    """

    def __init__(self, sys_root: Path = SYS, nvml_module: str = "pynvml") -> None:
        self._sys_root = sys_root
        self._nvml_module = nvml_module
        self._card: NvidiaSensor | AmdSensor | None = None
        self.source = "not looked for yet"

    def probe(self) -> None:
        """Search for GPUs. Before this, ``read`` returns None."""
        amd = AmdSensor(self._sys_root)
        nvidia, why_not = _nvidia(self._nvml_module)
        self._card = nvidia or (amd if amd.read() else None)
        self.source = self._card.source if self._card else f"{why_not}; {amd.source}"

    def read(self) -> GpuReading | None:
        """Return the GPUs' figures; None if no GPU is readable."""
        return self._card.read() if self._card else None


def _nvidia(module: str) -> tuple[NvidiaSensor | None, str]:
    """Return the sensor and an empty text, or None and the reason why there is no sensor."""
    try:
        nvml = importlib.import_module(module)
    except ImportError:
        return None, f"NVIDIA cards need the Python package nvidia-ml-py (module {module})"
    try:
        return NvidiaSensor(nvml), ""
    except nvml.NVMLError as error:
        return None, f"no NVIDIA card: {error}"
