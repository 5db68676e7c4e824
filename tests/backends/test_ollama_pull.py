from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import pytest

from llmtui.backends.base import BackendFailed, PullStep
from llmtui.backends.ollama import OllamaBackend
from llmtui.core.records import Problem
from llmtui.words.problems import problem_remedy, problem_what
from tests.backends.ollama_served import problem_of, served, wait_until
from tests.backends.scripted_server import Peer, Received, Reply, line, scripted_server, stream, whole

LAYERS = (
    line(status="pulling manifest"),
    line(status="pulling aaaaaaaaaaaa", digest="sha256:aa", total=1000),
    line(status="pulling aaaaaaaaaaaa", digest="sha256:aa", total=1000, completed=600),
    line(status="pulling aaaaaaaaaaaa", digest="sha256:aa", total=1000, completed=1000),
    line(status="pulling bbbbbbbbbbbb", digest="sha256:bb", total=10, completed=4),
    line(status="verifying sha256 digest"),
    line(status="success"),
)


async def steps(backend: OllamaBackend) -> list[PullStep]:
    async with aclosing(backend.pull("tiny")) as given:
        return [step async for step in given]


async def failure(reply: Reply) -> Problem:
    async with served(pull=reply) as (_, backend):
        return await problem_of(steps(backend))


async def test_steps_add_up_the_layers_named_so_far() -> None:
    async with served(pull=stream(*LAYERS)) as (server, backend):
        given = await steps(backend)

    assert [(step.status, step.completed_bytes, step.total_bytes) for step in given] == [
        ("pulling manifest", None, None),
        ("pulling aaaaaaaaaaaa", 0, 1000),
        ("pulling aaaaaaaaaaaa", 600, 1000),
        ("pulling aaaaaaaaaaaa", 1000, 1000),
        ("pulling bbbbbbbbbbbb", 1004, 1010),
        ("verifying sha256 digest", 1004, 1010),
        ("success", 1004, 1010),
    ]
    assert server.asked("/api/pull")[0].body["model"] == "tiny"


async def test_proxy_settings_do_not_touch_a_server_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with served(pull=stream(*LAYERS)) as (_, backend):
        assert (await steps(backend))[-1].status == "success"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("pull model manifest: file does not exist", "not_in_library"),
        ("invalid model name", "not_in_library"),
        ("pull model manifest: 412: The model you are pulling requires a newer version of Ollama.", "server_too_old"),
        ("write /models/blobs/x: no space left on device", "disk_full"),
        ('Get "https://registry.example/v2": dial tcp: lookup registry.example: no such host', "registry_unreachable"),
        ("max retries exceeded: EOF", "pull_failed"),
    ],
)
@pytest.mark.parametrize("mid_way", [True, False])
async def test_failures_on_the_servers_side(said: str, code: str, mid_way: bool) -> None:
    reply = stream(LAYERS[0], line(error=said)) if mid_way else whole({"error": said}, 500)
    problem = await failure(reply)

    assert problem.code == code
    assert problem_remedy(problem)


@pytest.mark.parametrize(
    "reply",
    [
        stream(line(error={"code": 3})),
        stream(LAYERS[0], b"<html>\n"),
        stream(b"[]\n"),
        stream(LAYERS[0], b"\n"),
        stream(line(status="x", completed="much")),
        whole("<html>", 502, "text/html"),
        whole('"text"', 500),
        whole("", 404),
    ],
)
async def test_answers_that_no_ollama_gives_are_failures_in_words(reply: Reply) -> None:
    problem = await failure(reply)

    assert problem_what(problem)
    assert problem_remedy(problem)


async def test_a_download_that_ends_without_success_is_cut() -> None:
    assert (await failure(stream(*LAYERS[:3]))).code == "pull_cut"


async def test_a_lost_connection_is_cut() -> None:
    assert (await failure(stream(*LAYERS[:3], end=False))).code == "cut"


async def test_nothing_listens() -> None:
    async with scripted_server() as server:
        address = server.address
    problem = await problem_of(steps(OllamaBackend(address)))

    assert (problem.code, problem_what(problem)) == ("refused", f"Nothing listens at {address}.")


@pytest.mark.parametrize("by", ["closing", "cancelling"])
@pytest.mark.timed
async def test_the_server_learns_at_once_that_nobody_wants_the_model_any_more(by: str) -> None:
    gone_ns: list[int] = []

    async def reply(received: Received, peer: Peer) -> None:
        await peer.head()
        for step in LAYERS[:3]:
            await peer.chunk(step)
        gone_ns.append(await peer.gone())

    async with served(pull=reply) as (_, backend):
        pulling = backend.pull("tiny")
        for _ in range(3):
            await anext(pulling)
        if by == "cancelling":
            waiting = asyncio.ensure_future(anext(pulling))
            await asyncio.sleep(0.02)
            ended_ns = time.perf_counter_ns()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        else:
            ended_ns = time.perf_counter_ns()
            await pulling.aclose()
        await wait_until(lambda: gone_ns)

    assert gone_ns[0] - ended_ns < 100_000_000


@pytest.mark.parametrize("proxy", ["socks://127.0.0.1:1", "http://127.0.0.1:1", "nonsense"])
async def test_a_proxy_that_cannot_be_used_does_not_touch_a_server_on_this_machine(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("ALL_PROXY", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, proxy)
    async with served(pull=stream(*LAYERS)) as (_, backend):
        assert (await steps(backend))[-1].status == "success"


@pytest.mark.parametrize("odd", [{"total": "10"}, {"completed": -1}, {"digest": 5}, {"status": None}])
async def test_an_odd_value_in_a_step_costs_that_value(odd: dict[str, object]) -> None:
    step = line(**({"status": "pulling", "digest": "sha256:aa", "total": 10} | odd))
    async with served(pull=stream(step, LAYERS[-1])) as (_, backend):
        assert (await steps(backend))[-1].status == "success"


async def test_failing_says_nothing_of_the_libraries_below() -> None:
    async with served(pull=stream(b"no json\n")) as (_, backend):
        with pytest.raises(BackendFailed) as failed:
            await steps(backend)

    assert "Traceback" not in problem_what(failed.value.problem)
