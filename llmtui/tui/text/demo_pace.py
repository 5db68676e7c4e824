"""The demo model writes thousands of tokens a second: its text is held back so that it can be watched.

Only the text on the screen is slow. The measurement has happened by then, and its figures are shown at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from llmtui.core.events import Chunks

SLOWED = 20
"""The text is shown at this part of its speed: 1/20."""
LONGEST_S = 8.0
"""For a test's text; what is left of it then comes at once."""


class _Held:
    """Text of one test that has not been shown yet."""

    def __init__(self, trial_id: str, *, slow: bool) -> None:
        self.trial_id = trial_id
        self.slow = slow
        self.chunks: deque[tuple[int, str, str]] = deque()
        self.first_ns = 0
        self.since_s: float | None = None
        """When its first chunk was shown; None before."""

    def due(self, now_s: float) -> tuple[tuple[int, str, str], ...]:
        """Takes out what is to be shown by now."""
        if self.since_s is None and self.chunks:
            self.since_s, self.first_ns = now_s, self.chunks[0][0]
        shown_s = now_s - (now_s if self.since_s is None else self.since_s)
        if not self.slow or shown_s >= LONGEST_S:
            return self.all()
        until_ns = self.first_ns + shown_s * 1e9 / SLOWED
        return tuple(self._until(until_ns))

    def all(self) -> tuple[tuple[int, str, str], ...]:
        """Takes out everything."""
        chunks = tuple(self.chunks)
        self.chunks.clear()
        return chunks

    def _until(self, until_ns: float) -> Iterator[tuple[int, str, str]]:
        while self.chunks and self.chunks[0][0] <= until_ns:
            yield self.chunks.popleft()


class DemoPace:
    """Takes live text as it comes and gives it back when it is to be shown.

    Each test's text runs to its end, ``LONGEST_S`` at most. Then the newest follows; those in between are given all at
    once, so the screen lies behind by one test and no more. Text of a real model waits for nothing.
    """

    def __init__(self) -> None:
        self._held: deque[_Held] = deque()

    @property
    def holds_text(self) -> bool:
        """Something is still to be shown."""
        return any(held.chunks for held in self._held)

    def clear(self) -> None:
        """Forgets everything."""
        self._held.clear()

    def add(self, chunks: Chunks, *, slow: bool) -> None:
        """Takes a batch of text.

        Args:
            chunks: as it came; all batches of a test follow each other.
            slow: it is the demo's.
        """
        if not self._held or self._held[-1].trial_id != chunks.trial_id:
            self._held.append(_Held(chunks.trial_id, slow=slow))
        self._held[-1].chunks.extend(chunks.chunks)

    def due(self, now_s: float) -> Iterator[Chunks]:
        """Gives what is to be shown by now, in order.

        Args:
            now_s: a clock that never goes back.
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
