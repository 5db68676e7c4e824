"""The send log: when each request arrived, and when each chunk of its response went to the kernel.

Tests compare measured times with this log, never with the scripted schedule.
"""

from __future__ import annotations

from array import array
from typing import Any, Literal

from msgspec import Struct

from llmtui.simulator.clock import Stamp

ChunkKind = Literal["text", "done", "progress", "error", "body"]
"""What was written: a chunk of an answer, its last line (with or without text), progress of a download, an error line,
or a whole body.
"""

TextChannel = Literal["thinking", "answer"]
"""Whether text is thinking or answer; thinking inside the answer counts as thinking."""

_KINDS: tuple[ChunkKind, ...] = ("text", "done", "progress", "error", "body")
_CHANNELS: tuple[TextChannel | None, ...] = (None, "thinking", "answer")


class SentChunk(Struct, frozen=True, kw_only=True):
    """One write to the socket; all times are in nanoseconds.

    Attributes:
        kind: kind of the chunk.
        channel: channel of its text; None if it has no text.
        handed_ns: `perf_counter_ns` just before the write.
        sent_ns: `perf_counter_ns` just after the kernel accepted all of it.
        sent_monotonic_ns: `monotonic_ns`, read right after `sent_ns`.
        created_ns: wall-clock time in its `created_at`; 0 if it has none.
        first_token: number of its first token, from 1; 0 = none.
        last_token: number of its last token; 0 = none.
        characters: number of characters of its text.
    """

    kind: ChunkKind
    channel: TextChannel | None
    handed_ns: int
    sent_ns: int
    sent_monotonic_ns: int
    created_ns: int
    first_token: int
    last_token: int
    characters: int


class Truth(Struct, frozen=True, kw_only=True):
    """The true times inside the server for one answer, by `perf_counter_ns`.

    Attributes:
        trial: number of the answer, from 1, over all models.
        handed_over_ns: when the request got the loaded model (end of `load_duration`).
        loaded: whether the model was loaded or reloaded for this request.
        slot_ns: when the model began to serve this request.
        prefill_ns: when prompt processing began.
        first_token_ns: when the first token was generated.
        last_token_ns: when the last token was generated; 0 = not yet or never.
        prompt_tokens: number of tokens of the prompt, after any truncation.
        cached_tokens: number of those tokens that came from the prompt cache.
        output_tokens: number of tokens generated so far.
    """

    trial: int = 0
    handed_over_ns: int = 0
    loaded: bool = False
    slot_ns: int = 0
    prefill_ns: int = 0
    first_token_ns: int = 0
    last_token_ns: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


class SentRequest(Struct, frozen=True, kw_only=True):
    """One request and its response.

    Attributes:
        number: number of the request, from 1, in order of arrival.
        connection: number of the connection on which it arrived.
        method: HTTP method.
        path: path without the query.
        model: name as the client wrote it; None if the route has none.
        body: the JSON object that the client sent.
        received_ns: `perf_counter_ns` when its first bytes were read.
        received_monotonic_ns: `monotonic_ns` at the same moment.
        headers_ns: when the response's headers were sent (with the first chunk); None = not sent.
        status: HTTP status; None = no response.
        chunks: the chunks of the response, in order.
        truth: None if no answer was begun.
        finished_ns: when the request had been handled; None = still in progress.
        disconnected_ns: when the server noticed that the client had closed the connection; None = it has not.
    """

    number: int
    connection: int
    method: str
    path: str
    model: str | None
    body: dict[str, Any]
    received_ns: int
    received_monotonic_ns: int
    headers_ns: int | None
    status: int | None
    chunks: tuple[SentChunk, ...]
    truth: Truth | None
    finished_ns: int | None
    disconnected_ns: int | None

    @property
    def texts(self) -> tuple[SentChunk, ...]:
        """The chunks that have text (thinking or answer), including the last line if it has text."""
        return tuple(chunk for chunk in self.chunks if chunk.channel is not None)

    @property
    def ttft_ns(self) -> int | None:
        """Time from receiving the request to sending the first text, thinking or answer; None if no text was sent."""
        return next((chunk.sent_ns - self.received_ns for chunk in self.texts), None)

    @property
    def ttfo_ns(self) -> int | None:
        """Time from receiving the request to sending the first text that is not thinking; None if none was sent."""
        answers = (chunk for chunk in self.chunks if chunk.channel == "answer")
        return next((chunk.sent_ns - self.received_ns for chunk in answers), None)

    @property
    def done_ns(self) -> int | None:
        """Time at which the last line was sent, by `perf_counter_ns`; None if it was not sent."""
        return next((chunk.sent_ns for chunk in self.chunks if chunk.kind == "done"), None)

    @property
    def output_tokens(self) -> int:
        """Number of output tokens sent so far."""
        return max((chunk.last_token for chunk in self.chunks), default=0)

    @property
    def decode_tps(self) -> float | None:
        """(tokens − those of the first text) ÷ (last line − first text), in tokens per second; None if not defined."""
        texts, done_ns = self.texts, self.done_ns
        if not texts or done_ns is None or done_ns <= texts[0].sent_ns:
            return None
        later = self.output_tokens - texts[0].last_token
        return later * 1e9 / (done_ns - texts[0].sent_ns) if later else None


class RequestRecord:
    """The record of one request in progress.

    Args:
        number: number of the request, from 1, in order of arrival.
        connection: number of its connection.
        method: HTTP method.
        path: path without the query.
        received: when its first bytes were read.
        skew_ns: added to every logged send time, and to nothing else.
    """

    def __init__(
        self, *, number: int, connection: int, method: str, path: str, received: Stamp, skew_ns: int = 0
    ) -> None:
        self.number = number
        self.connection = connection
        self.method = method
        self.path = path
        self.received = received
        self.model: str | None = None
        self.body: dict[str, Any] = {}
        self.status: int | None = None
        self.truth: Truth | None = None
        self.finished_ns: int | None = None
        self.disconnected_ns: int | None = None
        self._skew_ns = skew_ns
        # Columns instead of objects, so that the garbage collector has nothing to traverse after a long answer.
        self._columns = tuple(array("q") for _ in range(9))

    def sent(
        self,
        *,
        kind: ChunkKind,
        handed_ns: int,
        stamp: Stamp,
        channel: TextChannel | None = None,
        created_ns: int = 0,
        tokens: tuple[int, int] = (0, 0),
        characters: int = 0,
    ) -> None:
        """Add one write to the socket."""
        skew_ns = self._skew_ns
        row = (
            _KINDS.index(kind),
            _CHANNELS.index(channel),
            handed_ns + skew_ns,
            stamp.perf_ns + skew_ns,
            stamp.monotonic_ns + skew_ns,
            created_ns,
            *tokens,
            characters,
        )
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def frozen(self) -> SentRequest:
        """Return the record so far as an immutable object."""
        chunks = tuple(
            SentChunk(
                kind=_KINDS[kind],
                channel=_CHANNELS[channel],
                handed_ns=handed,
                sent_ns=sent,
                sent_monotonic_ns=monotonic,
                created_ns=created,
                first_token=first,
                last_token=last,
                characters=characters,
            )
            for kind, channel, handed, sent, monotonic, created, first, last, characters in zip(
                *self._columns, strict=True
            )
        )
        return SentRequest(
            number=self.number,
            connection=self.connection,
            method=self.method,
            path=self.path,
            model=self.model,
            body=self.body,
            received_ns=self.received.perf_ns,
            received_monotonic_ns=self.received.monotonic_ns,
            headers_ns=chunks[0].sent_ns if chunks else None,
            status=self.status,
            chunks=chunks,
            truth=self.truth,
            finished_ns=self.finished_ns,
            disconnected_ns=self.disconnected_ns,
        )


class SendLog:
    """The records of all requests to a server, oldest first.

    Args:
        skew_ns: added to every logged send time. With such a deliberately wrong log, a test proves that it notices
            errors.
    """

    def __init__(self, skew_ns: int = 0) -> None:
        self._skew_ns = skew_ns
        self._records: list[RequestRecord] = []
        self._count = 0

    def open(self, *, connection: int, method: str, path: str, received: Stamp, listed: bool = True) -> RequestRecord:
        """Begin the record of a request; if it is not `listed`, it does not become part of the log."""
        self._count += listed
        record = RequestRecord(
            number=self._count,
            connection=connection,
            method=method,
            path=path,
            received=received,
            skew_ns=self._skew_ns,
        )
        if listed:
            self._records.append(record)
        return record

    def records(self, since: int = 0) -> tuple[SentRequest, ...]:
        """Return the requests with a number above `since`, including those in progress."""
        return tuple(record.frozen() for record in self._records if record.number > since)

    def clear(self) -> None:
        """Remove the requests that are finished."""
        self._records = [record for record in self._records if record.finished_ns is None]
