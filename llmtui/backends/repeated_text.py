"""Servers whose chunks repeat text: the whole text so far in each chunk, or the whole answer once more at its end.

Repetitions are left out, so that the text and its characters per second are right.
"""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from llmtui.backends.base import Chunk

FEWEST_CHUNKS: Final = 4
"""If this many chunks in a row each begin with all of the earlier text, all later chunks are taken to do so as well."""
FEWEST_AT_END: Final = 2
"""Used in place of ``FEWEST_CHUNKS`` if the answer ends before that many chunks have arrived."""
FEWEST_CHARACTERS: Final = 4
"""Smallest number of different characters in a text that is taken as repeated. In a row of blanks or dots, a chunk may
begin with the earlier text by chance.
"""
SHORTEST_REPETITION: Final = 32
"""Smallest length in characters of a chunk that is taken as a repetition of the whole answer."""


class RepeatedText:
    """Passes chunks on without the text that they repeat.

    Chunks that may be repetitions are held back until the next chunks show whether they are.
    """

    def __init__(self) -> None:
        self._thinking = _Channel()
        self._answer = _Channel()

    @property
    def found(self) -> bool:
        """Whether text was repeated."""
        return self._thinking.found or self._answer.found

    def take(self, chunk: Chunk) -> Sequence[Chunk] | None:
        """Add a chunk; return the chunks with new text, None if the chunk only repeats text."""
        if chunk.channel == "t":
            own, other = self._thinking, self._answer
        else:
            own, other = self._answer, self._thinking
        if other.held:  # the order of arrival is kept
            return [*other.released(), *(own.take(chunk) or ())]
        return own.take(chunk)

    def released(self) -> list[Chunk]:
        """Return the chunks that are still held back, at the end of the answer."""
        return [*self._thinking.released(), *self._answer.released()]


class _Channel:
    """The text of one channel."""

    def __init__(self) -> None:
        self.held: list[Chunk] = []
        self.found = False
        self._mode: Literal["open", "plain", "repeating"] = "open"
        self._before = ""
        """Text of the previous chunk as it was sent, unless the mode is ``plain``."""
        self._parts: list[str] = []
        self._length = 0

    def take(self, chunk: Chunk) -> Sequence[Chunk] | None:
        text = chunk.text
        if self._mode == "plain":  # almost every chunk of almost every answer: as few calls as possible
            length = len(text)
            if length == self._length >= SHORTEST_REPETITION and text == "".join(self._parts):
                self.found = True
                return None
            self._parts.append(text)
            self._length += length
            return (chunk,)
        if self._mode == "repeating":
            return self._rest(chunk)
        if not self._before:
            self._before = text
            return self._kept((chunk,))
        if len(text) > len(self._before) and text.startswith(self._before):
            self.held.append(chunk)
            self._before = text
            return self.released() if len(self.held) >= FEWEST_CHUNKS and self._varies else ()
        if text == self._before and len(text) >= SHORTEST_REPETITION:
            self.found = True
            return None
        self._mode, held, self.held = "plain", self.held, []
        return self._kept((*held, chunk))

    def released(self) -> list[Chunk]:
        """Return the chunks that were held back. If they repeat earlier text, that text is left out of them."""
        held, self.held = self.held, []
        if len(held) < FEWEST_AT_END or not self._varies:
            self._mode = "plain" if held else self._mode
            return list(self._kept(held))
        self._mode, self.found = "repeating", True
        before, rests = "".join(self._parts), list[Chunk]()
        for chunk in held:
            rests.append(msgspec.structs.replace(chunk, text=chunk.text[len(before) :]))
            before = chunk.text
        return rests

    @property
    def _varies(self) -> bool:
        return len(set(self._before)) >= FEWEST_CHARACTERS

    def _kept(self, chunks: Sequence[Chunk]) -> Sequence[Chunk]:
        for chunk in chunks:
            self._parts.append(chunk.text)
            self._length += len(chunk.text)
        return chunks

    def _rest(self, chunk: Chunk) -> Sequence[Chunk] | None:
        """Return a chunk without the earlier text that it repeats.

        The server may have changed the last characters of that text since it sent them.
        """
        same = len(os.path.commonprefix((self._before, chunk.text)))  # noqa: RUF071 - any strings, character by character
        if same < len(self._before) // 2:
            return (chunk,)
        self._before = chunk.text
        rest = chunk.text[same:]
        return (msgspec.structs.replace(chunk, text=rest),) if rest else None
