"""One streamed HTTP exchange as events, with times taken as close to the socket as possible.

Plain connections are made by ``http_direct`` and read by a thread. Encrypted ones, and those through a proxy, use the
HTTP library. For these, a separate task does nothing but read and record times, so that a busy consumer does not delay
it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

import httpx

from llmtui.backends.http_client import proxy_for
from llmtui.backends.http_direct import FIRST_LIMIT_S, direct_exchange
from llmtui.backends.http_moments import BodyReceived, ExchangeEvent, HeadersReceived, RequestStarted
from llmtui.backends.http_stamping import read_ns

__all__ = ["BodyReceived", "ExchangeEvent", "HeadersReceived", "RequestStarted", "timed_exchange"]


def timed_exchange(
    client: httpx.AsyncClient, request: httpx.Request, *, first: httpx.Request | None = None, last: bytes = b""
) -> AsyncGenerator[ExchangeEvent, None]:
    """Send the request and yield one RequestStarted, one HeadersReceived, and any number of BodyReceived.

    Times are ``time.perf_counter_ns()``. RequestStarted is the moment after the connection is open and before the
    headers are written. The body is yielded as sent, whatever the status; the caller has to request ``Accept-Encoding:
    identity``. To close the connection at any time, close the generator or cancel the task that awaits it.

    Args:
        client: the client that built the request.
        request: the request to time.
        first: a small request sent earlier, so that a connection is open and accepted by the server. Its response is
            ignored.
        last: bytes that occur in the last chunk of an answer and hardly anywhere else. Chunks may be delivered up to
            0.1 s after their arrival, with the time of the arrival; a chunk with these bytes is not delayed.

    Raises:
        httpx.HTTPError: the exchange failed; everything that arrived before has been yielded.
    """
    # The library handles a user name and password in the URL.
    plain = request.url.scheme == "http" and not request.url.userinfo and proxy_for(request.url) is None
    return direct_exchange(request, first, last) if plain else _library_exchange(client, request, first)


async def _library_exchange(
    client: httpx.AsyncClient, request: httpx.Request, first: httpx.Request | None = None
) -> AsyncGenerator[ExchangeEvent, None]:
    """Yield the events of an exchange through the HTTP library. Its trace reports when sending starts."""
    if first is not None:
        with suppress(TimeoutError, httpx.ReadTimeout):
            async with asyncio.timeout(FIRST_LIMIT_S):
                await client.send(first)
    moments: asyncio.Queue[ExchangeEvent | None] = asyncio.Queue()
    request.extensions["trace"] = _departure_trace(moments.put_nowait)
    task = asyncio.create_task(_carry_out(client, request, moments.put_nowait))
    task.add_done_callback(lambda _: moments.put_nowait(None))
    try:
        while (moment := await moments.get()) is not None:
            yield moment
        await task
    finally:
        await _end(task)


def _departure_trace(put: Callable[[ExchangeEvent], None]) -> Callable[[str, dict[str, Any]], Any]:
    async def trace(event: str, info: dict[str, Any]) -> None:
        # A tunnel through a proxy is opened by a separate CONNECT, under the same trace.
        if event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
            put(RequestStarted(time.perf_counter_ns()))

    return trace


async def _carry_out(client: httpx.AsyncClient, request: httpx.Request, put: Callable[[ExchangeEvent], None]) -> None:
    response = await client.send(request, stream=True)
    try:
        put(HeadersReceived(read_ns(response), response.status_code, response.headers))
        async for data in response.aiter_raw():
            if data:
                put(BodyReceived(read_ns(response), data))
    finally:
        await response.aclose()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # retrieved, so that asyncio does not report it as never retrieved
