from __future__ import annotations

import httpx
import pytest

from llmtui.simulator import Dialect, RouteFault
from llmtui.simulator.api import is_allowed_host
from tests.simulator.asking import chat, error_of, lines_of, quick, quick_script, served, text_of, wait_until


@pytest.mark.parametrize("dialect", ["0.11.4", "0.34.4"])
async def test_the_version_is_the_dialect_unless_the_script_names_another(dialect: Dialect) -> None:
    async with served(quick_script(dialect=dialect)) as (_, client):
        assert (await client.get("/api/version")).json() == {"version": dialect}
    async with served(quick_script(dialect=dialect, version="0.12.7")) as (_, client):
        assert (await client.get("/api/version")).json() == {"version": "0.12.7"}


async def test_the_root_greets() -> None:
    async with served(quick_script()) as (_, client):
        assert (await client.get("/")).text == "Ollama is running"
        head = await client.head("/")
    assert (head.status_code, head.text) == (200, "")


async def test_a_model_can_be_shown_by_its_short_name() -> None:
    async with served(quick_script()) as (_, client):
        shown = (await client.post("/api/show", json={"model": "m"})).json()
        assert await error_of(client, "/api/show", {"model": "x"}) == (404, "model 'x:latest' not found")
        assert await error_of(client, "/api/show", {}) == (400, "model is required")
    assert shown["details"]["family"] == "llama"
    assert "FROM " in shown["modelfile"]


async def test_only_the_new_dialect_has_a_status() -> None:
    async with served(quick_script(cloud_disabled=True)) as (_, client):
        assert (await client.get("/api/status")).json()["cloud"]["disabled"] is True
    async with served(quick_script(dialect="0.11.4")) as (_, client):
        assert (await client.get("/api/status")).status_code == 404


async def test_unknown_paths_and_methods_are_told_apart() -> None:
    async with served(quick_script()) as (_, client):
        assert (await client.get("/api/nothing")).status_code == 404
        assert (await client.get("/api/chat")).status_code == 405


@pytest.mark.parametrize(
    ("body", "message"), [(b"", "missing request body"), (b"{", "Expecting"), (b"[]", "json: cannot")]
)
async def test_a_body_that_is_no_object_is_refused(body: bytes, message: str) -> None:
    async with served(quick_script()) as (_, client):
        response = await client.post("/api/chat", content=body)
    assert response.status_code == 400
    assert response.json()["error"].startswith(message)


async def test_a_deleted_model_is_gone() -> None:
    async with served(quick_script()) as (_, client):
        await client.request("DELETE", "/api/delete", json={"model": "m"})
        assert (await client.get("/api/tags")).json() == {"models": []}


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:11434", True),
        ("localhost:11434", True),
        ("[::1]:11434", True),
        ("box.local", True),
        ("192.168.1.5", True),
        ("", True),
        ("evil.example", False),
        ("8.8.8.8", False),
    ],
)
def test_names_of_other_machines_are_not_allowed_as_host(host: str, allowed: bool) -> None:
    assert is_allowed_host(host) is allowed


async def test_a_foreign_host_gets_an_empty_403() -> None:
    async with served(quick_script()) as (_, client):
        response = await client.get("/api/tags", headers={"Host": "evil.example"})
    assert (response.status_code, response.content) == (403, b"")


async def test_a_route_can_fail_for_some_requests() -> None:
    fault = RouteFault(path="/api/chat", status=503, message="server busy", skip=1, times=1)
    async with served(quick_script(faults=(fault,))) as (_, client):
        assert text_of(await lines_of(client, "/api/chat", chat()))
        assert await error_of(client, "/api/chat", chat()) == (503, "server busy")
        assert text_of(await lines_of(client, "/api/chat", chat()))


async def test_a_route_can_be_late() -> None:
    async with served(quick_script(faults=(RouteFault(path="/api/ps", delay_s=0.3),))) as (server, client):
        assert (await client.get("/api/ps")).json() == {"models": []}
        (record,) = server.log
    assert record.chunks[0].sent_ns - record.received_ns >= 0.3e9


async def test_a_server_can_accept_and_never_answer_but_for_its_control_path() -> None:
    async with served(quick_script(faults=(RouteFault(path="*", silent=True),))) as (server, client):
        for path in ("/", "/api/version", "/api/tags"):
            with pytest.raises(httpx.ReadTimeout):
                await client.get(path, timeout=0.2)
        assert (await client.get("/_sim/state")).status_code == 200
        await wait_until(lambda: all(record.disconnected_ns for record in server.log))
        assert [record.status for record in server.log] == [None] * 3


async def test_a_bad_change_is_refused_with_its_reason() -> None:
    async with served(quick_script()) as (_, client):
        status, message = await error_of(client, "/_sim/script", {"change": {"type": "explode"}})
        assert (status, "explode" in message) == (400, True)
        status, message = await error_of(client, "/_sim/script", {"change": {"type": "unload", "model": "x"}})
    assert (status, message) == (404, "model 'x' not found")


async def test_the_control_path_leaves_no_trace_in_the_log() -> None:
    async with served(quick_script(quick())) as (_, client):
        await client.get("/_sim/state")
        await client.get("/api/version")
        (record,) = (await client.get("/_sim/log")).json()
        assert (record["path"], record["number"]) == ("/api/version", 1)
        assert (await client.get("/_sim/log?since=1")).json() == []
        await client.delete("/_sim/log")
        assert (await client.get("/_sim/log")).json() == []
