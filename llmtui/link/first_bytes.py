"""Detection of files that are not event streams, by their first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from llmtui.core.events import BadLine, decode_event

NotEvents = Literal["events_empty", "events_utf16", "events_compressed", "not_events"]
"""Problem codes: why a file or pipe is not an event stream."""
FIRST_BYTES: Final = 1 << 16

_COMPRESSED: Final = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")
_BOM: Final = b"\xef\xbb\xbf"
_LINES_TRIED: Final = 20


def why_no_events(first: bytes) -> NotEvents | None:
    """Return why bytes are not an event stream; None if they are or may be one.

    Args:
        first: the first ``FIRST_BYTES`` bytes of a file or pipe, or all of a shorter one.
    """
    text = first.removeprefix(_BOM)
    if not text.strip():
        return "events_empty"
    if first.startswith(_COMPRESSED):
        return "events_compressed"
    if first.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in first[:64]:
        return "events_utf16"
    lines = [line for line in text.split(b"\n") if line.strip()]
    if len(first) >= FIRST_BYTES or not first.endswith(b"\n"):
        lines = lines[:-1] or ([] if lines[0].lstrip().startswith(b"{") else lines)
    return "not_events" if lines and not any(_is_event(line) for line in lines[:_LINES_TRIED]) else None


def why_no_journal(path: Path) -> NotEvents | None:
    """Return why a file is not a session's journal; None if it is or may be one.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return why_no_events(file.read(FIRST_BYTES))


def _is_event(line: bytes) -> bool:
    try:
        decode_event(line)
    except BadLine as error:
        return "$.type" in str(error)  # an unknown type: an event of a newer llmtui
    return True
