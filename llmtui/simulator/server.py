"""The simulated server: its connections, and the server itself as a context manager in a thread or an event loop."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections import deque
from types import TracebackType
from typing import Self

from msgspec import Struct

from llmtui.simulator.api import CONTROL_PREFIX, serve_api
from llmtui.simulator.changes import Planned, ScriptedChange
from llmtui.simulator.clock import Stamp, Waiter, now_ns, stamp
from llmtui.simulator.exchange import Exchange, WrittenAt
from llmtui.simulator.http1 import HttpError, Request, RequestParser, response_head
from llmtui.simulator.jsontext import go_json
from llmtui.simulator.script import Script
from llmtui.simulator.sendlog import SendLog, SentRequest
from llmtui.simulator.simulation import Simulation

SKEW_VARIABLE = "LLMTUI_SIM_SKEW_MS"
"""Environment variable: milliseconds added to the logged send times. A test thereby proves that it notices errors."""

LOOPBACK = "127.0.0.1"


class _Waiting(Struct, frozen=True):
    request: Request
    received: Stamp


class ClientConnection(asyncio.Protocol):
    """One client connection, whose requests are served one after the other.

    Args:
        server: the server.
        number: number of the connection, from 1.
    """

    def __init__(self, server: SimulatorListener, number: int) -> None:
        self._server = server
        self._number = number
        self._parser = RequestParser()
        self._received = stamp()
        self._waiting: deque[_Waiting] = deque()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._exchange: Exchange | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set up a new connection so that written data goes to the kernel at once."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=0)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Note the time, parse the data, and serve the requests that are now complete."""
        received = stamp()
        if self._parser.idle:
            self._received = received
        try:
            requests = self._parser.feed(data)
        except HttpError as error:
            self._refuse(error)
            return
        self._waiting.extend(_Waiting(request, self._received) for request in requests)
        self._received = received
        if self._waiting and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve())

    def eof_received(self) -> bool:
        """Cancel the client's request, as the real server does when the client closes the connection."""
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the client's request, and forget the connection."""
        self._leave()
        self._server.connections.discard(self)

    def pause_writing(self) -> None:
        """Pause sending, because the kernel accepts no more data for now."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Continue sending, because the kernel has accepted all data written so far."""
        self._writable.set()

    async def send(self, data: bytes) -> WrittenAt:
        """Pass all data to the kernel, waiting while a slow client leaves no room; return the times of the write."""
        assert self._transport is not None
        await self._writable.wait()
        handed_ns = now_ns()
        self._transport.write(data)
        sent = stamp()
        if self._transport.get_write_buffer_size():
            await self._writable.wait()
            sent = stamp()
        return WrittenAt(handed_ns, sent)

    def close(self) -> None:
        """Close the connection after sending the data written so far."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection at once, and cancel its request."""
        if self._transport is not None:
            self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    def _leave(self) -> None:
        noticed_ns = now_ns()
        self._waiting.clear()
        self._writable.set()
        if self._exchange is not None and self._exchange.record.disconnected_ns is None:
            self._exchange.record.disconnected_ns = noticed_ns
        if self._task is not None:
            self._task.cancel()

    def _refuse(self, error: HttpError) -> None:
        assert self._transport is not None
        body = go_json({"error": str(error)})
        head = response_head(error.status, {"Content-Length": str(len(body)), "Connection": "close"})
        self._transport.write(head + body)
        self._transport.close()

    async def _serve(self) -> None:
        try:
            while self._waiting:
                waiting = self._waiting.popleft()
                if not await self._serve_one(waiting):
                    self.close()
                    return
        except BaseException:
            self.close()
            raise
        finally:
            self._task = None

    async def _serve_one(self, waiting: _Waiting) -> bool:
        request = waiting.request
        record = self._server.log.open(
            connection=self._number,
            method=request.method,
            path=request.path,
            received=waiting.received,
            listed=not request.path.startswith(CONTROL_PREFIX),
        )
        exchange = self._exchange = Exchange(request, record, self)
        try:
            await serve_api(self._server.simulation, exchange)
        finally:
            record.finished_ns = now_ns()
            self._exchange = None
        return exchange.keep_alive


class SimulatorListener:
    """A simulated server in a running event loop.

    Args:
        script: the server's script.
        port: port to listen on; 0 = any free one.
        blocking_waits: whether waits may block the thread (see `Waiter`); only for a loop that serves nothing else.
    """

    def __init__(self, script: Script, *, port: int = 0, blocking_waits: bool) -> None:
        self.log = SendLog(_skew_ns())
        self.simulation = Simulation(script, self.log, Waiter(blocking=blocking_waits))
        self.connections: set[ClientConnection] = set()
        self.port = port
        self._count = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on loopback, with the preloaded models in memory.

        Raises:
            OSError: the port is in use.
            ApiError: the script names a model that it does not have.
        """
        await self.simulation.begin()
        self._server = await asyncio.get_running_loop().create_server(self._accept, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the port, every connection and every stand-in process."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.abort()
        await self.simulation.close()
        await asyncio.sleep(0)

    def _accept(self) -> ClientConnection:
        self._count += 1
        return ClientConnection(self, self._count)


class SimulatedServer:
    """A simulated server inside this process: `with` runs it in a thread, `async with` in the running loop.

    Use `running_simulator` if times must be exact: a separate process is not slowed by this process's interpreter lock.

    Args:
        script: the server's script.
        port: port to listen on; 0 = any free one.
    """

    def __init__(self, script: Script, *, port: int = 0) -> None:
        self._script = script
        self._port = port
        self._listener: SimulatorListener | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address of the running server, such as `http://127.0.0.1:40123`."""
        return f"http://{LOOPBACK}:{self._running().port}"

    @property
    def log(self) -> tuple[SentRequest, ...]:
        """Return all requests so far, including those in progress."""
        return self._running().log.records()

    async def change(self, change: ScriptedChange | Planned) -> None:
        """Apply or plan a change. Only for `async with`; under `with`, use the control path.

        Raises:
            ApiError: the change names a model that does not exist.
        """
        planned = change if isinstance(change, Planned) else Planned(change=change)
        await self._running().simulation.plan(planned)

    async def __aenter__(self) -> Self:
        listener = SimulatorListener(self._script, port=self._port, blocking_waits=False)
        await listener.start()
        self._listener = listener
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running().stop()

    def __enter__(self) -> Self:
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="simulated server", daemon=True)
        self._thread.start()
        listener = SimulatorListener(self._script, port=self._port, blocking_waits=True)
        try:
            asyncio.run_coroutine_threadsafe(listener.start(), loop).result()
        except BaseException:
            self._end_thread()
            raise
        self._listener = listener
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._running().stop(), self._loop).result()
        self._end_thread()

    def _end_thread(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _running(self) -> SimulatorListener:
        if self._listener is None:
            raise RuntimeError("the simulated server is not running: use it in a with statement")
        return self._listener


def _skew_ns() -> int:
    text = os.environ.get(SKEW_VARIABLE, "0")
    try:
        return round(float(text) * 1e6)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{SKEW_VARIABLE} must be a number of milliseconds, not {text!r}") from error
