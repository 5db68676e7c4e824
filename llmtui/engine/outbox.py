"""The output of events. The reader may be slow, stopped or gone; the engine never waits for it.

Session events and replies wait as long as necessary. Live events (text, machine readings) are dropped while the pipe is
full, and one ``Gap`` event reports how many. A separate thread writes, so that only that thread can block.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Literal

from llmtui.core.events import Gap, encode

Stream = Literal["facts", "chunks", "samples"]

LIVE_LIMIT_BYTES: Final = 64 * 1024
"""Largest number of live bytes in the queue. Above it, the reader counts as slow. The pipe itself can hold the same
amount.
"""
_WRITE_BYTES: Final = 64 * 1024


class Outbox:
    """Writes lines to a descriptor, in order, without ever blocking the caller."""

    def __init__(self, fd: int, *, write: Callable[[int, memoryview], int] = os.write) -> None:
        """Start the writing thread.

        Args:
            fd: descriptor to write to, blocking or not; the outbox does not close it.
            write: the system call, replaceable for tests.
        """
        self._fd = fd
        self._write = write
        self._changed = threading.Condition()
        self._waiting: deque[tuple[bytes, bool]] = deque()
        self._live_bytes = 0
        self._slow = False
        self._lost_chunks = 0
        self._lost_samples = 0
        self._writing = False
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, line: bytes, stream: Stream = "facts") -> None:
        r"""Queue one encoded event with its ``\n``.

        Args:
            line: the event.
            stream: ``facts`` are never dropped; ``chunks`` and ``samples`` are dropped while the reader is slow.
        """
        with self._changed:
            if self._broken:
                return
            if stream == "facts":
                self._waiting.append((line, False))
            elif self._has_room(len(line)):
                self._waiting.append((line, True))
                self._live_bytes += len(line)
            elif stream == "chunks":
                self._lost_chunks += 1
            else:
                self._lost_samples += 1
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written or the reader is gone.

        Args:
            timeout_s: longest time to wait, in seconds.

        Returns:
            False if the time was not enough.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while (self._waiting or self._writing) and not self._broken:
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(left_s)
            return True

    @property
    def broken(self) -> bool:
        """Whether the reader is gone. Nothing more is queued then."""
        with self._changed:
            return self._broken

    @property
    def waiting_live_bytes(self) -> int:
        """Number of live bytes not written yet; never much above ``LIVE_LIMIT_BYTES``."""
        with self._changed:
            return self._live_bytes

    def _has_room(self, size: int) -> bool:
        """Return whether a live line may be queued.

        Once a line was dropped, no line is queued until the queue is empty, so that there is one ``Gap`` per slow
        period.
        """
        if not self._slow and self._live_bytes + size > LIVE_LIMIT_BYTES:
            self._slow = True
        return not self._slow

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                data, live_bytes = self._take()
                self._writing = True
            intact = self._write_all(data)
            with self._changed:
                self._writing = False
                self._live_bytes -= live_bytes
                if not intact:
                    self._broken = True
                    self._waiting.clear()
                elif self._slow and self._live_bytes == 0:
                    self._resume()
                self._changed.notify_all()
            if not intact:
                return

    def _take(self) -> tuple[bytes, int]:
        """Return the next lines for one write, and the number of live bytes in them."""
        lines = []
        size = live_bytes = 0
        while self._waiting and size < _WRITE_BYTES:
            line, live = self._waiting.popleft()
            lines.append(line)
            size += len(line)
            live_bytes += len(line) if live else 0
        return b"".join(lines), live_bytes

    def _resume(self) -> None:
        gap = Gap(chunks=self._lost_chunks, samples=self._lost_samples)
        self._waiting.append((encode(gap), False))
        self._slow = False
        self._lost_chunks = self._lost_samples = 0

    def _write_all(self, data: bytes) -> bool:
        view = memoryview(data)
        while view:
            try:
                view = view[self._write(self._fd, view) :]
            except BlockingIOError:
                time.sleep(0.005)  # the descriptor was made non-blocking from outside
            except OSError:
                return False
        return True
