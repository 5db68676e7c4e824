"""A thread that reads one socket and records when each chunk arrived.

A timestamp taken in a process is late: the process waits for a core, its event loop for its turn, and its thread for
the interpreter lock. On a busy machine these waits take milliseconds, which would be counted as the server's time. So
on Linux the system's own timestamp is used, taken when the bytes reached the socket (SO_TIMESTAMPING). On other
systems, the thread reads the clock right after the bytes. If several chunks were waiting together, all get the
timestamp of the last.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

READ_BYTES: Final = 1 << 16
WAKE_PERIOD_S: Final = 0.1
"""Interval in seconds at which the event loop is woken while chunks keep arriving.

For the first chunk after a pause, and for the last one, the loop is woken at once.
"""

_SO_TIMESTAMPING: Final = 37
_RX_SOFTWARE: Final = 1 << 3
_SOFTWARE: Final = 1 << 4
_TIME: Final = struct.Struct("@ll")
_ANCILLARY_BYTES: Final = 256
_OLDEST_NS: Final = 1_000_000_000
_READ_TOGETHER_NS: Final = 50_000
"""Two clocks are compared only if they were read within this many nanoseconds of each other."""


class StampedBytes(NamedTuple):
    """Bytes and the time (``time.perf_counter_ns``) of their arrival. Empty bytes mean the end of the stream."""

    t_ns: int
    data: bytes


class SocketReader:
    """Reads a connected, blocking socket to its end in a separate thread, and closes it.

    All methods must be called in the event loop in which the reader was created.
    """

    def __init__(self, connection: socket.socket, *, last: bytes = b"") -> None:
        """Start to read. From now on the reader owns the socket.

        Args:
            connection: the socket.
            last: bytes by which the last chunk of an answer is recognised; empty if there are none.
        """
        self._connection = connection
        self._last = last
        self._loop = asyncio.get_running_loop()
        self._came: deque[StampedBytes] = deque()
        self._failure: OSError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._telling = True
        """Whether the thread may wake the loop."""
        self._over = False
        threading.Thread(target=self._read, name="reader", daemon=True).start()

    async def next(self) -> StampedBytes:
        """Return the next bytes that arrived; wait if there are none yet.

        Raises:
            OSError: the connection broke.
        """
        while not self._came:
            if self._failure is not None:
                raise self._failure
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._came.popleft()

    def close(self) -> None:
        """Shut the connection down; the thread then closes the socket."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    # --- the thread -----------------------------------------------------------------------------------------------

    def _read(self) -> None:
        with self._connection:
            try:
                while self._read_once():
                    pass
            except OSError as error:
                self._failure = error
                self._tell()

    def _read_once(self) -> bool:
        if sys.platform == "linux":
            data, ancillary, _flags, _address = self._connection.recvmsg(READ_BYTES, _ANCILLARY_BYTES)
            at_ns = moment_ns(ancillary)
        else:
            data = self._connection.recv(READ_BYTES)
            at_ns = time.perf_counter_ns()
        self._came.append(StampedBytes(at_ns, data))
        self._over = self._over or not data or bool(self._last and self._last in data)
        if self._telling or self._over:
            self._telling = False
            self._tell()
        return bool(data)

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the loop is closed, so nothing waits for data
            self._loop.call_soon_threadsafe(self._wake)

    # --- the loop -------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._loop.call_later(WAKE_PERIOD_S, self._tell_again)

    def _tell_again(self) -> None:
        # The flag is set first, so that bytes that arrive in between are not missed.
        self._telling = True
        if self._came:
            self._telling = False
            self._wake()


def ask_for_stamps(connection: socket.socket) -> None:
    """Ask the system to timestamp arriving bytes, if it can. Call this before anything is sent."""
    if sys.platform == "linux":
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _RX_SOFTWARE | _SOFTWARE)


def moment_ns(ancillary: Sequence[tuple[int, int, bytes]]) -> int:
    """Return when the last of the bytes just read reached the socket, on the clock of ``time.perf_counter_ns``.

    Args:
        ancillary: ancillary data of the read. If it has no timestamp, the current time is returned.
    """
    now_ns = time.perf_counter_ns()
    wall_ns = time.time_ns()
    together = time.perf_counter_ns() - now_ns <= _READ_TOGETHER_NS
    for level, kind, data in ancillary:
        if together and (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPING) and len(data) >= _TIME.size:
            seconds, nanoseconds = _TIME.unpack_from(data)
            age_ns: int = wall_ns - (seconds * 1_000_000_000 + nanoseconds)
            # An age outside of this range means that the clock was set in between.
            if 0 <= age_ns <= _OLDEST_NS:
                return now_ns - age_ns
    return now_ns
