from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest

from llmtui.simulator import (
    OtherClientAsks,
    OtherClientLoads,
    Planned,
    PutModel,
    ScriptedAnswer,
    SimulatedServer,
    Unload,
)
from tests.simulator.asking import chat, error_of, lines_of, quick, quick_script, served, state_when, wait_until


async def loaded(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {model["name"]: model for model in (await client.get("/api/ps")).json()["models"]}


async def wait_until_loaded(client: httpx.AsyncClient, *names: str) -> None:
    for _ in range(500):
        if set(await loaded(client)) == set(names):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"loaded are {sorted(await loaded(client))}")


def has_records(server: SimulatedServer, count: int) -> bool:
    return len(server.log) == count


def was_loaded(server: SimulatedServer) -> list[bool]:
    return [record.truth.loaded for record in server.log if record.truth is not None]


@pytest.mark.timed
async def test_a_first_request_loads_and_a_second_does_not() -> None:
    async with served(quick_script(quick(load_s=0.3))) as (server, client):
        first, second = [(await lines_of(client, "/api/chat", chat()))[-1] for _ in range(2)]
        assert was_loaded(server) == [True, False]
    assert first["load_duration"] >= 0.3e9
    assert second["load_duration"] < 0.15e9


async def test_a_model_is_listed_when_it_has_loaded_and_not_before() -> None:
    async with served(quick_script(quick(load_s=0.4))) as (_, client):
        request = asyncio.create_task(lines_of(client, "/api/chat", chat()))
        state = await state_when(client, lambda state: bool(state["loading"]))
        assert state["loading"][0]["model"] == "m"
        assert await loaded(client) == {}
        await request
        assert set(await loaded(client)) == {"m:latest"}


@pytest.mark.parametrize(
    ("options", "reloads"),
    [
        ({"num_ctx": 2048}, True),
        ({"num_thread": 1}, True),
        ({"num_gpu": 0}, True),
        ({"num_ctx": 4096}, False),
        ({"num_predict": 3, "temperature": 0}, False),
    ],
)
async def test_an_option_of_the_load_reloads_and_another_does_not(options: dict[str, Any], reloads: bool) -> None:
    async with served(quick_script()) as (server, client):
        await lines_of(client, "/api/chat", chat())
        await lines_of(client, "/api/chat", chat(options=options))
        assert was_loaded(server) == [True, reloads]
        (model,) = (await loaded(client)).values()
    assert model["context_length"] == options.get("num_ctx", 4096)


@pytest.mark.timed
async def test_an_unload_answers_at_once_and_the_model_leaves_a_moment_later() -> None:
    async with served(quick_script(unload_s=0.3)) as (server, client):
        await lines_of(client, "/api/chat", chat())
        await client.post("/api/generate", json={"model": "m", "keep_alive": 0})
        assert set(await loaded(client)) == {"m:latest"}
        await wait_until_loaded(client)
        record = server.log[1]
        assert record.done_ns is not None
        assert record.done_ns - record.received_ns < 0.25e9


async def test_a_request_during_the_unload_loads_again() -> None:
    async with served(quick_script(unload_s=0.2)) as (server, client):
        await lines_of(client, "/api/chat", chat())
        await client.post("/api/generate", json={"model": "m", "keep_alive": 0})
        await lines_of(client, "/api/chat", chat())
        assert was_loaded(server) == [True, True]


async def test_an_unload_waits_for_the_answer_in_progress() -> None:
    model = quick(decode_tps=50.0, answers=(ScriptedAnswer(tokens=20),))
    async with served(quick_script(model)) as (_, client):
        request = asyncio.create_task(lines_of(client, "/api/chat", chat()))
        await wait_until_loaded(client, "m:latest")
        await client.post("/api/generate", json={"model": "m", "keep_alive": 0})
        assert (await request)[-1]["eval_count"] == 20
        await wait_until_loaded(client)


@pytest.mark.parametrize("keep_alive", [0, "0s", 0.05, "50ms"])
async def test_keep_alive_ends_a_models_stay(keep_alive: object) -> None:
    async with served(quick_script()) as (_, client):
        await lines_of(client, "/api/chat", chat(keep_alive=keep_alive))
        await wait_until_loaded(client)


@pytest.mark.parametrize("keep_alive", [-1, "-1s"])
async def test_a_negative_keep_alive_is_for_ever(keep_alive: object) -> None:
    async with served(quick_script()) as (_, client):
        await lines_of(client, "/api/chat", chat(keep_alive=keep_alive))
        (model,) = (await loaded(client)).values()
    assert int(model["expires_at"][:4]) > 2300


async def test_one_model_too_many_evicts_the_one_that_was_to_leave_first() -> None:
    script = quick_script(*(quick(name) for name in "abc"), max_loaded_models=2)
    async with served(script) as (_, client):
        await lines_of(client, "/api/chat", chat("a", keep_alive=600))
        await lines_of(client, "/api/chat", chat("b", keep_alive=60))
        await lines_of(client, "/api/chat", chat("c", keep_alive=600))
        assert set(await loaded(client)) == {"a:latest", "c:latest"}


async def test_a_busy_model_is_not_evicted_before_its_answer_ends() -> None:
    busy = quick("busy", decode_tps=50.0, answers=(ScriptedAnswer(tokens=25),))
    async with served(quick_script(busy, quick("other"), max_loaded_models=1)) as (_, client):
        first = asyncio.create_task(lines_of(client, "/api/chat", chat("busy")))
        await wait_until_loaded(client, "busy:latest")
        last = (await lines_of(client, "/api/chat", chat("other")))[-1]
        assert (await first)[-1]["eval_count"] == 25
        assert set(await loaded(client)) == {"other:latest"}
    assert last["load_duration"] > 0.2e9


async def test_two_loaded_models_answer_side_by_side() -> None:
    slow = quick("slow", decode_tps=20.0, answers=(ScriptedAnswer(tokens=2000),))
    async with served(quick_script(slow, quick("fast"))) as (server, client):
        first = asyncio.create_task(client.post("/api/chat", json=chat("slow")))
        await wait_until(lambda: any(record.texts for record in server.log))
        await lines_of(client, "/api/chat", chat("fast"))
        assert not first.done()
        first.cancel()


@pytest.mark.timed
async def test_a_request_behind_anothers_waits_in_no_field_but_the_total() -> None:
    async with served(quick_script()) as (server, client):
        await server.change(OtherClientLoads(model="m"))
        await server.change(OtherClientAsks(model="m", seconds=0.6))
        last = (await lines_of(client, "/api/chat", chat()))[-1]
        (record,) = server.log
    named = last["load_duration"] + last["prompt_eval_duration"] + last["eval_duration"]
    assert last["load_duration"] < 0.2e9
    assert last["total_duration"] - named > 0.4e9
    assert record.truth is not None
    assert record.truth.slot_ns - record.truth.handed_over_ns > 0.4e9


async def test_requests_take_turns_in_the_order_they_came() -> None:
    model = quick(decode_tps=100.0, answers=(ScriptedAnswer(tokens=10),))
    async with served(quick_script(model, preloaded=("m",))) as (server, client):
        tasks = []
        for number in range(3):
            tasks.append(asyncio.create_task(lines_of(client, "/api/chat", chat(content=f"question {number}"))))
            await wait_until(partial(has_records, server, number + 1))
        await asyncio.gather(*tasks)
        dones = [record.done_ns for record in server.log]
        firsts = [record.texts[0].sent_ns for record in server.log]
    assert None not in dones
    assert all(done is not None and done < first for done, first in zip(dones, firsts[1:], strict=False))


async def test_another_client_can_reload_a_model_between_two_answers() -> None:
    plan = (Planned(after_trial=1, change=OtherClientLoads(model="m", options={"num_ctx": 1024})),)
    async with served(quick_script(plan=plan)) as (server, client):
        await lines_of(client, "/api/chat", chat())
        await state_when(client, lambda state: [model["num_ctx"] for model in state["loaded"]] == [1024])
        await lines_of(client, "/api/chat", chat())
        assert was_loaded(server) == [True, True]


@pytest.mark.timed
async def test_another_client_can_come_just_before_a_certain_answer() -> None:
    plan = (Planned(before_trial=2, change=OtherClientAsks(model="m", seconds=0.5)),)
    async with served(quick_script(plan=plan)) as (server, client):
        for _ in range(3):
            await lines_of(client, "/api/chat", chat())
        waits = [record.truth.slot_ns - record.truth.handed_over_ns for record in server.log if record.truth]
    assert waits[1] > 0.4e9 > max(waits[0], waits[2])


async def test_a_client_that_leaves_during_a_load_aborts_it() -> None:
    async with served(quick_script(quick(load_s=30.0))) as (server, client):
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/api/chat", json=chat(), timeout=0.3)
        await wait_until(lambda: server.log[0].finished_ns is not None)
        state = (await client.get("/_sim/state")).json()
    assert (state["loaded"], state["loading"]) == ([], [])


async def test_more_requests_than_may_wait_are_turned_away() -> None:
    async with served(quick_script(quick("a", load_s=30.0), quick("b"), max_queue=1)) as (_, client):
        first = asyncio.create_task(client.post("/api/chat", json=chat("a")))
        await state_when(client, lambda state: bool(state["loading"]))
        status, message = await error_of(client, "/api/chat", chat("b"))
        first.cancel()
    assert status == 503
    assert message.startswith("server busy")


async def test_what_is_preloaded_is_in_memory_before_the_first_request() -> None:
    async with served(quick_script(quick(load_s=30.0), preloaded=("m",))) as (server, client):
        assert set(await loaded(client)) == {"m:latest"}
        await lines_of(client, "/api/chat", chat())
        assert was_loaded(server) == [False]


async def test_another_client_can_unload_a_model() -> None:
    async with served(quick_script(preloaded=("m",))) as (server, client):
        await server.change(Unload(model="m"))
        assert await loaded(client) == {}


async def test_a_model_made_anew_under_its_name_is_listed_twice_with_two_digests() -> None:
    model = quick(size_bytes=1000)
    async with served(quick_script(model)) as (server, client):
        await lines_of(client, "/api/chat", chat())
        await server.change(PutModel(model=msgspec.structs.replace(model, size_bytes=2000)))
        await lines_of(client, "/api/chat", chat())
        models = (await client.get("/api/ps")).json()["models"]
        listed = (await client.get("/api/tags")).json()["models"]
    assert [entry["name"] for entry in models] == ["m:latest", "m:latest"]
    assert len({entry["digest"] for entry in models}) == 2
    assert len(listed) == 1


async def test_names_that_share_weights_share_a_runner() -> None:
    async with served(quick_script(quick("a", weights="w"), quick("b", weights="w"))) as (server, client):
        for name in ("a", "b"):
            await lines_of(client, "/api/chat", chat(name))
        assert was_loaded(server) == [True, False]
