"""One streamed HTTP exchange with the moments at which things happened, stamped as close to the socket as can be.

Plain connections to a server are our own and read by a thread (see ``http_direct``). Encrypted ones, and those through
a proxy, are the library's; a task of its own does nothing but read and stamp, so that a consumer that is busy elsewhere
does not move a stamp.
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
    """Sends the request and gives what happens: one Departed, one Answered, any number of Arrived.

    Stamps are ``time.perf_counter_ns()``. Departed is the moment after the connection is open and before the headers
    are written. The body comes as sent (``Accept-Encoding: identity`` is the caller's to ask for), whatever the status.

    Closing the generator, or cancelling the task that awaits it, closes the connection, also before there is an answer.

    Args:
        client: what the request was built with.
        request: what is timed.
        first: a small request that goes before it, so that a connection is open and taken up by the server; what
            becomes of it does not matter.
        last: stands in the last chunk of the answer and, but for chance, in no other. Chunks may be given up to a tenth
            of a second after they came, with the stamp of their coming; this one is not.

    Raises:
        httpx.HTTPError: as the library does, after all that arrived before has been given.
    """
    # A name and password in the URL are the library's to send.
    plain = request.url.scheme == "http" and not request.url.userinfo and proxy_for(request.url) is None
    return direct_exchange(request, first, last) if plain else _library_exchange(client, request, first)


async def _library_exchange(
    client: httpx.AsyncClient, request: httpx.Request, first: httpx.Request | None = None
) -> AsyncGenerator[ExchangeEvent, None]:
    """Departed is the trace event that httpcore fires for new and for reused connections alike."""
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
        # A tunnel through a proxy is asked for with a CONNECT of its own, under the same trace.
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
        task.exception()  # looked at, so that asyncio does not report it as forgotten
