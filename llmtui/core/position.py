"""Speed over the position in an answer, which shows whether a model slows down as its context grows."""

from __future__ import annotations

from collections.abc import Iterator

from llmtui.core.records import Timeline

PARTS = 16
"""Largest number of sections that a text is divided into; fewer if it arrived in few chunks."""


def speed_over_position(timeline: Timeline) -> tuple[tuple[int, float], ...]:
    """Return (number of characters before the section's middle, characters per second) for each section of a text.

    Sections have about the same number of characters and end at the end of a chunk. The first chunk is in no section,
    since its time belongs to the prompt.

    Args:
        timeline: the timeline of one trial, with the model's own text only.
    """
    return tuple(_stretches(timeline))


def _stretches(timeline: Timeline) -> Iterator[tuple[int, float]]:
    if len(timeline.chars) < 3:
        return
    least = max(1, -(-sum(timeline.chars[1:]) // PARTS))
    position = begin = timeline.chars[0]
    begin_ns = timeline.t_ns[0]
    for t_ns, chars in zip(timeline.t_ns[1:], timeline.chars[1:], strict=True):
        position += chars
        if position - begin < least or t_ns <= begin_ns:
            continue
        yield (begin + position) // 2, (position - begin) / ((t_ns - begin_ns) / 1e9)
        begin, begin_ns = position, t_ns
