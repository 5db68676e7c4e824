from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from llmtui.core.fit import FreeMemory, KvShape, fit_of
from llmtui.engine.sensors.room import RoomSensor
from tests.engine.sensors.test_gpu import FakeNvml

GB = 10**9
SHAPE = KvShape(bytes_per_token=131_072)


class Card(FakeNvml):
    """NVML's module with one card of 8 GB, 1 GB of it in use."""

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 1

    def nvmlDeviceGetMemoryInfo(self, _card: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(used=GB, total=8 * GB)


@pytest.fixture
def with_a_card(monkeypatch: pytest.MonkeyPatch) -> FreeMemory:
    memory: Any = SimpleNamespace(available=20 * GB, total=32 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setitem(sys.modules, "pynvml", Card())
    return RoomSensor().read()


def test_the_cards_memory_is_read_beside_that_of_the_machine(with_a_card: FreeMemory) -> None:
    assert with_a_card == FreeMemory(
        ram_available_bytes=20 * GB, ram_total_bytes=32 * GB, vram_total_bytes=8 * GB, vram_used_bytes=GB
    )


@pytest.mark.parametrize(
    ("size_gb", "word", "beyond_vram"),
    [(5, "fits", False), (9, "tight", True), (26, "tight", True), (28, "too_large", True)],
)
def test_a_model_beyond_the_card_is_tight_and_beyond_all_memory_too_large(
    with_a_card: FreeMemory, size_gb: int, word: str, beyond_vram: bool
) -> None:
    fit = fit_of(size_gb * GB, SHAPE, 4096, with_a_card)
    assert (fit.word, fit.beyond_vram, fit.room_bytes) == (word, beyond_vram, 27 * GB)


def test_the_memory_of_a_model_that_will_be_unloaded_counts_as_free(with_a_card: FreeMemory) -> None:
    used = FreeMemory(
        ram_available_bytes=with_a_card.ram_available_bytes, ram_total_bytes=with_a_card.ram_total_bytes,
        vram_total_bytes=8 * GB, vram_used_bytes=8 * GB,
    )  # fmt: skip
    assert fit_of(5 * GB, SHAPE, 4096, used).word == "fits", "there is no free VRAM, so the model runs on the CPU"
    fit = fit_of(5 * GB, SHAPE, 4096, used, resident_bytes=7 * GB, resident_vram_bytes=7 * GB)
    assert (fit.word, fit.beyond_vram) == ("fits", False)
