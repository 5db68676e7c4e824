"""Clocks, and waiting for absolute deadlines with an error of a few tens of microseconds."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

_COARSE_MARGIN_NS = 2_000_000
"""Last part of a wait, for which a finer sleep is used: the event loop's timers round up to a millisecond."""


class Stamp(NamedTuple):
    """One moment on both monotonic clocks. On Linux these are the same clock, comparable between processes.

    Attributes:
        perf_ns: `time.perf_counter_ns()`.
        monotonic_ns: `time.monotonic_ns()`, read right after `perf_ns`.
    """

    perf_ns: int
    monotonic_ns: int


def stamp() -> Stamp:
    """Return the current time on both monotonic clocks."""
    return Stamp(time.perf_counter_ns(), time.monotonic_ns())


def now_ns() -> int:
    """Return `time.perf_counter_ns()`, the clock of all deadlines and durations in the simulator."""
    return time.perf_counter_ns()


def rfc3339_nano(wall_ns: int) -> str:
    """Return a time in Go's notation, in UTC: up to nine decimals, without trailing zeros.

    Args:
        wall_ns: nanoseconds since 1970, as from `time.time_ns()`.
    """
    seconds, nanoseconds = divmod(wall_ns, 1_000_000_000)
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    if nanoseconds:
        text += f".{nanoseconds:09d}".rstrip("0")
    return text + "Z"


class Waiter:
    """Waits for deadlines inside an event loop.

    Args:
        blocking: block the thread for the last two milliseconds of a wait, which is exact to about 0.1 ms; only for a
            loop that serves nothing else. If False, the loop's own timers are used, which are late by up to 1 ms.
    """

    def __init__(self, *, blocking: bool) -> None:
        self._blocking = blocking

    async def until(self, deadline_ns: int) -> None:
        """Return at `deadline_ns` on the clock of `now_ns`; for a deadline in the past, yield to the loop once."""
        coarse_ns = deadline_ns - now_ns() - (_COARSE_MARGIN_NS if self._blocking else 0)
        await asyncio.sleep(max(0, coarse_ns) / 1e9)
        remaining_ns = deadline_ns - now_ns()
        if self._blocking and remaining_ns > 0:
            time.sleep(remaining_ns / 1e9)  # noqa: ASYNC251 - at most two milliseconds, and finer than the loop's timers
