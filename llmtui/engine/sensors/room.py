"""Free memory of this machine, for a check before a run."""

from __future__ import annotations

import psutil

from llmtui.core.fit import FreeMemory
from llmtui.engine.sensors.gpu import GpuSensor


class RoomSensor:
    """Free RAM and VRAM; the first reading looks for a GPU, which may take half a second."""

    def __init__(self) -> None:
        self._gpu: GpuSensor | None = None

    def read(self) -> FreeMemory:
        """Return the free memory. Blocks: call it from a thread."""
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
