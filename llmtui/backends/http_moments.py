"""Events of a streamed HTTP exchange, each with its time by ``time.perf_counter_ns()``."""

from __future__ import annotations

import httpx
import msgspec


class RequestStarted(msgspec.Struct, frozen=True):
    """Event: writing of the request's headers to an open connection begins."""

    t_ns: int


class HeadersReceived(msgspec.Struct, frozen=True):
    """Event: status and headers have arrived."""

    t_ns: int
    status: int
    headers: httpx.Headers


class BodyReceived(msgspec.Struct, frozen=True):
    """Event: bytes of the body have arrived; ``data`` is never empty."""

    t_ns: int
    data: bytes


ExchangeEvent = RequestStarted | HeadersReceived | BodyReceived
