"""Paint rate of a pane: five times per second, less while the screen cannot keep up."""

from __future__ import annotations

SHORTEST_S = 0.2
LONGEST_S = 1.6
LATE_S = 0.10
"""From a flush to the end of the paint: above this the frame was late, and the period doubles."""
PROMPT_S = 0.05


class FlushPace:
    """A period that doubles with each late frame and shrinks again in small steps."""

    def __init__(self) -> None:
        self.period_s = SHORTEST_S

    def frame(self, took_s: float) -> None:
        """Record the duration of a frame."""
        if took_s > LATE_S:
            self.period_s = min(LONGEST_S, self.period_s * 2)
        elif took_s < PROMPT_S:
            self.period_s = max(SHORTEST_S, self.period_s * 0.8)
