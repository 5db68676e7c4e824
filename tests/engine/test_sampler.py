from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtui.backends.base import ServerEndpoint
from llmtui.core.events import Sampled, decode_event, encode
from llmtui.engine.sampler import Sampler, latest_deadline_ns
from llmtui.engine.sensors.machine import Machine
from llmtui.engine.sensors.runner import RunnerSearch, RunnerTarget
from llmtui.engine.sensors.thermal import ThermalReading
from tests.engine.sensors.trees import BLOB, lay, listen, process, stand_in_runner, stand_in_server, wait_for

TARGET = RunnerTarget(place=ServerEndpoint(addresses=("127.0.0.1",), port=11434), blob_hex=BLOB)
RUNNER = ("runner", "--model", f"/blobs/sha256-{BLOB}")


class Tree(Machine):
    """A machine made of files, whose readings are counted and can be delayed."""

    def __init__(self, root: Path) -> None:
        self.root = lay(
            root, {"stat": "cpu0 100 0 0 900 0 0 0\n", "uptime": "1000.00 0.00", "meminfo": "MemTotal: 9 kB"}
        )
        lay(root, process(42, "engine") | process(3, "ollama", "serve"))
        listen(root, 11434, 3)
        super().__init__([42], proc_root=root, sys_root=root / "sys")
        self.go_on = threading.Event()
        self.go_on.set()
        self.searches: list[int] = []

    def thermal(self) -> ThermalReading:
        self.go_on.wait(20)
        return super().thermal()

    def find_runner(self, target: RunnerTarget) -> RunnerSearch:
        self.searches.append(time.perf_counter_ns())
        return super().find_runner(target)


@contextlib.contextmanager
def sampling(machine: Machine, steady_hz: float = 50.0) -> Iterator[tuple[Sampler, list[Sampled]]]:
    events: list[Sampled] = []
    sampler = Sampler(machine, events.append, steady_hz=steady_hz)
    sampler.start()
    try:
        yield sampler, events
    finally:
        sampler.stop()


@settings(deadline=None)
@given(st.integers(0, 10**12), st.integers(0, 10**10), st.integers(1, 10**9))
def test_deadlines_stay_on_their_grid_and_missed_ones_are_left_out(
    previous_ns: int, late_ns: int, period_ns: int
) -> None:
    now_ns = previous_ns + late_ns
    latest_ns = latest_deadline_ns(previous_ns, now_ns, period_ns)
    assert now_ns - period_ns < latest_ns <= now_ns
    assert (latest_ns - previous_ns) % period_ns == 0


@pytest.mark.timed
def test_events_come_at_the_steady_rate_and_carry_their_cost(tmp_path: Path) -> None:
    with sampling(Tree(tmp_path)) as (_, events):
        wait_for(lambda: len(events) >= 10)
    gaps_ns = sorted(after.t_ns - before.t_ns for before, after in pairwise(events))
    assert 15e6 < gaps_ns[len(gaps_ns) // 2] < 60e6
    assert all(event.cost_ms is not None and event.cost_ms > 0 for event in events)
    assert [decode_event(encode(event)) for event in events] == events


@pytest.mark.timed
def test_after_a_hold_up_the_missed_looks_are_not_made_up_for(tmp_path: Path) -> None:
    machine = Tree(tmp_path)
    machine.go_on.clear()
    with sampling(machine) as (_, events):
        time.sleep(0.5)  # 25 periods
        assert events == []
        machine.go_on.set()
        wait_for(lambda: len(events) >= 8)
    gaps_ns = [after.t_ns - before.t_ns for before, after in pairwise(events)]
    assert sum(gap < 10e6 for gap in gaps_ns) <= 2  # the first reading after it may come early: the grid is fixed


def test_the_rate_rises_from_a_trials_start_to_its_first_token(tmp_path: Path) -> None:
    with sampling(Tree(tmp_path), steady_hz=2.0) as (sampler, _):
        assert sampler.hz == 2.0
        sampler.begin_trial(loading=False)
        assert sampler.hz == 5.0
        sampler.first_token()
        assert sampler.hz == 2.0
    with sampling(Tree(tmp_path), steady_hz=10.0) as (sampler, _):
        sampler.begin_trial(loading=False)
        assert sampler.hz == 10.0
        sampler.end_trial()


def test_a_higher_rate_does_not_wait_for_the_end_of_the_old_period(tmp_path: Path) -> None:
    with sampling(Tree(tmp_path), steady_hz=0.01) as (sampler, events):
        sampler.begin_trial(loading=False)
        wait_for(lambda: len(events) >= 2)


def test_the_first_token_never_waits_for_a_look(tmp_path: Path) -> None:
    sampler = Sampler(Tree(tmp_path), lambda _: None)
    with sampler._looking:  # as in the middle of a search through all processes
        waiter = threading.Thread(target=sampler.first_token)
        waiter.start()
        waiter.join(20)
        assert not waiter.is_alive()


def test_after_stop_nothing_comes(tmp_path: Path) -> None:
    with sampling(Tree(tmp_path)) as (sampler, events):
        wait_for(lambda: events)
        sampler.stop()
        count = len(events)
        time.sleep(0.1)
        assert len(events) == count
    Sampler(Tree(tmp_path), lambda _: None).stop()  # never started


def test_a_runner_is_searched_while_its_model_loads_only_and_once_a_second(tmp_path: Path) -> None:
    machine = Tree(tmp_path)
    with sampling(machine) as (sampler, events):
        sampler.expect_runner(TARGET)
        seen = len(events)
        wait_for(lambda: len(events) > seen + 5)
        assert machine.searches == []
        sampler.begin_trial(loading=True)
        wait_for(lambda: len(machine.searches) >= 2)
        lay(tmp_path, process(7, *RUNNER, parent=3))
        wait_for(lambda: events[-1].runner_anon_bytes)
        found = len(machine.searches)
        seen = len(events)
        wait_for(lambda: len(events) > seen + 60)
        assert len(machine.searches) == found  # found: no further search
        sampler.end_trial()
        assert len(machine.searches) == found
    assert all(after - before >= 1e9 for before, after in pairwise(machine.searches))


def test_no_process_is_looked_for_while_text_is_written(tmp_path: Path) -> None:
    machine = Tree(tmp_path)
    with sampling(machine) as (sampler, events):
        sampler.expect_runner(TARGET)
        sampler.begin_trial(loading=True)
        wait_for(lambda: machine.searches)
        sampler.first_token()
        wait_for(lambda: len(events) > 5)
        before = len(machine.searches)
        time.sleep(1.2)  # longer than the time between two searches
        assert len(machine.searches) == before
        sampler.end_trial()
        sampler.begin_trial(loading=False)  # a warm one, whose runner is not visible
        before = len(machine.searches)
        seen = len(events)
        wait_for(lambda: len(events) > seen + 10)
        assert len(machine.searches) == before


def test_a_runner_that_came_up_between_two_searches_is_found_at_the_trials_end(tmp_path: Path) -> None:
    machine = Tree(tmp_path)
    with sampling(machine) as (sampler, _):
        sampler.expect_runner(TARGET)
        sampler.begin_trial(loading=True)
        wait_for(lambda: machine.searches)
        sampler.first_token()
        lay(tmp_path, process(7, *RUNNER, parent=3, started_s=2000.0))
        assert sampler.end_trial().figures.runner_pid == 7


def test_between_trials_the_runner_is_found_when_asked_and_forgotten_with_its_model(tmp_path: Path) -> None:
    machine = Tree(lay(tmp_path, process(7, *RUNNER, parent=3)))
    with sampling(machine) as (sampler, events):
        assert sampler.find_runner() is None  # nothing expected
        sampler.expect_runner(TARGET)
        runner = sampler.find_runner()
        assert runner is not None
        assert runner.pid == 7
        wait_for(lambda: events)
        wait_for(lambda: events[-1].runner_anon_bytes == 1000 * 1024)
        sampler.expect_runner(TARGET)  # the same again changes nothing
        sampler.expect_runner(None)
        wait_for(lambda: events[-1].runner_anon_bytes is None)


def test_a_runner_that_was_replaced_during_a_trial_is_found_at_its_end(tmp_path: Path) -> None:
    machine = Tree(lay(tmp_path, process(7, *RUNNER, parent=3)))
    with sampling(machine) as (sampler, events):
        sampler.expect_runner(TARGET)
        sampler.find_runner()
        wait_for(lambda: events)
        sampler.begin_trial(loading=False)
        (tmp_path / "7" / "stat").unlink()
        (tmp_path / "7" / "cmdline").unlink()
        lay(tmp_path, process(8, *RUNNER, parent=3, anon_kb=7000, started_s=2000.0, cpu_s=0.5))
        wait_for(lambda: events[-1].runner_anon_bytes is None)
        figures = sampler.end_trial().figures
        wait_for(lambda: events[-1].runner_anon_bytes == 7000 * 1024)
    assert figures.runner_pid == 8
    assert figures.runner_cpu_s == 0.5


def test_a_trial_cannot_end_that_was_not_begun(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="without begin_trial"):
        Sampler(Tree(tmp_path), lambda _: None).end_trial()


def test_others_before_the_trial_are_those_of_the_last_second(tmp_path: Path) -> None:
    sampler = Sampler(Tree(tmp_path), lambda _: None)
    assert sampler.others_cores() is None
    with sampling(Tree(tmp_path)) as (running, events):
        wait_for(lambda: len(events) >= 2)
        assert running.others_cores() == 0.0
        running.begin_trial(loading=False)
        assert running.end_trial().figures.others_cores_before == 0.0


def test_what_others_did_before_they_are_counted_from_is_left_out(tmp_path: Path) -> None:
    """The process of a model that was just unloaded does not count as another program."""
    machine = Tree(tmp_path)
    with sampling(machine) as (running, events):
        wait_for(lambda: len(events) >= 2)
        lay(tmp_path, {"stat": "cpu0 900 0 0 900 0 0 0\n"})  # eight seconds of work
        assert (running.others_cores() or 0.0) > 0.5
        running.count_others_from_now()
        seen = len(events)
        wait_for(lambda: len(events) > seen + 2)
        assert running.others_cores() == 0.0
        running.begin_trial(loading=False)
        assert running.end_trial().figures.others_cores_before == 0.0


@pytest.mark.timed
def test_a_real_program_beside_the_measurement_shows_as_others_and_in_what_is_left() -> None:
    with sampling(Machine([os.getpid()]), steady_hz=2.0) as (_, events):
        wait_for(lambda: events)
        available = events[-1].available_bytes
        assert available is not None
        with stand_in_runner(hold_bytes=800_000_000, busy_s=60):
            ready_ns = time.perf_counter_ns()
            # half of it: other programs allocate and free memory meanwhile
            wait_for(lambda: available - (events[-1].available_bytes or 0) >= 400_000_000)
            wait_for(lambda: (events[-1].others_cores or 0.0) >= 0.3)
        first = next(event for event in events if available - (event.available_bytes or 0) >= 400_000_000)
    assert first.t_ns - ready_ns < 3e9  # half a second by design; the rest is for a busy machine


@pytest.mark.timed
def test_a_real_runner_is_found_and_accounted_for_within_a_second_or_two() -> None:
    # of a process above this one, which is not the server's: as the engine is one of its own
    with stand_in_server() as server, sampling(Machine([2**22 + 1]), steady_hz=2.0) as (sampler, events):
        wait_for(lambda: events)
        sampler.expect_runner(
            RunnerTarget(place=ServerEndpoint(addresses=("127.0.0.1",), port=server.port), blob_hex=BLOB)
        )
        sampler.begin_trial(loading=True)
        before_s = time.monotonic()
        server.run("--model", f"/blobs/sha256-{BLOB}", hold_bytes=300_000_000, busy_s=60)
        ready_ns = time.perf_counter_ns()
        wait_for(lambda: (events[-1].runner_anon_bytes or 0) >= 300_000_000)
        wait_for(lambda: (events[-1].runner_cores or 0.0) >= 0.2)
        machine = sampler.end_trial()
        took_s = time.monotonic() - before_s
    first = next(event for event in events if (event.runner_anon_bytes or 0) >= 300_000_000)
    # one second between searches, one period at 5 Hz, and room for a busy machine
    assert first.t_ns - ready_ns < 3e9
    assert first.available_bytes is not None
    assert machine.figures.runner_peak_bytes is not None
    assert machine.figures.runner_peak_bytes >= 300_000_000
    assert machine.figures.runner_cpu_s is not None
    assert 0.05 <= machine.figures.runner_cpu_s <= took_s * (os.cpu_count() or 1)
