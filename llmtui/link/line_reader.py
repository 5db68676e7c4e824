"""Parsing of events from the bytes of a pipe or file, shared by all links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmtui.core.events import BadLine, Event, Noted, decode_event
from llmtui.core.records import Problem
from llmtui.link import LinkLost
from llmtui.link.first_bytes import why_no_events

FIRST_BYTES_SHOWN = 80
MAX_LINE_BYTES = 1 << 28
"""Maximum length of a line in bytes, far more than the longest answer takes; a longer line is not an event."""


def event_batches(blocks: Iterable[bytes], *, where: str) -> Iterator[tuple[Event, ...]]:
    """Yield the events in a stream of bytes: one batch for each block of bytes that completes a line.

    Blocks may end anywhere in a line. A malformed line is skipped; only the first one is reported, as a ``Noted``
    event. A last line without its newline is an incomplete write and is left out.

    Args:
        blocks: the stream's bytes in order.
        where: name of the stream, for messages.

    Raises:
        LinkLost: the first bytes are not events, or a line is too long.
    """
    rest = b""
    told = is_checked = False
    t_ns = 0
    for data in blocks:
        if not is_checked:
            is_checked = True
            _check(data, where)
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            raise LinkLost(Problem(code="not_events", args={"where": where}))
        batch: list[Event] = []
        for line in lines:
            if not line.strip():
                continue
            try:
                event = decode_event(line)
            except BadLine as error:
                if not told:
                    told = True
                    batch.append(_skipped(line, where, str(error), t_ns))
                continue
            t_ns = getattr(event, "t_ns", t_ns)
            batch.append(event)
        if batch:
            yield tuple(batch)


def _check(first: bytes, where: str) -> None:
    why = why_no_events(first)
    if why in ("events_utf16", "events_compressed"):
        raise LinkLost(Problem(code=why, args={"where": where}))


def _skipped(line: bytes, where: str, why: str, t_ns: int) -> Noted:
    start = line[:FIRST_BYTES_SHOWN].decode("utf-8", "replace")
    problem = Problem(code="unknown_line", args={"where": where}, detail=f"{start} ({why})")
    return Noted(t_ns=t_ns, level="warning", problem=problem)
