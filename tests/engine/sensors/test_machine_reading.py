from __future__ import annotations

import pytest

from llmtui.core.events import Sampled
from llmtui.engine.sensors.cpu import CpuReading
from llmtui.engine.sensors.energy import EnergyReading
from llmtui.engine.sensors.gpu import GpuReading
from llmtui.engine.sensors.machine_reading import (
    MachineReading,
    energy_between,
    own_cpu_s,
    runner_cpu_s,
    sampled,
    shares,
)
from llmtui.engine.sensors.memory import MemoryReading
from llmtui.engine.sensors.processes import ProcessMemory, ProcessTimes
from llmtui.engine.sensors.runner import RunnerProcess, RunnerReading
from llmtui.engine.sensors.thermal import ThermalReading


def times(pid: int, cpu_s: float, started_s: float = 1.0) -> ProcessTimes:
    return ProcessTimes(pid=pid, started_s=started_s, parent_pid=1, cpu_s=cpu_s)


def runner(cpu_s: float, *, started_s: float = 1.0, beside: tuple[ProcessTimes, ...] = ()) -> RunnerReading:
    return RunnerReading(
        runner=RunnerProcess(pid=7, started_s=started_s, weights_in_anon=False),
        times=times(7, cpu_s, started_s),
        memory=ProcessMemory(anon_bytes=100, file_bytes=50),
        beside=beside,
    )


def reading(
    at_s: float,
    *busy_s: float,
    runner: RunnerReading | None = None,
    server: ProcessTimes | None = None,
    is_hidden: bool = False,
    own: tuple[ProcessTimes, ...] = (),
    gpu: GpuReading | None = None,
    energy: EnergyReading | None = None,
) -> MachineReading:
    return MachineReading(
        t_ns=round(at_s * 1e9),
        system_s=1000 + at_s,
        cpu=CpuReading(busy_s),
        memory=MemoryReading(available_bytes=9, total_bytes=10, swap_used_bytes=1),
        runner=runner,
        server=server,
        is_hidden=is_hidden,
        own=own,
        gpu=gpu,
        energy=energy,
    )


def test_busy_cores_are_told_apart_by_who_used_them() -> None:
    before = reading(0, 5.0, 5.0, runner=runner(1.0), server=times(3, 0.5), own=(times(8, 2.0), times(9, 0.0)))
    after = reading(0.5, 5.5, 5.4, runner=runner(1.3), server=times(3, 0.55), own=(times(8, 2.05), times(9, 0.1)))
    found = shares(before, after)
    assert found is not None
    assert found.per_core == pytest.approx((1.0, 0.8))
    assert found.busy == pytest.approx(1.8)
    assert found.runner == pytest.approx(0.6)
    assert found.llmtui == pytest.approx(0.3)
    assert found.others == pytest.approx(1.8 - 0.6 - 0.3 - 0.1)  # the server's 0.1 is no disturbance


def test_rounding_of_ticks_gives_neither_more_than_a_core_nor_less_than_nothing() -> None:
    found = shares(reading(0, 5.0, 5.0, own=(times(8, 0.0),)), reading(0.2, 5.21, 4.99, own=(times(8, 0.5),)))
    assert found is not None
    assert found.per_core == (1.0, 0.0)
    assert found.others == 0.0


def test_a_built_in_server_is_llmtui_and_not_subtracted_twice() -> None:
    engine_before, engine_after = times(8, 0.0), times(8, 0.4)
    before = reading(0, 0.0, runner=runner(0.0), server=engine_before, own=(engine_before,))
    after = reading(1, 1.0, runner=runner(0.2), server=engine_after, own=(engine_after,))
    found = shares(before, after)
    assert found is not None
    assert found.others == pytest.approx(1.0 - 0.2 - 0.4)


def test_a_models_other_processes_are_the_models() -> None:
    before = reading(0, 0.0, runner=runner(1.0, beside=(times(11, 4.0),)), own=(times(8, 0.0),))
    after = reading(
        1, 1.0, runner=runner(1.1, beside=(times(11, 4.5), times(12, 0.2, started_s=1000.5))), own=(times(8, 0.0),)
    )
    found = shares(before, after)
    assert found is not None
    assert found.runner == pytest.approx(0.1 + 0.5 + 0.2)
    assert found.others == pytest.approx(0.2)


def test_a_hidden_servers_work_is_not_called_others() -> None:
    own = (times(8, 0.0),)
    for before, after in ((True, True), (True, False), (False, True)):
        found = shares(reading(0, 0.0, own=own, is_hidden=before), reading(1, 1.0, own=own, is_hidden=after))
        assert found is not None
        assert (found.busy, found.others) == (1.0, None)


def test_nor_is_that_of_a_runner_or_a_server_that_is_seen_for_the_first_time() -> None:
    own = (times(8, 0.0),)
    for after in (reading(1, 1.0, own=own, runner=runner(7.0)), reading(1, 1.0, own=own, server=times(3, 7.0))):
        found = shares(reading(0, 0.0, own=own), after)
        assert found is not None
        assert found.others is None


def test_a_core_that_came_or_went_leaves_the_shares_open() -> None:
    assert shares(reading(0, 1.0, 1.0), reading(1, 1.0)) is None
    assert shares(reading(0, 1.0), reading(0, 1.0)) is None
    assert sampled(reading(0, 1.0, 1.0), reading(1, 1.0), ThermalReading(), cost_ms=0.0) is None


def test_without_own_processes_others_cannot_be_told() -> None:
    found = shares(reading(0, 1.0), reading(1, 1.5))
    assert found is not None
    assert (found.runner, found.llmtui, found.others) == (None, None, None)


def test_a_runner_born_between_two_looks_counts_from_its_start() -> None:
    assert runner_cpu_s(reading(0, 0.0), reading(1, 1.0, runner=runner(0.7, started_s=1000.4))) == 0.7


def test_a_drawing_process_that_ended_takes_nothing_back() -> None:
    before, after = reading(0, 0.0, own=(times(8, 1.0), times(9, 50.0))), reading(1, 1.0, own=(times(8, 1.5),))
    assert own_cpu_s(before, after) == 0.5


def test_energy_names_all_its_counters() -> None:
    before = reading(0, 0.0, energy=EnergyReading(joules=5.0, source="rapl"), gpu=GpuReading(joules=100.0))
    after = reading(2, 1.0, energy=EnergyReading(joules=25.0, source="rapl"), gpu=GpuReading(joules=130.0))
    found = energy_between(before, after)
    assert found is not None
    assert (found.joules, found.source) == (50.0, "rapl+nvml")
    event = sampled(before, after, ThermalReading(), cost_ms=0.2)
    assert event is not None
    assert event.watts == 25.0


def test_without_counters_there_is_no_energy_but_a_card_may_tell_its_power() -> None:
    before, after = reading(0, 0.0, gpu=GpuReading(watts=40.0)), reading(1, 1.0, gpu=GpuReading(watts=42.0))
    assert energy_between(before, after) is None
    event = sampled(before, after, ThermalReading(), cost_ms=0.2)
    assert event is not None
    assert event.watts == 42.0


def test_the_event_holds_what_was_read_and_none_for_the_rest() -> None:
    event = sampled(
        reading(0, 1.0),
        reading(1, 1.25, runner=runner(0.1)),
        ThermalReading(temperature_c=55.0, frequency_mhz=3000.0),
        0.2,
    )
    assert event == Sampled(
        t_ns=1_000_000_000,
        cores_busy=0.25,
        per_core=(0.25,),
        available_bytes=9,
        ram_total_bytes=10,
        swap_used_bytes=1,
        runner_file_bytes=50,
        runner_anon_bytes=100,
        temperature_c=55.0,
        frequency_mhz=3000.0,
        cost_ms=0.2,
    )
