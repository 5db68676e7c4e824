"""One streamed HTTP exchange with the moments at which things happened, stamped as close to the socket as can be.

A task of its own does nothing but read and stamp, so that a consumer that is busy elsewhere does not move a stamp.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import msgspec

from llmtui.backends.http_stamping import read_ns


class Departed(msgspec.Struct, frozen=True):
    """The library starts to write the request's headers to an open connection."""

    t_ns: int


class Answered(msgspec.Struct, frozen=True):
    """Status and headers are there."""

    t_ns: int
    status: int
    headers: httpx.Headers


class Arrived(msgspec.Struct, frozen=True):
    """Bytes of the body, as they came out of the connection; never empty."""

    t_ns: int
    data: bytes


Moment = Departed | Answered | Arrived


async def timed_exchange(client: httpx.AsyncClient, request: httpx.Request) -> AsyncGenerator[Moment, None]:
    """Sends the request and gives what happens: one Departed, one Answered, any number of Arrived.

    Stamps are ``time.perf_counter_ns()``. Departed is the trace event that httpcore fires after the connection is open
    and before it writes the headers; it is fired for new and for reused connections alike. The body comes as sent
    (``Accept-Encoding: identity`` is the caller's to ask for), whatever the status.

    Closing the generator, or cancelling the task that awaits it, closes the connection, also before there is an answer.

    Raises:
        httpx.HTTPError: as the library does, after all that arrived before has been given.
    """
    moments: asyncio.Queue[Moment | None] = asyncio.Queue()
    request.extensions["trace"] = _departure_trace(moments.put_nowait)
    task = asyncio.create_task(_carry_out(client, request, moments.put_nowait))
    task.add_done_callback(lambda _: moments.put_nowait(None))
    try:
        while (moment := await moments.get()) is not None:
            yield moment
        await task
    finally:
        await _end(task)


def _departure_trace(put: Callable[[Moment], None]) -> Callable[[str, dict[str, Any]], Any]:
    async def trace(event: str, info: dict[str, Any]) -> None:
        # A tunnel through a proxy is asked for with a CONNECT of its own, under the same trace.
        if event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
            put(Departed(time.perf_counter_ns()))

    return trace


async def _carry_out(client: httpx.AsyncClient, request: httpx.Request, put: Callable[[Moment], None]) -> None:
    response = await client.send(request, stream=True)
    try:
        put(Answered(read_ns(response), response.status_code, response.headers))
        async for data in response.aiter_raw():
            if data:
                put(Arrived(read_ns(response), data))
    finally:
        await response.aclose()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # looked at, so that asyncio does not report it as forgotten
