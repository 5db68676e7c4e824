from __future__ import annotations

import json
from typing import Any

import httpx

from llmtui.simulator import Pullable, PullStop
from tests.simulator.asking import error_of, lines_of, quick, quick_script, served, wait_until

SIZE_BYTES = 1_000_000_000
MODEL = quick("wanted", size_bytes=SIZE_BYTES)


def offering(*stops: PullStop, rate_bps: float = 5e9) -> Any:
    return quick_script(quick("m"), registry=(Pullable(model=MODEL, rate_bps=rate_bps, stops=stops),))


async def completed(client: httpx.AsyncClient) -> list[int]:
    """Return the bytes of the weights, line by line, of one attempt, which may be cut."""
    seen: list[int] = []
    rest = b""
    try:
        async with client.stream("POST", "/api/pull", json={"model": "wanted"}) as response:
            async for data in response.aiter_raw():
                *lines, rest = (rest + data).split(b"\n")
                seen += [_weights(line) for line in lines if b'"digest"' in line]
    except httpx.RemoteProtocolError:
        pass
    return [count for count in seen if count >= 0]


def _weights(line: bytes) -> int:
    body = json.loads(line)
    return body.get("completed", 0) if body["total"] == SIZE_BYTES else -1


async def installed(client: httpx.AsyncClient) -> set[str]:
    return {model["name"] for model in (await client.get("/api/tags")).json()["models"]}


async def test_a_pull_tells_its_progress_and_the_model_is_listed_afterwards() -> None:
    async with served(offering()) as (_, client):
        lines = await lines_of(client, "/api/pull", {"model": "wanted"})
        assert "wanted:latest" in await installed(client)
    statuses = [line["status"] for line in lines]
    assert statuses[0] == "pulling manifest"
    assert statuses[-3:] == ["verifying sha256 digest", "writing manifest", "success"]
    weights = [line for line in lines if line.get("total") == SIZE_BYTES]
    assert "completed" not in weights[0]
    assert weights[-1]["completed"] == SIZE_BYTES
    counts = [line.get("completed", 0) for line in weights]
    assert counts == sorted(counts)
    assert len(counts) >= 3


async def test_the_older_key_for_the_name_is_understood() -> None:
    async with served(offering()) as (_, client):
        assert (await lines_of(client, "/api/pull", {"name": "wanted"}))[-1] == {"status": "success"}


async def test_without_streaming_only_the_end_is_told() -> None:
    async with served(offering()) as (_, client):
        response = await client.post("/api/pull", json={"model": "wanted", "stream": False})
    assert response.json() == {"status": "success"}


async def test_a_cut_pull_goes_on_where_it_ended() -> None:
    async with served(offering(PullStop(at_fraction=0.4), PullStop(at_fraction=0.8))) as (_, client):
        first, second, third = [await completed(client) for _ in range(3)]
        assert "wanted:latest" in await installed(client)
    assert (first[0], first[-1]) == (0, 400_000_000)
    assert (second[0], second[-1]) == (400_000_000, 800_000_000)
    assert (third[0], third[-1]) == (800_000_000, SIZE_BYTES)


async def test_a_pull_can_end_in_an_error_line() -> None:
    stop = PullStop(at_fraction=0.5, kind="error", message="no space left on device")
    async with served(offering(stop)) as (_, client):
        lines = await lines_of(client, "/api/pull", {"model": "wanted"})
        assert "wanted:latest" not in await installed(client)
    assert lines[-1] == {"error": "no space left on device"}


async def test_an_unknown_model_is_an_error_line_after_the_first() -> None:
    async with served(offering()) as (_, client):
        lines = await lines_of(client, "/api/pull", {"model": "nowhere"})
    assert lines == [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}]


async def test_a_pull_that_is_left_keeps_what_has_arrived() -> None:
    async with served(offering(rate_bps=1e9)) as (server, client):
        async with client.stream("POST", "/api/pull", json={"model": "wanted"}) as response:
            async for data in response.aiter_raw():
                if b"completed" in data:
                    break
        await wait_until(lambda: server.log[0].disconnected_ns is not None)
        assert (await completed(client))[0] > 0


async def test_pulling_what_is_installed_is_quick() -> None:
    async with served(quick_script(quick("m", size_bytes=10**15))) as (_, client):
        lines = await lines_of(client, "/api/pull", {"model": "m"})
    assert lines[-1] == {"status": "success"}


async def test_a_name_of_the_wrong_form_is_refused() -> None:
    async with served(offering()) as (_, client):
        assert await error_of(client, "/api/pull", {"model": "not a name"}) == (400, "invalid model name")
