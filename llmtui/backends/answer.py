"""The reader of streamed answers, shared by all protocols; each protocol adds a dialect.

The reader decides when an answer has ended, whether it came compressed or all at once, and whether text is missing. The
dialect (``ollama_reading``, ``openai_reading``) interprets each JSON document of the response.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Final as Constant
from typing import Generic, Protocol, TypeVar

import httpx
import msgspec

from llmtui.backends.answer_end import NOT_TEXT, ended_by, is_no_end
from llmtui.backends.answer_evidence import FEWEST_CHUNKS, SilentChunks
from llmtui.backends.base import BackendFailed, Chunk, Final, Remark, RequestRefused, RequestSent
from llmtui.backends.compression import Unpacker, unpacker_for
from llmtui.backends.foreign_answer import part_of_sentence
from llmtui.backends.framing import Document, Framing
from llmtui.backends.http_moments import BodyReceived, ExchangeEvent, HeadersReceived
from llmtui.backends.lenient import StructReader
from llmtui.backends.repeated_text import RepeatedText
from llmtui.config.access import without_login
from llmtui.core.records import Evidence, Problem, ServerCounters

S = TypeVar("S", bound=msgspec.Struct)

MAX_REFUSAL_BYTES: Constant = 64 << 10
AFTER_END_S: Constant = 2.0
"""Longest wait in seconds for ``usage`` or ``[DONE]`` after a finish_reason."""
AFTER_COUNT_S: Constant = 0.2
"""Longest wait in seconds after a finish_reason and a token count: only ``[DONE]`` or the end of the connection
can follow.
"""


class ParsedDocument(msgspec.Struct):
    """The content of one JSON document of a response."""

    thinking: str = ""
    answer: str = ""
    end: str | None = None
    """Why the answer ended, as the server words it."""
    closes: bool = False
    """Whether nothing but counts can follow."""
    over: bool = False
    """Whether nothing at all follows."""
    whole: bool = False
    """Whether the document is a complete answer, from a server that does not stream."""
    tokens: int | None = None
    """Number of output tokens so far."""
    server_ns: int | None = None
    error: str | None = None
    """The error message, if the server reports an error."""
    unknown: tuple[tuple[str, str], ...] = ()
    """(field name, text) of each field that has text but does not belong to the protocol."""
    foreign: bool = False
    """Whether nothing in the document belongs to the protocol."""
    beside: bool = False
    """Whether the document has something other than text of this answer: a tool call, or text of an alternative answer.
    """


class Dialect(Protocol[S]):
    """Interprets the JSON documents of one protocol. Each answer needs its own object."""

    reader: StructReader[S]
    close_ends: bool
    """Whether an orderly close of the connection ends the answer. If False, an answer without an explicit end counts as
    cut off.
    """

    def tell(self, said: S, document: Document[S]) -> ParsedDocument:
        """Return the content of a document. Its token counts are kept for ``counters``."""
        ...

    def counters(self, *, has_text: bool) -> ServerCounters | None:
        """Return the server's token counts and times; None if it sent none."""
        ...

    def refused(self, answered: HeadersReceived, body: bytes) -> Problem:
        """Return the problem for a response with an HTTP status other than 200."""
        ...

    def failed(self, said: str) -> Problem:
        """Return the problem for an error message within an answer."""
        ...

    def unreadable(self, data: bytes, *, cut: bool) -> Problem:
        """Return the problem for bytes that could not be read as a document.

        Args:
            data: the bytes.
            cut: whether they are the beginning of a document that was cut off.
        """
        ...

    def nothing(self) -> Problem:
        """Return the problem for a response without any document, from a server that accepted the request."""
        ...


async def read_answer(
    moments: AsyncGenerator[ExchangeEvent, None], dialect: Dialect[S]
) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
    """Yield the events of one request: RequestSent, chunks of text, and Final if the answer is complete.

    Args:
        moments: events of one HTTP exchange.
        dialect: the dialect of the server's protocol.

    Raises:
        BackendFailed: the server refuses the request, reports an error, ends in an unknown way or sends malformed data.
        httpx.HTTPError: the connection breaks before the end of the answer.
    """
    answer = AnswerReader(dialect)
    coming = aiter(moments)
    try:
        while not answer.over:
            moment = await _next(coming, answer.wait_s)
            if moment is None:
                break
            for item in answer.take(moment):
                yield item
    except httpx.HTTPError as error:
        if not answer.has_ended:  # a connection that breaks after the end costs counters, not the answer
            if answer.has_begun and isinstance(error, httpx.RemoteProtocolError):
                raise httpx.ReadError(str(error)) from error  # headers had arrived, so the server does speak HTTP
            raise
    for last in answer.end():
        yield last


async def _next(coming: AsyncIterator[ExchangeEvent], wait_s: float | None) -> ExchangeEvent | None:
    """Return the next event; None at the end of the stream, or if none arrives within ``wait_s`` seconds."""
    try:
        if wait_s is None:  # the usual case, without the cost of a timer
            return await anext(coming, None)
        async with asyncio.timeout(wait_s):
            return await anext(coming, None)
    except TimeoutError:
        return None


class AnswerReader(Generic[S]):
    """Turns the events of one HTTP exchange into the events of an answer."""

    def __init__(self, dialect: Dialect[S]) -> None:
        self.over = False
        """Whether the rest of the response is ignored."""
        self._dialect = dialect
        self._framing = Framing(dialect.reader)
        self._unpacker: Unpacker | None = None
        self._answered: HeadersReceived | None = None
        self._refusal: bytes | None = None
        self._t_ns = 0
        self._ended_ns: int | None = None
        """Arrival of the first sign that no more text follows; None before that, and reset to None if text follows
        after all.
        """
        self._end: str | None = None
        self._text_after_end = False
        self._closed = False
        """Whether counts came in a separate document after the text."""
        self._chunks = 0
        self._whole = False
        self._documents = 0
        self._foreign: bytes | None = None
        """The first document that does not belong to the protocol."""
        self._half = ""
        """The first half of a surrogate pair. The second half should come with the next text."""
        self._first_text_ns: int | None = None
        self._last_text_ns = 0
        self._silent = SilentChunks()
        self._repeated = RepeatedText()

    @property
    def has_begun(self) -> bool:
        """Whether the headers of the response have arrived."""
        return self._answered is not None

    @property
    def has_ended(self) -> bool:
        """Whether the answer is complete, or the server refused the request. Counts may still follow."""
        return self._ended_ns is not None or self._refusal is not None

    @property
    def wait_s(self) -> float | None:
        """Longest time to wait for the next event, in seconds; None (no limit) while the answer continues."""
        if self._ended_ns is None:
            return None
        if self._closed:
            return AFTER_END_S if self._end is None else AFTER_COUNT_S
        return None if self._text_after_end else AFTER_END_S  # a server that reported the end too early may do so again

    def take(self, moment: ExchangeEvent) -> list[RequestSent | Chunk]:
        """Process one event of the exchange and return the events of the answer that result from it.

        Raises:
            BackendFailed: the server reports an error, or sends malformed data.
        """
        if type(moment) is not BodyReceived:  # nearly always true, and this line runs for every token
            if isinstance(moment, HeadersReceived):
                self._begin(moment)
                return []
            return [RequestSent(moment.t_ns)]
        data = moment.data if self._unpacker is None else self._unpacked(moment.data)
        if self._refusal is not None:
            self._refusal += data
            self.over = len(self._refusal) > MAX_REFUSAL_BYTES
            return []
        if not self._chunks and self._unpacker is None and data[:2] == b"\x1f\x8b":
            self._unpacker = Unpacker()  # compressed without a header that says so
            data = self._unpacked(data)
        self._t_ns = moment.t_ns
        items = self._items(self._framing.feed(data))
        if self._framing.bad is not None:
            self._check()
        return items

    def end(self) -> Iterator[RequestSent | Chunk | Final]:
        """Yield text that was held back, and the Final if the answer is complete.

        Raises:
            BackendFailed: the server refused the request, or ended the answer in a way that invalidates it.
        """
        if self._refusal is not None and self._answered is not None:
            body = self._refusal[:MAX_REFUSAL_BYTES]
            to = self._answered.headers.get("location")
            if 300 <= self._answered.status < 400 and to:
                problem = Problem(code="redirected", args={"to": part_of_sentence(without_login(to))})
            else:
                problem = self._dialect.refused(self._answered, body)
            raise RequestRefused(problem, status=self._answered.status, body=body, headers=self._answered.headers)
        if not self.over:
            if self._ended_ns is None:
                yield from self._items(self._framing.close())
                self._check()
            if self._ended_ns is None and self._dialect.close_ends and self._chunks and self._is_orderly():
                self._ended_ns = self._t_ns
        yield from self._repeated.released()
        self._check_end()
        if self._half:  # its second half never arrived
            yield Chunk(t_ns=self._t_ns, channel="a", text=self._half)
        if self._ended_ns is None:
            return
        counters = self._dialect.counters(has_text=self._chunks > 0)
        yield Final(
            t_ns=self._ended_ns,
            ended_by=ended_by(self._end or ""),
            counters=counters,
            remarks=self._remarks(None if counters is None else counters.output_tokens),
        )

    def _begin(self, answered: HeadersReceived) -> None:
        self._answered = answered
        self._unpacker = unpacker_for(answered.headers.get("content-encoding", ""))
        if not httpx.codes.is_success(answered.status):
            self._refusal = b""

    def _unpacked(self, data: bytes) -> bytes:
        assert self._unpacker is not None
        try:
            return self._unpacker.feed(data)
        except ValueError as error:
            raise BackendFailed(self._dialect.unreadable(data, cut=False)) from error

    def _items(self, documents: list[Document[S]]) -> list[RequestSent | Chunk]:
        chunks: list[RequestSent | Chunk] = []
        self._documents += len(documents)
        for document in documents:
            if document.said is None:
                if document.is_done:
                    self._ended_ns = self._ended_ns or self._t_ns
                    self.over = True
                    break
                self._foreign = self._foreign or document.data
                continue
            told = self._dialect.tell(document.said, document)
            if told.error is not None:
                raise BackendFailed(self._dialect.failed(told.error))
            if told.end is not None and is_no_end(told.end):
                told.end = None
            if told.foreign:
                self._foreign = self._foreign or document.data
            self._take_document(told, chunks)
            if self.over:
                break
        return chunks if len(chunks) < 2 else _counted(chunks)

    def _take_document(self, told: ParsedDocument, chunks: list[RequestSent | Chunk]) -> None:
        if told.thinking or told.answer:
            self._take_text(told, chunks)
        elif told.unknown or not (told.closes or told.end or told.beside):
            self._silent.add(told.unknown, None if self._chunks else self._t_ns)
        if told.end is not None:
            self._end = told.end
        self._closed = self._closed or (told.closes and self._chunks > 0)
        if (told.end is not None or self._closed or told.over) and self._ended_ns is None:
            self._ended_ns = self._t_ns
        self.over = told.over

    def _take_text(self, told: ParsedDocument, chunks: list[RequestSent | Chunk]) -> None:
        is_new = False
        for channel, text in (("t", told.thinking), ("a", told.answer)):
            if text and (self._half or "\ud800" <= text[-1] <= "\udbff"):
                text, is_new = self._joined(text), True
            if text:
                chunk = Chunk(
                    t_ns=self._t_ns,
                    channel="t" if channel == "t" else "a",
                    text=text,
                    server_ns=told.server_ns,
                    tokens=told.tokens,
                )
                fresh = self._repeated.take(chunk)
                if fresh is not None:
                    is_new = True
                    chunks += fresh
        if not is_new:
            return
        if self._ended_ns is not None:
            self._ended_ns, self._text_after_end, self._closed = None, True, False
        self._whole = told.whole and not self._chunks
        self._chunks += 1
        self._last_text_ns = self._t_ns
        if self._first_text_ns is None:
            self._first_text_ns = self._t_ns

    def _joined(self, text: str) -> str:
        """Join the halves of a surrogate pair that arrived in two chunks."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

    def _check(self) -> None:
        """Check that the data was well formed.

        Raises:
            BackendFailed: some bytes were not a document of the protocol.
        """
        bad = self._framing.bad
        if bad is not None and not self.over and self._ended_ns is None:
            raise BackendFailed(self._dialect.unreadable(bad, cut=self._framing.cut))

    def _check_end(self) -> None:
        """Check that the response, now complete, was an answer.

        Raises:
            BackendFailed: the response had no document of the protocol, or ended with other text.
        """
        stray, has_text = self._framing.stray, self._chunks > 0
        if not has_text and self._framing.stray_lines >= FEWEST_CHUNKS:  # the text may be in them
            raise BackendFailed(self._dialect.unreadable(self._framing.first_stray, cut=False))
        if stray is not None and self._end is None and not self._closed:  # the last bytes are not a document
            words = part_of_sentence(stray.decode("utf-8", "replace")) if has_text else None
            raise BackendFailed(self._dialect.failed(words) if words else self._dialect.unreadable(stray, cut=False))
        if self._ended_ns is None and not has_text and self._foreign is not None:
            raise BackendFailed(self._dialect.unreadable(self._foreign, cut=False))
        if self._ended_ns is None and not self._documents and self._answered is not None:
            raise BackendFailed(self._dialect.nothing())

    def _is_orderly(self) -> bool:
        """Return whether the response announced its length. If so, the HTTP reader would have noticed a cut."""
        headers = {} if self._answered is None else self._answered.headers
        return "transfer-encoding" in headers or "content-length" in headers

    def _remarks(self, tokens: int | None) -> tuple[Remark, ...]:
        remarks: list[Remark] = []
        if self._unpacker is not None:
            remarks.append(Remark(flag="buffered", evidence=Evidence(code="compressed")))
        elif self._whole:
            remarks.append(Remark(flag="buffered", evidence=Evidence(code="all_at_once")))
        if self._repeated.found:
            remarks.append(Remark(flag="text_repeated", evidence=Evidence(code="text_repeated")))
        typical_ns = None
        if self._first_text_ns is not None and self._chunks >= FEWEST_CHUNKS:
            typical_ns = (self._last_text_ns - self._first_text_ns) / (self._chunks - 1)
        all_counted = tokens is not None and tokens <= self._chunks
        unseen = self._silent.evidence(self._first_text_ns, typical_ns, all_counted=all_counted)
        is_call = not self._chunks and (self._end or "").lower() in NOT_TEXT
        if unseen is not None and not is_call:
            remarks.append(Remark(flag="unseen_text", evidence=unseen))
        return tuple(remarks)


def _counted(chunks: list[RequestSent | Chunk]) -> list[RequestSent | Chunk]:
    """Return chunks that arrived together, each with the token count of the last one.

    If the system delays the reader, many tokens arrive with one timestamp. If each kept its own count, the first would
    seem to have arrived long after it was made, and the computed speed would be too high.
    """
    counts = [chunk.tokens for chunk in chunks if isinstance(chunk, Chunk) and chunk.tokens is not None]
    return [msgspec.structs.replace(chunk, tokens=counts[-1]) for chunk in chunks] if counts else chunks
