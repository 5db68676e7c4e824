from __future__ import annotations

from pathlib import Path

from llmtui.engine.sensors.thermal import ThermalReading, ThermalSensor, ThrottleSensor
from tests.engine.sensors.trees import lay


def read(sys_root: Path) -> ThermalReading:
    return ThermalSensor(sys_root, proc_root=sys_root).read()


def test_a_machine_without_sensors_gives_nothing_but_none(tmp_path: Path) -> None:
    assert read(tmp_path) == ThermalReading()
    assert ThrottleSensor(tmp_path).read() is None


def test_the_hottest_place_of_the_processor_counts_not_that_of_a_disk(tmp_path: Path) -> None:
    lay(
        tmp_path / "class/hwmon",
        {
            "hwmon0/name": "nvme\n",
            "hwmon0/temp1_input": "90000\n",
            "hwmon1/name": "coretemp\n",
            "hwmon1/temp1_input": "61000\n",
            "hwmon1/temp2_input": "64500\n",
            "hwmon1/temp3_input": "no answer\n",
        },
    )
    assert read(tmp_path).temperature_c == 64.5


def test_a_thermal_zone_of_the_processor_stands_in(tmp_path: Path) -> None:
    zones = {"thermal_zone0/type": "iwlwifi", "thermal_zone0/temp": "40000"}
    zones |= {"thermal_zone1/type": "x86_pkg_temp", "thermal_zone1/temp": "52000"}
    lay(tmp_path / "class/thermal", zones)
    assert read(tmp_path).temperature_c == 52.0


def test_frequency_is_the_mean_over_the_cores(tmp_path: Path) -> None:
    cpu = tmp_path / "devices/system/cpu"
    lay(cpu, {"cpu0/cpufreq/scaling_cur_freq": "1000000", "cpu1/cpufreq/scaling_cur_freq": "3000000"})
    lay(cpu, {"cpufreq/policy0/scaling_cur_freq": "9000000"})
    assert read(tmp_path).frequency_mhz == 2000.0


def test_on_battery_when_the_mains_are_off(tmp_path: Path) -> None:
    supplies = tmp_path / "class/power_supply"
    lay(supplies, {"BAT0/type": "Battery\n", "AC/type": "Mains\n", "AC/online": "0\n"})
    assert read(tmp_path).on_battery is True
    lay(supplies, {"AC/online": "1\n"})
    assert read(tmp_path).on_battery is False


def test_the_battery_of_a_mouse_does_not_make_a_laptop(tmp_path: Path) -> None:
    lay(
        tmp_path / "class/power_supply",
        {"hid/type": "Battery", "hid/scope": "Device", "AC/type": "Mains", "AC/online": "1"},
    )
    assert read(tmp_path).on_battery is None


def test_throttling_is_counted_over_cores_and_packages(tmp_path: Path) -> None:
    lay(
        tmp_path / "devices/system/cpu",
        {
            "cpu0/thermal_throttle/core_throttle_count": "2",
            "cpu0/thermal_throttle/package_throttle_count": "5",
            "cpu0/thermal_throttle/core_throttle_total_time_ms": "999",
            "cpu1/thermal_throttle/core_throttle_count": "1",
        },
    )
    assert ThrottleSensor(tmp_path).read() == 8
