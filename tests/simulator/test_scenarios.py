from __future__ import annotations

import httpx
import msgspec
import pytest

from llmtui.simulator import Script, scenarios
from tests.simulator.asking import chat, lines_of, served, text_of


def hurried(script: Script) -> Script:
    return msgspec.structs.replace(script, time_scale=50.0, stand_in_runner=False)


@pytest.mark.parametrize(
    "name", ["fast", "three_models", "slow", "thinking", "bundled", "held_back", "crowded", "skewed", "slowing"]
)
async def test_every_model_of_a_scenario_without_faults_answers(name: str) -> None:
    script = hurried(scenarios.SCENARIOS[name]())
    async with served(script) as (_, client):
        for model in script.models:
            lines = await lines_of(client, "/api/chat", chat(model.name, options={"num_predict": 16}))
            assert lines[-1]["done"] is True
            assert lines[-1]["eval_count"] == 16


def test_the_slow_scenario_is_an_old_laptop() -> None:
    script = scenarios.three_models(slow=True, time_scale=10.0)
    assert len(script.models) == 3
    assert script.duration_ns(script.models[0].load_s) == 1_900_000_000
    assert all(4 <= model.decode_tps <= 6.5 for model in script.models)
    assert len({model.decode_tps for model in script.models}) == 3


async def test_each_faulty_model_fails_in_its_own_way() -> None:
    async def outcome(client: httpx.AsyncClient, name: str) -> str:
        try:
            response = await client.post("/api/chat", json=chat(name), timeout=1.5)
        except httpx.ReadTimeout:
            return "timeout"
        except httpx.RemoteProtocolError:
            return "broken"
        if response.status_code != 200:
            return str(response.status_code)
        if '"error"' in response.text:
            return "error line"
        return "done" if '"done":true' in response.text else "no last line"

    script = hurried(scenarios.faulty())
    async with served(script) as (_, client):
        names = [model.name for model in script.models]
        outcomes = {name: await outcome(client, name) for name in names}
    assert outcomes == {
        "breaks:1b": "broken",
        "errors:1b": "error line",
        "refuses:1b": "500",
        "repeats:1b": "no last line",
        "thinks-only:1b": "done",
        "empty:1b": "done",
        "short:1b": "done",
        "silent:1b": "timeout",
        "stops-sending:1b": "timeout",
        "stalls:1b": "done",
        "hostile:1b": "done",
        "no-load:70b": "500",
        "embeds:1b": "400",
        "away:480b-cloud": "done",
    }


async def test_the_model_that_only_thinks_has_no_answer() -> None:
    async with served(hurried(scenarios.faulty())) as (_, client):
        lines = await lines_of(client, "/api/chat", chat("thinks-only:1b"))
    assert (text_of(lines), lines[-1]["done_reason"]) == ("", "stop")
    assert text_of(lines, "thinking")


async def test_others_use_the_shared_server() -> None:
    async with served(hurried(scenarios.shared())) as (server, client):
        for _ in range(6):
            await lines_of(client, "/api/chat", chat("quick:1b", options={"num_predict": 5}))
        truths = [record.truth for record in server.log]
    waits = [truth.slot_ns - truth.handed_over_ns for truth in truths if truth is not None]
    assert waits.index(max(waits)) == 2


def test_the_hostile_text_has_what_breaks_readers_and_screens() -> None:
    for character in ("\u0085", "\u2028", "\x1b[31m", "[bold]", "\u200d", "灯", "\ud83d", "\x00"):
        assert character in scenarios.HOSTILE_TEXT
