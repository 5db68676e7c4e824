"""The demo model writes thousands of tokens per second: its text is held back so that it can be read.

Only the text on screen is delayed. The measurement is over by then, and its figures are shown at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from llmtui.core.events import Chunks

SLOWED = 20
"""The text is shown at this fraction of its speed: 1/20."""
LONGEST_S = 8.0
"""Longest time for a trial's text; the rest is then shown at once."""


class _Held:
    """Text of one trial that has not been shown yet."""

    def __init__(self, trial_id: str, *, slow: bool) -> None:
        self.trial_id = trial_id
        self.slow = slow
        self.chunks: deque[tuple[int, str, str]] = deque()
        self.first_ns = 0
        self.since_s: float | None = None
        """Time at which its first chunk was shown; None before."""

    def due(self, now_s: float) -> tuple[tuple[int, str, str], ...]:
        """Remove and return the text that is due."""
        if self.since_s is None and self.chunks:
            self.since_s, self.first_ns = now_s, self.chunks[0][0]
        shown_s = now_s - (now_s if self.since_s is None else self.since_s)
        if not self.slow or shown_s >= LONGEST_S:
            return self.all()
        until_ns = self.first_ns + shown_s * 1e9 / SLOWED
        return tuple(self._until(until_ns))

    def all(self) -> tuple[tuple[int, str, str], ...]:
        """Remove and return everything."""
        chunks = tuple(self.chunks)
        self.chunks.clear()
        return chunks

    def _until(self, until_ns: float) -> Iterator[tuple[int, str, str]]:
        while self.chunks and self.chunks[0][0] <= until_ns:
            yield self.chunks.popleft()


class DemoPace:
    """A queue of live text that returns it when it is due.

    Each trial's text runs to its end, ``LONGEST_S`` at most. Then the newest follows; those in between are returned at
    once, so the screen is behind by at most one trial. Text of a real model is not delayed.
    """

    def __init__(self) -> None:
        self._held: deque[_Held] = deque()

    @property
    def holds_text(self) -> bool:
        """Whether some text is still to be shown."""
        return any(held.chunks for held in self._held)

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()

    def add(self, chunks: Chunks, *, slow: bool) -> None:
        """Add a batch of text.

        Args:
            chunks: the batch as received; all batches of a trial follow each other.
            slow: whether it is the demo's.
        """
        if not self._held or self._held[-1].trial_id != chunks.trial_id:
            self._held.append(_Held(chunks.trial_id, slow=slow))
        self._held[-1].chunks.extend(chunks.chunks)

    def due(self, now_s: float) -> Iterator[Chunks]:
        """Yield the text that is due, in order.

        Args:
            now_s: time of a monotonic clock.
        """
        while self._held:
            held = self._held[0]
            newer = len(self._held) > 1
            overtaken = newer and (held.since_s is None or any(not other.slow for other in self._held))
            chunks = held.all() if overtaken else held.due(now_s)
            if chunks:
                yield Chunks(trial_id=held.trial_id, chunks=chunks)
            if held.chunks or not newer:
                return
            self._held.popleft()
