from __future__ import annotations

from pathlib import Path

import pytest

from llmtui.engine.sensors.energy import EnergySensor
from tests.engine.sensors.trees import lay

ZONE = "class/powercap/intel-rapl:0"


def package(energy_uj: int, zone: str = ZONE, name: str = "package-0") -> dict[str, str]:
    return {f"{zone}/name": name, f"{zone}/energy_uj": f"{energy_uj}", f"{zone}/max_energy_range_uj": "10000000"}


def joules(sensor: EnergySensor) -> float:
    reading = sensor.read()
    assert reading is not None
    return reading.joules


def test_joules_count_from_the_first_look(tmp_path: Path) -> None:
    sensor = EnergySensor(lay(tmp_path, package(2_000_000)))
    assert joules(sensor) == 0.0
    lay(tmp_path, package(3_500_000))
    assert joules(sensor) == pytest.approx(1.5)


def test_a_counter_that_ran_over_goes_on(tmp_path: Path) -> None:
    sensor = EnergySensor(lay(tmp_path, package(9_000_000)))
    lay(tmp_path, package(500_000))
    assert joules(sensor) == pytest.approx(1.5)


def test_packages_are_summed_and_their_parts_are_not_counted_again(tmp_path: Path) -> None:
    files = package(0) | package(0, "class/powercap/intel-rapl:1", "package-1")
    parts = package(0, "class/powercap/intel-rapl:0:0", "core") | package(0, "class/powercap/intel-rapl:2", "psys")
    sensor = EnergySensor(lay(tmp_path, files | parts))
    lay(
        tmp_path,
        {
            name: text.replace("0", "1000000", 1) if name.endswith("/energy_uj") else text
            for name, text in (files | parts).items()
        },
    )
    assert joules(sensor) == pytest.approx(2.0)


def test_a_counter_that_may_not_be_read_gives_none(tmp_path: Path) -> None:
    lay(tmp_path, {f"{ZONE}/name": "package-0"})
    sensor = EnergySensor(tmp_path)
    assert sensor.read() is None


def test_a_counter_that_cannot_be_read_any_more_is_missing_and_does_not_stand_still(tmp_path: Path) -> None:
    sensor = EnergySensor(lay(tmp_path, package(1_000_000)))
    assert sensor.read() is not None
    (tmp_path / ZONE / "energy_uj").unlink()
    assert sensor.read() is None


def test_a_machine_without_counters_has_none(tmp_path: Path) -> None:
    sensor = EnergySensor(tmp_path)
    assert sensor.read() is None
