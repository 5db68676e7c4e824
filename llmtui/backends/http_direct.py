"""A streamed HTTP/1.1 exchange over a separate connection, without proxy and encryption.

httpx takes a third of a millisecond of CPU time per chunk; this module takes a fraction of that. h11 parses the
protocol in both cases.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import h11
import httpx

from llmtui.backends.http_head import HeadMender
from llmtui.backends.http_moments import BodyReceived, ExchangeEvent, HeadersReceived, RequestStarted
from llmtui.backends.http_reader import SocketReader, ask_for_stamps

_HTTP_PORT: Final = 80
FIRST_LIMIT_S: Final = 2.0
_FIRST_BYTES: Final = 4096
_NO_ANSWER: Final = "Server disconnected without sending a response."


async def direct_exchange(
    request: httpx.Request, first: httpx.Request | None = None, last: bytes = b""
) -> AsyncGenerator[ExchangeEvent, None]:
    """Send the request and yield one RequestStarted, one HeadersReceived, and any number of BodyReceived.

    The connection is always closed at the end.

    Args:
        request: request to an ``http`` URL, with its whole body in memory.
        first: a small request sent earlier on the same connection, to make sure that the server has accepted the
            connection. Its response is ignored.
        last: bytes that occur in the last chunk of an answer and hardly anywhere else. A chunk with them is delivered
            without delay.

    Raises:
        httpx.HTTPError: the exchange failed; everything that arrived before has been yielded.
    """
    limits = request.extensions.get("timeout", {})
    connection, protocol = await _taken_up(request, first, limits.get("connect"))
    try:
        departed_ns = time.perf_counter_ns()
        await _send(connection, protocol, request, limits.get("write"))
    except BaseException:
        connection.close()
        raise
    connection.setblocking(True)
    reader = SocketReader(connection, last=last)
    try:
        yield RequestStarted(departed_ns)
        async with aclosing(_moments(reader, protocol, limits.get("read"))) as moments:
            async for moment in moments:
                yield moment
    except TimeoutError as error:
        raise httpx.ReadTimeout("nothing came", request=request) from error
    except OSError as error:
        raise httpx.ReadError(str(error), request=request) from error
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
    finally:
        reader.close()


async def _taken_up(
    request: httpx.Request, first: httpx.Request | None, limit_s: float | None
) -> tuple[socket.socket, h11.Connection]:
    """Return an open connection.

    If there is a request ``first``, it is sent and its response is read, so that the server has accepted the
    connection.
    """
    connection, protocol = await _connected(request, limit_s), h11.Connection(h11.CLIENT)
    if first is None:
        return connection, protocol
    try:
        async with asyncio.timeout(FIRST_LIMIT_S):
            await _send(connection, protocol, first, None)
            await _answer(connection, protocol)
        protocol.start_next_cycle()
    except (OSError, httpx.WriteError, h11.ProtocolError):
        # The server is too busy to answer it in time, or closes a connection after one answer.
        connection.close()
        return await _connected(request, limit_s), h11.Connection(h11.CLIENT)
    except BaseException:
        connection.close()
        raise
    return connection, protocol


async def _answer(connection: socket.socket, protocol: h11.Connection) -> None:
    loop = asyncio.get_running_loop()
    head = HeadMender()
    while not isinstance(event := protocol.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            data = await loop.sock_recv(connection, _FIRST_BYTES)
            fit = head.feed(data)
            if fit or not data:
                protocol.receive_data(fit)
        elif isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError(_NO_ANSWER)


async def _connected(request: httpx.Request, limit_s: float | None) -> socket.socket:
    """Return a non-blocking connection to the first of the host's addresses that accepts one."""
    loop = asyncio.get_running_loop()
    host, port = request.url.host, request.url.port or _HTTP_PORT
    failure: OSError | None = None
    try:
        async with asyncio.timeout(limit_s):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            for left, (family, kind, number, _name, address) in zip(range(len(found), 0, -1), found, strict=True):
                try:
                    # An address that drops all packets must not use up all the time.
                    async with asyncio.timeout(None if limit_s is None else limit_s / left):
                        return await _opened(socket.socket(family, kind, number), address)
                except TimeoutError:
                    continue
                except OSError as error:
                    failure = error
    except TimeoutError:
        failure = None
    except OSError as error:
        raise httpx.ConnectError(str(error), request=request) from error
    if failure is None:
        raise httpx.ConnectTimeout(f"no connection to {host} within {limit_s:g} s", request=request)
    raise httpx.ConnectError(str(failure), request=request) from failure


async def _opened(connection: socket.socket, address: object) -> socket.socket:
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, address)  # type: ignore[arg-type]  # as getaddrinfo has it
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ask_for_stamps(connection)
    except BaseException:
        connection.close()
        raise
    return connection


async def _send(
    connection: socket.socket, protocol: h11.Connection, request: httpx.Request, limit_s: float | None
) -> None:
    head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
    data = (protocol.send(head) or b"") + (protocol.send(h11.Data(request.content)) or b"")
    protocol.send(h11.EndOfMessage())
    try:
        async with asyncio.timeout(limit_s):
            await asyncio.get_running_loop().sock_sendall(connection, data)
    except TimeoutError as error:
        raise httpx.WriteTimeout("the request was not taken", request=request) from error
    except OSError as error:
        raise httpx.WriteError(str(error), request=request) from error


async def _moments(
    reader: SocketReader, protocol: h11.Connection, limit_s: float | None
) -> AsyncGenerator[HeadersReceived | BodyReceived, None]:
    t_ns = 0
    head = HeadMender()
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            t_ns, data = await (reader.next() if limit_s is None else asyncio.wait_for(reader.next(), limit_s))
            if not data and protocol.their_state is h11.SEND_RESPONSE:
                raise h11.RemoteProtocolError(_NO_ANSWER)
            fit = head.feed(data)
            if fit or not data:
                protocol.receive_data(fit)
        elif isinstance(event, h11.Response):
            yield HeadersReceived(t_ns, event.status_code, httpx.Headers(list(event.headers.raw_items())))
        elif isinstance(event, h11.Data):
            yield BodyReceived(t_ns, bytes(event.data))
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
            return
