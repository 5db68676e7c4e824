"""Downloads through an Ollama server: /api/pull, which sends one JSON line per step."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable

import httpx
import msgspec

from llmtui.backends.base import BackendFailed, PullStep, RequestRefused
from llmtui.backends.http_client import STREAM_TIMEOUT, transport_problem
from llmtui.backends.lenient import NotJson, document, fitted
from llmtui.backends.ollama_problems import error_text, pull_problem
from llmtui.core.codes import Start
from llmtui.core.records import Problem


class _PullLine(msgspec.Struct, frozen=True):
    """One line of the response. The server omits ``completed`` while it is 0."""

    status: str = ""
    digest: str | None = None
    total: int = 0
    completed: int = 0


async def pull_steps(
    client: httpx.AsyncClient,
    name: str,
    *,
    where: str,
    start: Start,
    judged: Callable[[httpx.Response, str, str], RequestRefused],
) -> AsyncGenerator[PullStep, None]:
    """Download a model and yield each step. The status of the last one is ``success``.

    Sizes are sums over the layers named so far: layers are downloaded one after the other, usually the largest first.
    Closing the generator ends the download; the server keeps the downloaded part for the next attempt.

    Args:
        client: client for the server.
        name: the model's name.
        where: the server's address for messages.
        start: code of the hint on how to start the server.
        judged: returns the exception for an error response without an error text, given the response, the path and the
            model's name.

    Raises:
        BackendFailed: ``not_in_library``, ``disk_full``, ``registry_unreachable``, ``pull_cut``, ``pull_failed``, …
    """
    sizes = _LayerSizes()
    status = ""
    try:
        body = {"model": name, "stream": True}
        async with client.stream("POST", "/api/pull", json=body, timeout=STREAM_TIMEOUT) as response:
            if response.status_code != httpx.codes.OK:
                said = error_text(await response.aread())
                if said is None:
                    raise judged(response, "/api/pull", name)
                raise BackendFailed(pull_problem(said, name, where=where))
            async for told in _lines(response, name, where):
                status = told.status or status
                yield sizes.step(told)
    except httpx.HTTPError as error:
        raise BackendFailed(transport_problem(error, client.base_url, start)) from error
    if status != "success":
        raise BackendFailed(Problem(code="pull_cut", args={"where": where, "name": name}))


async def _lines(response: httpx.Response, name: str, where: str) -> AsyncIterator[_PullLine]:
    async for line in response.aiter_lines():
        if not line.strip():
            continue
        data = line.encode()
        said = error_text(data)
        if said is not None:
            raise BackendFailed(pull_problem(said, name, where=where))
        try:
            told = fitted(document(data), _PullLine)
        except NotJson:
            told = None
        if told is None:
            raise BackendFailed(Problem(code="bad_answer", args={"where": where}, detail=line[:80]))
        yield told


class _LayerSizes:
    """Adds up the sizes of the layers of one download."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}

    def step(self, told: _PullLine) -> PullStep:
        if told.digest:
            self._layers[told.digest] = (told.completed, told.total)
        if not self._layers:
            return PullStep(status=told.status)
        return PullStep(
            status=told.status,
            completed_bytes=sum(completed for completed, _ in self._layers.values()),
            total_bytes=sum(total for _, total in self._layers.values()),
        )
