"""One streamed answer: text as it comes, and the server's last word."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator

import httpx
import msgspec

from llmtui.backends.base import BackendFailed, Final, Piece, Sent
from llmtui.backends.http_timing import Answered, Departed, Moment
from llmtui.backends.openai_wire import ChunkLine, Delta, Timings, Usage, counters_of, error_problem, excerpt
from llmtui.backends.sse import SseEvent, SseReader
from llmtui.core.facts import EndedBy, Problem

MAX_REFUSAL_BYTES = 64 << 10
_EVENT_STREAM = "text/event-stream"
_chunks: msgspec.json.Decoder[ChunkLine] = msgspec.json.Decoder(ChunkLine)


async def read_answer(moments: AsyncGenerator[Moment, None]) -> AsyncGenerator[Sent | Piece | Final, None]:
    """Gives what comes of one request: Sent, pieces of text, and the last word if there is one.

    Raises:
        BackendFailed: the server refuses, reports an error or sends what cannot be read.
        httpx.HTTPError: the connection breaks before the last word.
        SseOverflow: an event does not end.
    """
    answer = _Answer()
    try:
        async for moment in moments:
            for item in answer.take(moment):
                yield item
            if answer.over:
                break
    except httpx.HTTPError:
        if not answer.has_last_word:  # a connection that breaks after it costs counters, not the answer
            raise
    for last in answer.end():
        yield last


class _Answer:
    """Folds the moments of one exchange."""

    def __init__(self) -> None:
        self.over = False
        """Nothing that follows is of interest."""
        self._events = SseReader()
        self._answered: Answered | None = None
        self._refusal: bytes | None = None
        self._last_arrival_ns = 0
        self._done_ns: int | None = None
        self._ended_by: EndedBy = "other"
        self._usage: Usage | None = None
        self._timings: Timings | None = None

    @property
    def has_last_word(self) -> bool:
        """The server has said why the answer ended, or that there is none; counters may still follow."""
        return self._done_ns is not None or self._refusal is not None

    def take(self, moment: Moment) -> Iterator[Sent | Piece]:
        if isinstance(moment, Departed):
            yield Sent(moment.t_ns)
        elif isinstance(moment, Answered):
            self._answered = moment
            if moment.status >= httpx.codes.BAD_REQUEST or not _is_event_stream(moment.headers):
                self._refusal = b""
        elif self._refusal is not None:
            self._refusal += moment.data
            self.over = len(self._refusal) > MAX_REFUSAL_BYTES
        else:
            self._last_arrival_ns = moment.t_ns
            yield from _counted(list(self._pieces(self._events.feed(moment.data, moment.t_ns))))

    def end(self) -> Iterator[Piece | Final]:
        """Gives what was held back, and the last word.

        Raises:
            BackendFailed: the server refused.
        """
        if self._refusal is not None and self._answered is not None:
            raise BackendFailed(_refusal_problem(self._answered, self._refusal[:MAX_REFUSAL_BYTES]))
        if not self.over:
            yield from self._pieces(self._events.close(self._last_arrival_ns))
        if self._done_ns is not None:
            counters = counters_of(self._usage, self._timings)
            yield Final(t_ns=self._done_ns, ended_by=self._ended_by, counters=counters)

    def _pieces(self, events: Iterator[SseEvent]) -> Iterator[Piece]:
        for event in events:
            if event.is_done:
                self.over = True
                return
            if event.data.strip():
                yield from self._of_chunk(_decoded(event.data), event.t_ns)

    def _of_chunk(self, chunk: ChunkLine, t_ns: int) -> Iterator[Piece]:
        if chunk.error is not None:
            raise BackendFailed(error_problem(None, msgspec.json.encode({"error": chunk.error})))
        self._usage = chunk.usage or self._usage
        self._timings = chunk.timings or self._timings
        tokens = _tokens_so_far(chunk)
        for choice in (chunk.choices or ())[:1]:
            delta = choice.delta or Delta()
            thinking = delta.reasoning_content or delta.reasoning
            if thinking:
                yield Piece(t_ns=t_ns, channel="t", text=thinking, tokens=tokens)
            if delta.content:
                yield Piece(t_ns=t_ns, channel="a", text=delta.content, tokens=tokens)
            if choice.finish_reason and self._done_ns is None:
                self._done_ns = t_ns
                self._ended_by = _ended_by(choice.finish_reason)


def _counted(pieces: list[Piece]) -> list[Piece]:
    """Gives pieces that arrived together the count of the last of them: so many tokens were made by then.

    A reader that the system did not let run finds many tokens waiting; counted one by one, with one stamp for all, the
    first would seem to have come long after it was made and the rate would be too high.
    """
    counts = [piece.tokens for piece in pieces if piece.tokens is not None]
    if len(pieces) < 2 or not counts:
        return pieces
    return [msgspec.structs.replace(piece, tokens=counts[-1]) for piece in pieces]


def _is_event_stream(headers: httpx.Headers) -> bool:
    kind: str = headers.get("content-type", _EVENT_STREAM)
    return kind.startswith(_EVENT_STREAM)


def _refusal_problem(answered: Answered, body: bytes) -> Problem:
    if answered.status >= httpx.codes.BAD_REQUEST:
        return error_problem(answered.status, body)
    if b'"error"' in body:
        return error_problem(None, body)
    kind = answered.headers.get("content-type")
    return Problem(
        code="not_streaming",
        what=f"The server sent its answer all at once (as {kind}), so nothing can be timed.",
        remedy="Use a server that streams.",
    )


def _decoded(data: bytes) -> ChunkLine:
    try:
        return _chunks.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        try:  # half a character or half a surrogate pair does not make a line worthless
            return msgspec.convert(json.loads(data.decode("utf-8", "replace")), ChunkLine)
        except (ValueError, RecursionError):
            raise BackendFailed(
                Problem(
                    code="bad_line",
                    what=f"The server sent a line that cannot be read ({error}): {excerpt(data)}",
                    remedy="Check that this is the address of an OpenAI-compatible server.",
                )
            ) from error


def _tokens_so_far(chunk: ChunkLine) -> int | None:
    if chunk.timings is not None and chunk.timings.predicted_n is not None:
        return chunk.timings.predicted_n
    return chunk.usage.completion_tokens if chunk.usage is not None else None


def _ended_by(reason: str) -> EndedBy:
    if reason == "stop":
        return "stop"
    return "length" if reason == "length" else "other"
