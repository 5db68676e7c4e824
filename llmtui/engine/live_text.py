"""The answer while it arrives: complete for the journal, in batches for the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from llmtui.backends.base import Chunk, DroppedField
from llmtui.backends.base import Final as LastLine
from llmtui.core.events import Chunks, Event, PhaseChanged, clean_text
from llmtui.core.reading import loading_chunks
from llmtui.core.records import Phase, Problem, Timeline

BATCH_S: Final = 0.1
"""Shortest time between two batches in seconds: at most 10 batches per second."""
_PHASES: Final[dict[str, Phase]] = {"t": "thinking", "a": "answer"}


class CollectedAnswer:
    """Collects one answer. If the request is cancelled, the text that has arrived is kept."""

    def __init__(self) -> None:
        self.sent_ns: int | None = None
        self.sent_wall_ns: int | None = None
        self.final: LastLine | None = None
        self.problem: Problem | None = None
        self.stalled = False
        self.repaired = False
        self.dropped_fields: tuple[DroppedField, ...] = ()
        """Fields left out of the request because the server refuses them."""
        self._texts: list[str] = []
        self._t_ns: list[int] = []
        self._channels: list[str] = []
        self._server_ns: list[int | None] = []
        self._tokens: list[int | None] = []

    def add(self, chunk: Chunk) -> str:
        """Add a chunk; return its text without lone surrogates, as it is stored."""
        text, repaired = clean_text(chunk.text)
        if repaired:
            self.repaired = True
        self._texts.append(text)
        self._t_ns.append(chunk.t_ns)
        self._channels.append(chunk.channel)
        self._server_ns.append(chunk.server_ns)
        self._tokens.append(chunk.tokens)
        return text

    @property
    def has_text(self) -> bool:
        """Whether any text has arrived, thinking or answer."""
        return bool(self._texts)

    @property
    def text(self) -> str:
        """Thinking and answer in the order of arrival."""
        return "".join(self._texts)

    @property
    def answer_text(self) -> str:
        """The answer, excluding any thinking that arrived in a separate channel."""
        return "".join(text for text, channel in zip(self._texts, self._channels, strict=True) if channel == "a")

    @property
    def begins_with_loading(self) -> bool:
        """Whether the text begins with a router's messages that it is loading the model."""
        return loading_chunks("".join(self._channels), tuple(self._texts)) > 0

    @property
    def done_ns(self) -> int | None:
        """Time from the start of sending to the end of the answer, in ns; None if nothing has arrived.

        The end is the arrival of the last line, or of the last chunk if there was no last line.
        """
        if self.sent_ns is None:
            return None
        if self.final is not None:
            return self.final.t_ns - self.sent_ns
        return self._t_ns[-1] - self.sent_ns if self._t_ns else None

    def timeline(self) -> Timeline:
        """Return the times of arrival relative to the start of sending.

        Server timestamps and token counts are included only if every chunk has them.
        """
        start_ns = self.sent_ns or 0
        server_ns = tuple(stamp for stamp in self._server_ns if stamp is not None)
        tokens = tuple(count for count in self._tokens if count is not None)
        return Timeline(
            t_ns=tuple(t_ns - start_ns for t_ns in self._t_ns),
            chars=tuple(map(len, self._texts)),
            channels="".join(self._channels),
            server_ns=server_ns if server_ns and len(server_ns) == len(self._texts) else None,
            tokens=tokens if tokens and len(tokens) == len(self._texts) else None,
        )


class ChunkBatcher:
    """Sends ``Chunks`` events: the first chunk at once, later ones in batches. Also sends the phase when it changes.

    Between two batches, a chunk costs one append. To be used within a running event loop, by one task.
    """

    def __init__(self, trial_id: str, emit: Callable[[Event], None]) -> None:
        self._trial_id = trial_id
        self._emit = emit
        self._loop = asyncio.get_running_loop()
        self._chunks: list[tuple[int, str, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._next_s = 0.0
        self._shown: str | None = None
        self._channel: str | None = None
        self._channel_since_ns = 0

    def add(self, chunk: Chunk, text: str, sent_ns: int) -> None:
        """Add a chunk.

        Args:
            chunk: the chunk as received.
            text: its text without lone surrogates.
            sent_ns: start of sending, on the engine's clock.
        """
        self._chunks.append((chunk.t_ns - sent_ns, chunk.channel, text))
        if chunk.channel != self._channel:
            self._channel, self._channel_since_ns = chunk.channel, chunk.t_ns
        if self._timer is None:
            now_s = self._loop.time()
            if now_s >= self._next_s:
                self._flush()
            else:
                self._timer = self._loop.call_at(self._next_s, self._flush)

    def close(self) -> None:
        """Send the chunks that are not sent yet."""
        self._flush()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._chunks:
            return
        if self._channel is not None and self._channel != self._shown:
            self._shown = self._channel
            phase = _PHASES[self._channel]
            self._emit(PhaseChanged(t_ns=self._channel_since_ns, phase=phase, trial_id=self._trial_id))
        self._emit(Chunks(trial_id=self._trial_id, chunks=tuple(self._chunks)))
        self._chunks.clear()
        self._next_s = self._loop.time() + BATCH_S
