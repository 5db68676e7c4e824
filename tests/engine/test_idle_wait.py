"""Cold starts wait for other programs to become idle, and are flagged where they did not."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from llmtui.core.events import PhaseChanged
from llmtui.core.plan import Plan
from llmtui.core.records import Evidence, MachineFigures, PhaseDetail
from llmtui.engine import idle_wait
from llmtui.engine.context import RunContext
from llmtui.engine.control import Control
from llmtui.engine.idle_wait import IdleWait
from tests.core.made import plan
from tests.engine.fake_server import FakeServer, FakeWatch, Reported
from tests.engine.lab import Lab, one_round

BUSY, CALM = 1.5, 0.1

WAITING = PhaseDetail(step="waiting_for_others")


class Clock:
    """Advances by each sleep, at once."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(idle_wait, "_OBSERVED_S", 0.01)
    monkeypatch.setattr(idle_wait, "time", clock)
    monkeypatch.setattr(idle_wait, "asyncio", clock)
    return clock


def waiting_at_most(limit_s: float, *names: str, kinds: tuple[str, ...] = ("cold",)) -> Plan:
    of = one_round(*names or ("a", "b", "c"), kinds=kinds)
    return msgspec.structs.replace(of, options=msgspec.structs.replace(of.options, quiet_wait_s=limit_s))


def context(limit_s: float, others: Sequence[float]) -> RunContext:
    watch = FakeWatch()
    watch.others = list(others)
    return RunContext(waiting_at_most(limit_s), {"ollama": FakeServer()}, emit=Reported().append, watch=watch)


async def waited_s(of: IdleWait, clock: Clock, *, local: bool | None = True) -> float:
    began_s = clock.now_s
    await of.wait(local=local)
    return clock.now_s - began_s


async def test_the_sessions_first_start_does_not_wait_and_is_not_judged(clock: Clock) -> None:
    of = IdleWait(context(5.0, [BUSY]), cores=4)
    assert await waited_s(of, clock) == 0
    assert of.flag(MachineFigures(others_cores_before=BUSY)) is None


async def test_later_ones_wait_until_others_are_quiet(clock: Clock) -> None:
    of = IdleWait(context(5.0, [BUSY, BUSY, BUSY, CALM]), first_is_over=True, cores=4)
    assert await waited_s(of, clock) == pytest.approx(0.03)
    assert of.flag(MachineFigures(others_cores_before=CALM)) is None


async def test_who_waited_long_enough_starts_and_is_flagged_with_what_was_seen(clock: Clock) -> None:
    of = IdleWait(context(0.05, [BUSY]), first_is_over=True, cores=4)
    assert await waited_s(of, clock) == pytest.approx(0.05)
    flag = of.flag(MachineFigures(others_cores_before=BUSY))
    assert flag is not None
    assert flag.name == "noisy_start"
    assert flag.evidence == Evidence(code="noisy_start", args={"others": 1.5, "cores": 4})


async def test_a_person_may_end_the_wait_and_the_start_is_flagged(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = Control()
    of = IdleWait(context(5.0, [BUSY]), first_is_over=True, cores=4, control=control)
    look = clock.sleep

    async def at_the_third_look(seconds: float) -> None:
        await look(seconds)
        if clock.now_s > 0.025:
            control.stop_waiting()

    monkeypatch.setattr(clock, "sleep", at_the_third_look)
    assert await waited_s(of, clock) == pytest.approx(0.03)
    assert of.flag(MachineFigures(others_cores_before=BUSY)) is not None


async def test_all_of_a_sessions_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(idle_wait, "SESSION_LIMIT_S", 0.2)
    of = IdleWait(context(0.15, [BUSY]), first_is_over=True, cores=4)
    waits_s = [await waited_s(of, clock) for _ in range(4)]
    assert waits_s[0] == pytest.approx(0.15)
    assert max(waits_s[2:]) == pytest.approx(0.01), "nothing is left of it"


@pytest.mark.parametrize(("cores", "most"), [(1, 0.5), (4, 0.5), (5, 0.5), (16, 1.6)])
def test_half_a_core_is_quiet_and_a_tenth_of_many(cores: int, most: float) -> None:
    assert IdleWait(context(0, []), cores=cores).most_cores == pytest.approx(most)


async def test_of_a_server_elsewhere_nothing_is_asked_and_nothing_said(clock: Clock) -> None:
    of = IdleWait(context(5.0, [BUSY]), first_is_over=True, cores=4)
    assert await waited_s(of, clock, local=False) == 0
    assert of.flag(MachineFigures(others_cores_before=BUSY)) is None


async def test_where_nobody_can_look_nobody_waits(clock: Clock) -> None:
    of = IdleWait(context(5.0, []), first_is_over=True, cores=4)
    assert await waited_s(of, clock) == 0
    assert of.flag(MachineFigures(others_cores_before=None)) is None


async def test_in_a_run_all_starts_but_the_first_are_flagged_and_keep_their_figures() -> None:
    lab = Lab(waiting_at_most(0.02, kinds=("cold", "warm")))
    lab.watch.others = [64.0]
    await lab.run()
    flags = {row.trial.id: row.flags for row in lab.rows}
    cold = [row for row in lab.rows if row.trial.kind == "cold"]
    assert [flags[row.trial.id] for row in cold] == [(), ("noisy_start",), ("noisy_start",)]
    assert all(row.timeline.t_ns and row.evidence for row in cold[1:])
    assert {flags[row.trial.id] for row in lab.rows if row.trial.kind == "warm"} == {()}
    waits: list[PhaseChanged] = [one for one in lab.events.of(PhaseChanged) if one.detail == WAITING]
    assert [one.trial_id for one in waits] == [None, None], "said once a start, and nothing loads yet"


async def test_what_the_unloaded_model_did_is_not_held_against_others() -> None:
    lab = Lab(waiting_at_most(0.02))
    lab.watch.others = [CALM]
    await lab.run()
    assert lab.watch.calls.count("others from now") == 2
    assert {flag for row in lab.rows for flag in row.flags} == set()


async def test_a_session_that_is_gone_on_with_had_its_first_start() -> None:
    first = Lab(waiting_at_most(0.0, "a"))
    await first.run()
    later = Lab(first.plan, so_far=first.session())
    later.watch.others = [64.0]
    later.experiment.extend(1)
    await later.run()
    assert [row.flags for row in later.rows] == [("noisy_start",)]


def test_plans_wait_ten_seconds_unless_they_say_otherwise() -> None:
    assert plan().options.quiet_wait_s == 10.0
