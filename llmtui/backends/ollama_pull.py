"""Downloading a model through an Ollama server, with the ``ollama`` client."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, cast

import httpx

from llmtui.backends.base import BackendFailed, PullStep
from llmtui.backends.http_client import STREAM_TIMEOUT, is_loopback, public_address, transport_problem
from llmtui.backends.ollama_problems import pull_problem
from llmtui.core.codes import Start
from llmtui.core.facts import Problem

if TYPE_CHECKING:
    from ollama import ProgressResponse


async def pull_steps(url: httpx.URL, name: str, *, where: str, start: Start) -> AsyncGenerator[PullStep, None]:
    """Downloads a model and gives each step; the last one's status is ``success``.

    Sizes are sums over the layers named so far: layers come one after the other, mostly the largest first. Closing the
    generator ends the download; the server keeps what it has for the next try.

    Args:
        url: the server's.
        name: the model's.
        where: the server as a person knows it.
        start: how such a server is started.

    Raises:
        BackendFailed: ``not_in_library``, ``disk_full``, ``registry_unreachable``, ``pull_cut``, ``pull_failed``, …
    """
    # The import takes some tenths of a second, and the event loop must not stand still for it.
    await asyncio.to_thread(importlib.import_module, "ollama")
    import ollama

    sizes = _LayerSizes()
    status = ""
    try:
        async with AsyncExitStack() as stack:
            client = ollama.AsyncClient(
                host=public_address(url), timeout=STREAM_TIMEOUT, trust_env=not is_loopback(url)
            )
            if hasattr(client, "close"):  # clients before 0.6 have none
                stack.push_async_callback(client.close)
            stream = cast("AsyncGenerator[ProgressResponse, None]", await client.pull(name, stream=True))
            async for told in await stack.enter_async_context(aclosing(stream)):
                status = told.status or status
                yield sizes.step(told)
    except ollama.ResponseError as error:
        raise BackendFailed(pull_problem(str(error.error), name, where=where)) from error
    except (httpx.HTTPError, httpx.InvalidURL, ConnectionError) as error:
        raise BackendFailed(transport_problem(error, url, start)) from error
    except (ValueError, TypeError, AttributeError) as error:
        # What the client's own reader raises for lines that are not Ollama's.
        raise BackendFailed(Problem(code="bad_answer", args={"where": where}, detail=str(error))) from error
    if status != "success":
        raise BackendFailed(_ended_early(name, where))


class _LayerSizes:
    """Adds up the layers of one download."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[int, int]] = {}

    def step(self, told: ProgressResponse) -> PullStep:
        if told.digest:
            # ``completed`` is left out while it is 0.
            self._layers[told.digest] = (told.completed or 0, told.total or 0)
        if not self._layers:
            return PullStep(status=told.status or "")
        return PullStep(
            status=told.status or "",
            completed_bytes=sum(completed for completed, _ in self._layers.values()),
            total_bytes=sum(total for _, total in self._layers.values()),
        )


def _ended_early(name: str, where: str) -> Problem:
    return Problem(code="pull_cut", args={"where": where, "name": name})
