r"""Server-sent events from raw bytes, each stamped with the time at which its data arrived.

Lines are cut at ``\n`` only (``\r`` before it belongs to the line end): text splitters also cut at U+0085 and U+2028,
which stand in answers of models. Specification: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

MAX_EVENT_BYTES: Final = 16 << 20
"""Most bytes of one event: a server that never ends a line must not fill the memory."""
DONE: Final = b"[DONE]"
_BOM: Final = b"\xef\xbb\xbf"


class SseEvent(msgspec.Struct, frozen=True):
    """One event."""

    t_ns: int
    """When the bytes that end its last data line arrived."""
    data: bytes
    """Its data lines, joined by line feeds."""

    @property
    def is_done(self) -> bool:
        """The OpenAI protocol's mark after the last event."""
        return self.data.strip() == DONE


class SseOverflow(Exception):
    """An event is longer than ``MAX_EVENT_BYTES``."""


class SseReader:
    """Puts events together from bytes as they arrive.

    How the bytes are cut into pieces makes no difference to the events' data. Comments, ``event``, ``id`` and ``retry``
    lines and unknown fields are skipped.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._t_ns = 0
        self._at_start = True

    def feed(self, piece: bytes, t_ns: int) -> Iterator[SseEvent]:
        """Takes bytes and gives the events that they complete.

        Args:
            piece: the bytes.
            t_ns: when they arrived.

        Raises:
            SseOverflow: an event is too long.
        """
        self._rest += piece
        *lines, rest = self._rest.split(b"\n") if b"\n" in piece else (self._rest,)
        self._rest = bytearray(rest)
        for line in lines:
            event = self._line(bytes(line), t_ns)
            if event is not None:
                yield event
        if len(self._rest) + self._data_bytes > MAX_EVENT_BYTES:
            raise SseOverflow(f"more than {MAX_EVENT_BYTES:,} bytes without the end of an event")

    def close(self, t_ns: int) -> Iterator[SseEvent]:
        """Takes the end of the stream and gives the event that was not ended by a blank line, if any.

        The specification drops such an event; servers that leave out the last blank line are common enough.
        """
        if self._rest:
            event = self._line(bytes(self._rest), t_ns)
            self._rest.clear()
            if event is not None:
                yield event
        event = self._dispatch()
        if event is not None:
            yield event

    def _line(self, line: bytes, t_ns: int) -> SseEvent | None:
        line = line.removesuffix(b"\r")
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" "))
            self._data_bytes += len(line)
            self._t_ns = t_ns
        return None

    def _dispatch(self) -> SseEvent | None:
        if not self._data:
            return None
        event = SseEvent(self._t_ns, b"\n".join(self._data))
        self._data.clear()
        self._data_bytes = 0
        return event
