"""One request and its response on a connection: whole bodies, streams of JSON lines, and faulty ends."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any, NamedTuple, Protocol

from llmtui.simulator.clock import Stamp, rfc3339_nano
from llmtui.simulator.http1 import LAST_CHUNK, Request, chunk, response_head
from llmtui.simulator.jsontext import go_json
from llmtui.simulator.sendlog import ChunkKind, RequestRecord, TextChannel

_CREATED_AT = "created_at"


class WrittenAt(NamedTuple):
    """The time just before a write, and the time just after the kernel accepted all of its data."""

    handed_ns: int
    stamp: Stamp


class Wire(Protocol):
    """The connection that an `Exchange` writes to."""

    async def send(self, data: bytes) -> WrittenAt:
        """Pass all data to the kernel; return when that was done."""

    def close(self) -> None:
        """Close the connection after sending the data written so far."""


class Exchange:
    """One request and its response.

    Args:
        request: the request.
        record: the entry in the send log to which every write is added.
        wire: the connection.
    """

    def __init__(self, request: Request, record: RequestRecord, wire: Wire) -> None:
        self.request = request
        self.record = record
        self.keep_alive = request.keep_alive
        self._wire = wire
        self._streaming = False

    async def send_json(self, body: object, *, status: int = 200, kind: ChunkKind = "body") -> None:
        """Send a whole response as one JSON object; if it has an empty `created_at`, fill in the current time."""
        created_ns = 0
        if isinstance(body, dict) and _CREATED_AT in body:
            body, created_ns = _dated(body)
        await self._send_body(go_json(body), "application/json; charset=utf-8", status, kind, created_ns)

    async def send_error(self, status: int, message: str, extra: dict[str, str] | None = None) -> None:
        """Send an error as a whole response, or as the last line of a stream that has begun."""
        if self._streaming:
            await self.send_line({"error": message}, kind="error")
            await self.end_stream()
        else:
            await self.send_json({"error": message, **(extra or {})}, status=status, kind="error")

    async def send_text(self, text: str, *, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> None:
        """Send a whole response as plain text."""
        await self._send_body(text.encode(), content_type, status, "body", 0)

    async def send_empty(self, status: int) -> None:
        """Send a response without a body."""
        await self._send_body(b"", None, status, "body", 0)

    async def send_line(
        self,
        body: dict[str, Any],
        *,
        kind: ChunkKind,
        channel: TextChannel | None = None,
        tokens: tuple[int, int] = (0, 0),
        characters: int = 0,
    ) -> Stamp:
        """Send one JSON line as one HTTP chunk; the first line is sent together with the headers.

        Args:
            body: the line; if it has an empty `created_at`, the current time is filled in.
            kind: kind of the line. This and all following arguments are for the log only.
            channel: channel of its text; None if it has no text.
            tokens: numbers of its first and last token.
            characters: number of characters of its text.

        Returns:
            The time at which the kernel had accepted the line.
        """
        created_ns = 0
        if _CREATED_AT in body:
            body, created_ns = _dated(body)
        line = go_json(body) + b"\n"
        data = line if self.request.version == "1.0" else chunk(line)
        if not self._streaming:
            data = self._stream_head() + data
        sent = await self._wire.send(data)
        self.record.sent(
            kind=kind,
            channel=channel,
            handed_ns=sent.handed_ns,
            stamp=sent.stamp,
            created_ns=created_ns,
            tokens=tokens,
            characters=characters,
        )
        return sent.stamp

    async def end_stream(self) -> None:
        """End the stream in the normal way, even if no line was sent."""
        head = b"" if self._streaming else self._stream_head()
        await self._wire.send(head if self.request.version == "1.0" else head + LAST_CHUNK)

    def cut(self) -> None:
        """Close the connection in the middle of the response."""
        self.keep_alive = False
        self._wire.close()

    def _stream_head(self) -> bytes:
        self._streaming = True
        self.record.status = 200
        headers = {"Content-Type": "application/x-ndjson", "Date": formatdate(usegmt=True)}
        if self.request.version == "1.0":
            self.keep_alive = False
            headers["Connection"] = "close"
        else:
            headers["Transfer-Encoding"] = "chunked"
        return response_head(200, headers)

    async def _send_body(
        self, body: bytes, content_type: str | None, status: int, kind: ChunkKind, created_ns: int
    ) -> None:
        headers = {"Content-Type": content_type} if content_type else {}
        headers |= {"Date": formatdate(usegmt=True), "Content-Length": str(len(body))}
        if not self.keep_alive:
            headers["Connection"] = "close"
        elif self.request.version == "1.0":
            headers["Connection"] = "keep-alive"
        data = response_head(status, headers) + (b"" if self.request.method == "HEAD" else body)
        self.record.status = status
        sent = await self._wire.send(data)
        self.record.sent(kind=kind, handed_ns=sent.handed_ns, stamp=sent.stamp, created_ns=created_ns)


def _dated(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    created_ns = time.time_ns()
    return {**body, _CREATED_AT: rfc3339_nano(created_ns)}, created_ns
