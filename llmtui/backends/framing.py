r"""Splits the bytes of a response into JSON documents, whatever framing the server uses.

The framings are server-sent events, one document per line, documents over several lines, concatenated documents and
JSON arrays. They are recognised by their bytes, because servers label any of them with any content type. Lines end only
with ``\n``, ``\r\n`` or ``\r``; U+0085 and U+2028 occur within the text of answers. A document is returned as soon as
its last byte has arrived, so the blank line after an event may be missing. Specification of server-sent events:
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re
from typing import Final, Generic, TypeVar

import msgspec

from llmtui.backends.lenient import NotJson, StructReader

S = TypeVar("S", bound=msgspec.Struct)

MAX_DOCUMENT_BYTES: Final = 16 << 20
"""Largest document in bytes, so that a document without an end cannot fill the memory."""
DONE: Final = b"[DONE]"
"""The OpenAI protocol's mark after the last event."""
_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_TOLD: Final = re.compile(rb"(data|event|id|retry) ?:|:|(data|event|id|retry)$", re.IGNORECASE)
_BEFORE_LINE: Final = b" \t\x1e\x00"
"""Bytes that a few servers send before a line; 1E is the separator of RFC 7464."""
_STEP: Final = re.compile(rb'[{}"]')
_IN_STRING: Final = re.compile(rb'["\\]')
_AFTER: Final = b" \t,"
_BETWEEN: Final = b" \t\r\n,[]"
_NOTHING_SAID: Final = (b"", b"null", b"true", b"false", b'""')
"""Data lines that servers send only to keep a connection open."""


class Document(msgspec.Struct, Generic[S], frozen=True):
    """One JSON document of a response."""

    said: S | None
    """The decoded document; None for ``[DONE]`` and for a document that does not belong to the protocol."""
    data: bytes
    event: bytes = b""
    """The name of the server-sent event; empty if it has none."""

    @property
    def is_done(self) -> bool:
        """Whether this is the OpenAI protocol's mark after the last event."""
        return self.said is None and self.data == DONE


class Framing(Generic[S]):
    """Assembles documents from bytes as they arrive, however the network cuts them."""

    def __init__(self, reader: StructReader[S]) -> None:
        self._reader = reader
        self._decode = reader.decode
        self._rest = b""
        self._started = False
        self._after_cr = False
        self._event = b""
        self._events = False
        """Whether server-sent events were seen."""
        self._open = _OpenDocument()
        self._bare = False
        """Whether the incomplete document is outside of server-sent events."""
        self._ready: list[Document[S]] = []
        self.stray: bytes | None = None
        """A line that is not JSON, if no document followed it: an error in plain text, or a keep-alive message."""
        self.stray_lines = 0
        """Number of all lines that are not JSON; identical lines in a row count as one."""
        self.first_stray = b""
        self.bad: bytes | None = None
        """The first bytes that are not JSON; nothing after them is read."""
        self.cut = False
        """Whether ``bad`` is the beginning of a document, because the stream ended in the middle of it."""

    def feed(self, data: bytes) -> list[Document[S]]:
        """Add bytes and return the documents that they complete, in order. Check ``bad`` afterwards."""
        if self.bad is not None:
            return []
        if b"\n" in data or b"\r" in data or self._after_cr:
            lines, self._rest = self._lines(data)
            for line in lines:
                self._line(line)
        else:
            self._rest += data
        if self._rest:
            self._unended()
        ready, self._ready = self._ready, []
        return ready

    def close(self) -> list[Document[S]]:
        """End the stream.

        Return the last document if only its line end is missing; store an incomplete one as ``bad``.
        """
        if self.bad is None:
            self._line(self._rest)
            self._rest = b""
            if self._open.data and self.bad is None:
                self.bad, self.cut = self._open.data, True
        ready, self._ready = self._ready, []
        return ready

    def _lines(self, data: bytes) -> tuple[list[bytes], bytes]:
        if self._after_cr:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" not in data:
            *lines, rest = (self._rest + data).split(b"\n")
            return lines, rest
        self._after_cr = data.endswith(b"\r")
        *lines, rest = _LINE_END.split(self._rest + data)
        return lines, rest

    def _line(self, line: bytes) -> None:
        if not self._started and line:
            self._started = True
            line = line.removeprefix(_BOM)
        if self.bad is not None:
            return
        if line[:6] == b"data: ":
            self._events, self._bare = True, False
            self._value(line[6:])
        elif not (line := _trimmed(line)) or line.isspace():
            self._event = b""  # an event is over
            if self._open.data and not self._bare:
                self.bad = self._open.data
        elif self._bare and self._open.data:
            self._value(line)
        elif line[:1] != b"{" and (told := _TOLD.match(line)):
            self._field((told[1] or told[2] or b"").lower(), line[told.end() :].removeprefix(b" "))
        elif not self._events or line[:1] == b"{":
            self._bare = True
            self._value(line)
        else:
            self._stray(line)

    def _stray(self, line: bytes) -> None:
        if line != self.stray:
            self.stray_lines += 1
        self.first_stray = self.first_stray or line
        self.stray = line

    def _field(self, name: bytes, value: bytes) -> None:
        """Process one line of a server-sent event. A comment line has an empty name."""
        self._events = True
        if name == b"data":
            self._bare = False
            self._value(_trimmed(value))
        elif name == b"event":
            self._event = value.strip()

    def _value(self, value: bytes) -> None:
        """Process a data line of an event, or a line outside of events."""
        if not self._open.data:
            try:
                self._ready.append(Document(self._decode(value), value, self._event))
                self.stray = None
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._odd(value)
        else:
            self._odd(value)

    def _odd(self, value: bytes) -> None:
        """Process a line that is not by itself a document of the expected type."""
        stripped = value.strip()
        if self._events and not self._open.data and stripped[:5] == b"data:":  # the name of the field twice
            self._value(stripped[5:].strip())
            return
        if not self._open.data and (stripped in _NOTHING_SAID or stripped == DONE):
            if stripped == DONE:
                self._ready.append(Document(None, DONE, self._event))
            return
        if self._events and not self._open.data and stripped.lstrip(_BETWEEN)[:1] not in (b"{", b""):
            self._stray(value)
            return
        for found in self._open.feed(value + b"\n"):
            try:
                self._ready.append(Document(self._reader.read(found), found, self._event))
                self.stray = None
            except NotJson:
                self.bad = found
                return
        if self._open.foreign:
            self.bad = value
        elif len(self._open.data) > MAX_DOCUMENT_BYTES:
            self.bad = self._open.data

    def _unended(self) -> None:
        """Process the bytes after the last line end. They may be a complete document."""
        if len(self._rest) > MAX_DOCUMENT_BYTES:
            self.bad = self._rest
        elif self._rest.rstrip(_AFTER)[-1:] in (b"}", b"]"):
            value = self._rest.removeprefix(b"data:") if self._events else (self._open.data + self._rest)
            trial = _OpenDocument()
            if trial.feed(value.removeprefix(_BOM)) and not (trial.data or trial.foreign):
                rest, self._rest = self._rest, b""
                self._line(rest)


def _trimmed(line: bytes) -> bytes:
    """Return a line without a byte order mark and separators before its content."""
    return line.lstrip(_BEFORE_LINE).removeprefix(_BOM) if line[:1] in b"\x1e\x00\xef \t" else line


class _OpenDocument:
    """Finds the ends of JSON objects in partial data. Brackets and commas between objects are skipped."""

    def __init__(self) -> None:
        self.data = b""
        """The beginning of an object whose end has not arrived yet."""
        self.foreign = False
        """Whether a value that is not an object has begun."""
        self._at = 0
        self._depth = 0
        self._in_string = False

    def feed(self, more: bytes) -> list[bytes]:
        """Add bytes; return the objects that they complete."""
        found: list[bytes] = []
        self.data += more
        while not self.foreign:
            if self._depth == 0:
                self._at = 0
                self.data = self.data.lstrip(_BETWEEN)
                self.foreign = bool(self.data) and self.data[:1] != b"{"
            step = (_IN_STRING if self._in_string else _STEP).search(self.data, self._at)
            if step is None or self.foreign:
                self._at = len(self.data)
                return found
            self._at = step.end()
            if step[0] == b"\\":
                if self._at == len(self.data):  # the escaped character has not arrived yet
                    self._at -= 1
                    return found
                self._at += 1
            elif step[0] == b'"':
                self._in_string = not self._in_string
            else:
                self._depth += 1 if step[0] == b"{" else -1
                if self._depth == 0:
                    found.append(self.data[: self._at])
                    self.data, self._at = self.data[self._at :], 0
        return found
