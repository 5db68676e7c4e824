from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends import ndjson
from llmtui.backends.ndjson import Line, LineCutter, LineTooLong

TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n")).map(str.encode)
BYTES = st.binary(max_size=20).map(lambda data: data.replace(b"\n", b""))
LINES = st.lists(TEXT | BYTES, max_size=8)


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in cuts)})
    return [data[begin:end] for begin, end in pairwise(places)]


@given(lines=LINES, last=BYTES, cuts=st.lists(st.integers(0)))
def test_any_cutting_of_the_bytes_gives_the_same_lines(lines: list[bytes], last: bytes, cuts: list[int]) -> None:
    cutter = LineCutter()
    data = b"".join(line + b"\n" for line in lines) + last

    found = [line.data for number, piece in enumerate(cut(data, cuts)) for line in cutter.feed(number, piece)]
    rest = cutter.rest()

    assert found == [line for line in lines if line.strip()]
    assert (rest.data if rest else b"").strip() == last.strip()


def test_a_line_has_the_moment_of_the_bytes_that_completed_it() -> None:
    cutter = LineCutter()

    assert cutter.feed(1, b'{"a":') == []
    assert cutter.feed(2, b"1}\nx\n\n  \r\ny") == [Line(2, b'{"a":1}'), Line(2, b"x")]
    assert cutter.feed(3, b"\n") == [Line(3, b"y")]
    assert cutter.rest() is None


@pytest.mark.parametrize("inside", ["\u0085", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_a_line_feed_ends_a_line(inside: str) -> None:
    data = f"before{inside}after".encode()

    assert LineCutter().feed(0, data + b"\n") == [Line(0, data)]


def test_a_rest_without_an_end_keeps_the_moment_of_its_last_bytes() -> None:
    cutter = LineCutter()
    cutter.feed(1, b"whole\nbe")
    cutter.feed(2, b"gun")

    assert cutter.rest() == Line(2, b"begun")


def test_a_server_that_never_ends_its_line_is_not_listened_to_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndjson, "MAX_LINE_BYTES", 100)
    cutter = LineCutter()
    cutter.feed(0, b"x" * 60)

    with pytest.raises(LineTooLong):
        cutter.feed(1, b"x" * 60)
