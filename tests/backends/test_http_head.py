"""Heads of HTTP answers that a strict parser refuses are repaired; all others are unchanged."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends.http_head import LONGEST, HeadMender, mended

GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Empty:  \r\nX-Folded: a\r\n b"
BODY = b"5\r\nhello\r\n0\r\n\r\nleft\r\n\r\n"


def fed(raw: bytes, cuts: list[int]) -> bytes:
    mender = HeadMender()
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    return b"".join(mender.feed(raw[start:end]) for start, end in pairwise(places)) + mender.feed(b"")


def test_a_good_head_stays_as_it_is() -> None:
    assert mended(GOOD) == GOOD


@pytest.mark.parametrize("bad", [b"X Bad: y", b"no header", b": empty", b"X-Nul: \x00"])
def test_a_line_that_is_no_header_is_left_out(bad: bytes) -> None:
    assert mended(GOOD + b"\r\n" + bad + b"\r\nX: y") == GOOD + b"\r\nX: y"


def test_a_repeated_transfer_encoding_is_left_out() -> None:
    assert mended(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\ntransfer-encoding: chunked") == (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
    )


@given(
    st.lists(st.integers(0, 1000), max_size=20), st.sampled_from([b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"])
)
def test_the_body_passes_however_it_is_cut(cuts: list[int], before: bytes) -> None:
    raw = before + GOOD + b"\r\nX Bad: y\r\n\r\n" + BODY
    assert fed(raw, cuts) == before + GOOD + b"\r\n\r\n" + BODY


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-OpenSSH\r\n", b"x" * (LONGEST + 1)])
def test_what_is_no_head_passes_at_the_end(raw: bytes) -> None:
    assert fed(raw, [3]) == raw


def test_lines_may_end_without_a_carriage_return() -> None:
    head = b"HTTP/1.1 200 OK\nTransfer-Encoding: identity\nX: y\n\n"
    assert HeadMender().feed(head + b"body") == b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nbody"
