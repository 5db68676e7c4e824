"""Free memory of this machine, to check before a run whether a model fits."""

from __future__ import annotations

import psutil

from llmtui.core.fit import FreeMemory
from llmtui.engine.sensors.gpu import GpuSensor


class RoomSensor:
    """Free RAM and VRAM. The first reading searches for GPUs, which may take half a second."""

    def __init__(self) -> None:
        self._gpu: GpuSensor | None = None

    def read(self) -> FreeMemory:
        """Return the free memory in bytes. The call blocks, so it must not be made in the event loop."""
        if self._gpu is None:
            self._gpu = GpuSensor()
            self._gpu.probe()
        memory, card = psutil.virtual_memory(), self._gpu.read()
        return FreeMemory(
            ram_available_bytes=memory.available,
            ram_total_bytes=memory.total,
            vram_total_bytes=None if card is None else card.vram_total_bytes,
            vram_used_bytes=None if card is None else card.vram_bytes,
        )
