"""Whether bytes are a session's events is told by how they begin."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from llmtui.cli.sessions import check_journal
from llmtui.cli.startup import Refused
from llmtui.core.events import encode
from llmtui.link import LinkLost
from llmtui.link.first_bytes import why_no_events
from llmtui.link.line_reader import event_batches
from tests.core.made import plan, started

LINE = encode(started(plan()))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (LINE, None),
        (LINE * 3, None),
        (LINE[:-7], None),
        (LINE.replace(b"\n", b"\r\n"), None),
        (b"\xef\xbb\xbf" + LINE, None),
        (b"\n\n" + LINE, None),
        (b"torn start of a line\n" + LINE, None),
        (b'{"type":"SomethingNewer","t_ns":1}\n', None),
        (b"", "events_empty"),
        (b" \n\r\n", "events_empty"),
        (LINE.decode().encode("utf-16"), "events_utf16"),
        (LINE.decode().encode("utf-16-be"), "events_utf16"),
        (gzip.compress(LINE, mtime=0), "events_compressed"),
        (b"PK\x03\x04rest", "events_compressed"),
        (b"round,model,category\n1,a,b\n", "not_events"),
        (b"just words", "not_events"),
        (b'{"a": 1}\n', "not_events"),
        (b"\x7fELF\x02\x01\x01", "not_events"),
    ],
)
def test_the_true_reason_is_found(data: bytes, why: str | None) -> None:
    assert why_no_events(data) == why


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "is empty"), (LINE.decode().encode("utf-16"), "UTF-16"), (gzip.compress(LINE, mtime=0), "compressed"),
     (b"a,b\n", "holds no session events")],
)  # fmt: skip
def test_a_file_is_refused_before_the_screens_with_the_reason(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(data)
    with pytest.raises(Refused, match=words):
        check_journal(path)


def test_a_pipe_of_another_encoding_ends_with_the_reason() -> None:
    with pytest.raises(LinkLost, match="events_utf16"):
        list(event_batches([LINE.decode().encode("utf-16")], where="stdin"))
