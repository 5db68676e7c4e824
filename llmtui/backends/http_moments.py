"""What happens in a streamed HTTP exchange, each with its moment on ``time.perf_counter_ns()``."""

from __future__ import annotations

import httpx
import msgspec


class RequestStarted(msgspec.Struct, frozen=True):
    """The request's headers begin to be written to an open connection."""

    t_ns: int


class HeadersReceived(msgspec.Struct, frozen=True):
    """Status and headers are there."""

    t_ns: int
    status: int
    headers: httpx.Headers


class BodyReceived(msgspec.Struct, frozen=True):
    """Bytes of the body, as they came out of the connection; never empty."""

    t_ns: int
    data: bytes


ExchangeEvent = RequestStarted | HeadersReceived | BodyReceived
