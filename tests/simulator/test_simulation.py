from __future__ import annotations

import asyncio

import pytest

from llmtui.simulator import Planned, PutModel, RemoveModel, Script, ScriptedAnswer, SetAnswers, SetSpeed, SpeedPoint
from llmtui.simulator.clock import Waiter
from llmtui.simulator.options import ApiError
from llmtui.simulator.sendlog import SendLog
from llmtui.simulator.simulation import Simulation
from tests.simulator.asking import chat, lines_of, quick, quick_script, served, text_of, wait_until


def simulation(script: Script) -> Simulation:
    return Simulation(script, SendLog(), Waiter(blocking=False))


async def test_speed_drifts_with_the_number_of_answers() -> None:
    model = quick(speed_points=(SpeedPoint(after_trials=2, speed=0.9), SpeedPoint(after_trials=4, speed=0.5)))
    state = simulation(quick_script(model))
    speeds = []
    for _ in range(6):
        await state.begin_trial()
        speeds.append(state.speed(model))
    assert speeds == [1.0, 1.0, 0.9, 0.9, 0.5, 0.5]


def test_speed_drifts_with_time_which_the_scale_shortens(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns = [5_000]
    monkeypatch.setattr("llmtui.simulator.simulation.now_ns", lambda: now_ns[0])
    model = quick(speed_points=(SpeedPoint(after_s=100.0, speed=0.9),))
    state = simulation(quick_script(model, time_scale=1000.0))
    assert state.speed(model) == 1.0
    now_ns[0] += 99_000_000
    assert state.speed(model) == 1.0
    now_ns[0] += 1_000_000
    assert state.speed(model) == 0.9


async def test_speed_can_be_set_for_all_and_for_one() -> None:
    one, other = quick("one"), quick("other")
    state = simulation(quick_script(one, other))
    await state.apply(SetSpeed(factor=0.5))
    await state.apply(SetSpeed(factor=0.5, model="one"))
    assert (state.speed(one), state.speed(other)) == (0.25, 0.5)


async def test_a_running_answer_slows_down_when_the_speed_is_set() -> None:
    model = quick(decode_tps=200.0, answers=(ScriptedAnswer(tokens=60),))
    async with served(quick_script(model)) as (server, client):
        request = asyncio.create_task(lines_of(client, "/api/chat", chat()))
        await wait_until(lambda: bool(server.log) and len(server.log[0].texts) > 20)
        await server.change(SetSpeed(factor=0.25))
        await request
        times = [chunk.sent_ns for chunk in server.log[0].texts]
    early_ns, late_ns = times[20] - times[0], times[-1] - times[-21]
    assert late_ns > 2 * early_ns


async def test_answers_can_be_exchanged() -> None:
    async with served(quick_script()) as (server, client):
        await server.change(SetAnswers(model="m", answers=(ScriptedAnswer(token_texts=("new",)),)))
        assert text_of(await lines_of(client, "/api/chat", chat())) == "new"


async def test_models_come_and_go() -> None:
    async with served(quick_script()) as (server, client):
        await server.change(PutModel(model=quick("n")))
        await server.change(RemoveModel(model="m"))
        listed = (await client.get("/api/tags")).json()["models"]
        assert [model["name"] for model in listed] == ["n:latest"]


async def test_a_change_can_be_planned_for_a_time() -> None:
    soon, later = (Planned(after_s=at, change=RemoveModel(model=name)) for at, name in ((0.1, "m"), (600, "n")))
    async with served(quick_script(quick("m"), quick("n"), plan=(soon, later))) as (_, client):
        for _ in range(6000):
            names = [one["name"] for one in (await client.get("/api/tags")).json()["models"]]
            if len(names) < 2:
                break
            await asyncio.sleep(0.01)
        assert names == ["n:latest"]


async def test_a_script_that_preloads_what_it_has_not_is_refused() -> None:
    with pytest.raises(ApiError, match="not found"):
        await simulation(quick_script(preloaded=("x",))).begin()
