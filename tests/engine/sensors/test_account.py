from __future__ import annotations

import pytest

from llmtui.core.records import MachineFigures
from llmtui.engine.sensors.account import Edge, TrialAccount, TrialMachine
from llmtui.engine.sensors.cpu import CpuReading
from llmtui.engine.sensors.machine_reading import MachineReading
from llmtui.engine.sensors.memory import MemoryReading
from llmtui.engine.sensors.processes import ProcessMemory, ProcessTimes
from llmtui.engine.sensors.runner import RunnerProcess, RunnerReading
from llmtui.engine.sensors.thermal import ThermalReading

COOL = ThermalReading(temperature_c=40.0, on_battery=False)
TRIAL_STARTS_S = 1000.0


def runner(
    held: int, *, peak: int | None = None, started_s: float = 1.0, cpu_s: float = 0.0, read: int | None = None
) -> RunnerReading:
    return RunnerReading(
        runner=RunnerProcess(pid=7, started_s=started_s, weights_in_anon=True),
        times=ProcessTimes(pid=7, started_s=started_s, parent_pid=1, cpu_s=cpu_s),
        memory=ProcessMemory(anon_bytes=held, file_bytes=0, peak_bytes=held if peak is None else peak),
        disk_read_bytes=read,
    )


def reading(at_s: float, runner: RunnerReading | None = None, available: int | None = None) -> MachineReading:
    return MachineReading(
        t_ns=round(at_s * 1e9),
        system_s=TRIAL_STARTS_S + at_s,
        memory=MemoryReading(available_bytes=available),
        runner=runner,
    )


def edge(
    reading: MachineReading,
    *,
    machine_read: int | None = None,
    swapped: int | None = None,
    throttled: int | None = None,
) -> Edge:
    return Edge(
        reading=reading,
        swap_in_bytes=swapped,
        disk_read_bytes=machine_read,
        throttle_events=throttled,
    )


def trial(*readings: MachineReading) -> MachineFigures:
    account = TrialAccount(edge(readings[0]), None)
    for middle in readings[1:-1]:
        account.add(middle)
    return account.close(edge(readings[-1]), COOL).figures


def test_peak_is_the_highest_look_and_steady_the_median_of_the_second_half() -> None:
    held = [100, 900, 500, 300, 310, 320]
    figures = trial(*(reading(at_s, runner(value, peak=2000)) for at_s, value in enumerate(held)))
    assert figures.runner_peak_bytes == 900  # the mark of 2000 is older than the trial
    assert figures.runner_steady_bytes == 310


def test_a_mark_that_rose_within_the_trial_is_a_peak_between_two_looks() -> None:
    assert trial(reading(0, runner(100, peak=150)), reading(1, runner(100, peak=700))).runner_peak_bytes == 700


def test_the_mark_of_a_runner_born_in_the_trial_is_its_peak_with_the_hump_of_loading() -> None:
    born = runner(100, peak=800, started_s=TRIAL_STARTS_S + 0.5)
    assert trial(reading(0), reading(1, born)).runner_peak_bytes == 800


def test_a_runner_first_seen_in_the_trial_but_older_keeps_its_old_mark_out() -> None:
    assert trial(reading(0), reading(1, runner(100, peak=800))).runner_peak_bytes == 100


def test_a_runner_that_could_not_be_seen_leaves_its_figures_open() -> None:
    figures = trial(reading(0, available=50), reading(1, available=30), reading(2, available=40))
    assert figures == MachineFigures(available_min_bytes=30, temperature_c=40.0, on_battery=False)


def test_a_runner_that_died_before_the_end_is_reported_as_last_seen() -> None:
    figures = trial(reading(0, runner(100, cpu_s=1.0)), reading(1, runner(200, cpu_s=3.0)), reading(2))
    assert (figures.runner_pid, figures.runner_anon_bytes, figures.runner_cpu_s) == (7, 200, 2.0)
    assert figures.weights_in_anon is True


def test_a_trial_shorter_than_any_period_has_the_looks_at_its_edges() -> None:
    figures = trial(reading(0, runner(100)), reading(0.01, runner(120)))
    assert (figures.runner_peak_bytes, figures.runner_steady_bytes) == (120, 120)


def test_counters_of_the_machine_are_differences_between_the_edges() -> None:
    account = TrialAccount(edge(reading(0), swapped=100, throttled=5), others_cores_before=0.25)
    machine = account.close(edge(reading(1), swapped=400, throttled=7), COOL)
    assert machine.figures.swap_in_bytes == 300
    assert machine.figures.throttle_events == 2
    assert machine.figures.others_cores_before == 0.25


def test_reads_of_a_runner_born_in_the_trial_are_its_own() -> None:
    account = TrialAccount(edge(reading(0), machine_read=1000), None)
    machine = account.close(edge(reading(1, runner(1, started_s=TRIAL_STARTS_S, read=70)), machine_read=9000), COOL)
    assert machine.figures.disk_read_bytes == 70


def test_reads_of_a_runner_that_was_there_before_are_a_difference() -> None:
    account = TrialAccount(edge(reading(0, runner(1, read=70)), machine_read=1000), None)
    machine = account.close(edge(reading(1, runner(1, read=100)), machine_read=9000), COOL)
    assert machine.figures.disk_read_bytes == 30


def test_where_the_runners_reads_are_private_the_machines_stand_in_and_are_named_so() -> None:
    account = TrialAccount(edge(reading(0), machine_read=1000), None)
    machine = account.close(edge(reading(1, runner(1, started_s=TRIAL_STARTS_S)), machine_read=9000), COOL)
    assert machine.figures.disk_read_bytes == 8000


@pytest.mark.parametrize(
    ("read_bytes", "model_bytes", "source"),
    [
        (50, 100, "disk"),
        (49, 100, "mixed"),
        (11, 100, "mixed"),
        (10, 100, "memory"),
        (0, 100, "memory"),
        (None, 100, "unknown"),
        (50, None, "unknown"),
    ],
)
def test_where_a_cold_start_came_from(read_bytes: int | None, model_bytes: int | None, source: str) -> None:
    machine = TrialMachine(figures=MachineFigures(disk_read_bytes=read_bytes))
    assert machine.cold_source(model_bytes) == source


class TestOthers:
    """Other programs are busy only where the model's own processes were seen at work throughout."""

    def figures(self, *readings: MachineReading, before: MachineReading | None = None) -> MachineFigures:
        account = TrialAccount(edge(readings[0]), None, before)
        return account.close(edge(readings[-1]), COOL).figures

    def reading(
        self, at_s: float, runner: RunnerReading | None, busy_s: float, *, is_hidden: bool = False
    ) -> MachineReading:
        return MachineReading(
            t_ns=round(at_s * 1e9), system_s=TRIAL_STARTS_S + at_s, runner=runner, cpu=CpuReading((busy_s, 0.0)),
            own=(ProcessTimes(pid=8, started_s=1.0, parent_pid=1, cpu_s=0.0),), is_hidden=is_hidden,
        )  # fmt: skip

    def test_are_all_that_is_not_the_models_or_llmtuis(self) -> None:
        found = self.figures(self.reading(0, runner(1, cpu_s=3.0), 10.0), self.reading(2, runner(1, cpu_s=3.5), 12.0))
        assert found.others_cores == pytest.approx(0.75)

    def test_are_not_known_beside_a_server_that_is_hidden(self) -> None:
        hidden = [self.reading(at_s, None, 10.0 + at_s, is_hidden=True) for at_s in (0, 2)]
        assert self.figures(*hidden).others_cores is None

    def test_are_not_known_beside_a_server_on_another_machine(self) -> None:
        elsewhere = [self.reading(at_s, None, 10.0 + at_s) for at_s in (0, 2)]
        assert self.figures(*elsewhere).others_cores is None

    def test_are_not_known_where_the_process_came_or_went_meanwhile(self) -> None:
        there = self.reading(0, runner(1), 10.0)
        assert self.figures(there, self.reading(2, None, 12.0)).others_cores is None
        assert self.figures(self.reading(-2, None, 8.0), there).others_cores is None
        assert self.figures(there, self.reading(2, runner(1, started_s=1000.5, cpu_s=1.0), 12.0)).others_cores is None

    def test_are_not_known_where_what_is_seen_does_not_compute(self) -> None:
        """It passes requests on; what computes is among the others."""
        found = self.figures(self.reading(0, runner(1, cpu_s=3.0), 10.0), self.reading(2, runner(1, cpu_s=3.02), 12.0))
        assert found.others_cores is None

    def test_of_a_short_trial_are_counted_from_a_look_before_it(self) -> None:
        before, start = self.reading(-1, runner(1), 9.0), self.reading(0, runner(1, cpu_s=0.0), 10.0)
        end = self.reading(0.1, runner(1, cpu_s=0.1), 10.1)
        assert self.figures(start, end).others_cores is None
        assert self.figures(start, end, before=before).others_cores == pytest.approx(1.0 / 1.1)
