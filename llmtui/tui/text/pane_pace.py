"""The paint rate of a text pane: five times per second, less often while frames are late."""

from __future__ import annotations

SHORTEST_S = 0.2
LONGEST_S = 1.6
LATE_S = 0.10
"""A frame painted more than this many seconds after its flush is late; the period between paints then doubles."""
PROMPT_S = 0.05


class FlushPace:
    """The period between two paints: a late frame doubles it, a fast frame shortens it a little."""

    def __init__(self) -> None:
        self.period_s = SHORTEST_S

    def frame(self, took_s: float) -> None:
        """Adapt the period to the time that a frame took, in seconds."""
        if took_s > LATE_S:
            self.period_s = min(LONGEST_S, self.period_s * 2)
        elif took_s < PROMPT_S:
            self.period_s = max(SHORTEST_S, self.period_s * 0.8)
