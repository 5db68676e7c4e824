"""Delayed display of the demo model's text, which is written at thousands of tokens per second.

Only the text on the screen is delayed, so that it can be read. The figures, measured earlier, are shown at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from llmtui.core.events import Chunks

SLOWED = 20
"""Factor by which the text is shown more slowly than it arrived."""
LONGEST_S = 8.0
"""Longest time in seconds for which a trial's text is delayed; then the rest is shown at once."""


class _Held:
    """The text of one trial that has not been shown yet."""

    def __init__(self, trial_id: str, *, slow: bool) -> None:
        self.trial_id = trial_id
        self.slow = slow
        self.chunks: deque[tuple[int, str, str]] = deque()
        self.first_ns = 0
        self.since_s: float | None = None
        """Time at which the trial's first chunk was shown; None before."""

    def due(self, now_s: float) -> tuple[tuple[int, str, str], ...]:
        """Remove and return the chunks that are due."""
        if self.since_s is None and self.chunks:
            self.since_s, self.first_ns = now_s, self.chunks[0][0]
        shown_s = now_s - (now_s if self.since_s is None else self.since_s)
        if not self.slow or shown_s >= LONGEST_S:
            return self.all()
        until_ns = self.first_ns + shown_s * 1e9 / SLOWED
        return tuple(self._until(until_ns))

    def all(self) -> tuple[tuple[int, str, str], ...]:
        """Remove and return all chunks."""
        chunks = tuple(self.chunks)
        self.chunks.clear()
        return chunks

    def _until(self, until_ns: float) -> Iterator[tuple[int, str, str]]:
        while self.chunks and self.chunks[0][0] <= until_ns:
            yield self.chunks.popleft()


class DemoPace:
    """A queue that returns live text when it is due.

    The text of one trial is played to its end, for at most ``LONGEST_S`` seconds. Then the newest trial follows; the
    text of the trials in between is returned at once, so that the screen lags by at most one trial. Text of a real
    model is not delayed.
    """

    def __init__(self) -> None:
        self._held: deque[_Held] = deque()

    @property
    def holds_text(self) -> bool:
        """Whether the queue is not empty."""
        return any(held.chunks for held in self._held)

    def clear(self) -> None:
        """Remove all text."""
        self._held.clear()

    def add(self, chunks: Chunks, *, slow: bool) -> None:
        """Add a batch of text.

        Args:
            chunks: the batch as received; all of its text is of one trial.
            slow: whether the text is to be delayed, since it is from the demo model.
        """
        if not self._held or self._held[-1].trial_id != chunks.trial_id:
            self._held.append(_Held(chunks.trial_id, slow=slow))
        self._held[-1].chunks.extend(chunks.chunks)

    def due(self, now_s: float) -> Iterator[Chunks]:
        """Remove and yield the text that is due, in order.

        Args:
            now_s: the current time of a monotonic clock, in seconds.
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
