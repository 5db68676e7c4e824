from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends import sse
from llmtui.backends.sse import SseEvent, SseOverflow, SseReader


def read(*pieces: bytes) -> list[SseEvent]:
    """Events of pieces that arrive one after another, stamped 0, 1, 2 and so on."""
    reader = SseReader()
    events = [event for t_ns, piece in enumerate(pieces) for event in reader.feed(piece, t_ns)]
    return events + list(reader.close(len(pieces)))


def data(*pieces: bytes) -> list[bytes]:
    return [event.data for event in read(*pieces)]


def test_an_event_ends_at_a_blank_line() -> None:
    assert data(b"data: one\n\ndata: two\n\n") == [b"one", b"two"]


def test_data_lines_of_one_event_are_joined() -> None:
    assert data(b'data: {"a":\ndata: 1}\n\n') == [b'{"a":\n1}']


@pytest.mark.parametrize("line", [b"data:x", b"data: x", b"data: x\r"])
def test_one_space_and_a_carriage_return_are_not_part_of_the_data(line: bytes) -> None:
    assert data(line + b"\n\n") == [b"x"]


def test_a_second_space_is_part_of_the_data() -> None:
    assert data(b"data:  x\n\n") == [b" x"]


@pytest.mark.parametrize("noise", [b": keep-alive\n", b"event: delta\n", b"id: 7\n", b"retry: 10\n", b"nonsense\n"])
def test_what_is_not_data_is_skipped(noise: bytes) -> None:
    assert data(noise + b"data: x\n" + noise + b"\n" + noise + b"\n") == [b"x"]


def test_carriage_return_line_feed_ends_lines() -> None:
    assert data(b"data: one\r\n\r\ndata: two\r\n\r\n") == [b"one", b"two"]


@pytest.mark.parametrize("separator", ["\u0085", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c"])
def test_unicode_line_separators_stay_in_the_text(separator: str) -> None:
    text = f'{{"content":"a{separator}b"}}'.encode()
    assert data(b"data: " + text + b"\n\n") == [text]


def test_a_byte_order_mark_before_the_first_line_is_dropped() -> None:
    assert data(b"\xef\xbb\xbfdata: x\n\n") == [b"x"]


def test_an_event_without_its_blank_line_is_given_at_the_end() -> None:
    assert data(b"data: one\n\ndata: two\n") == [b"one", b"two"]
    assert data(b"data: one\n\ndata: two") == [b"one", b"two"]


def test_the_done_mark_is_recognised() -> None:
    assert [event.is_done for event in read(b'data: {"a":"[DONE]"}\n\ndata: [DONE]\n\n')] == [False, True]


def test_an_event_is_stamped_when_the_end_of_its_data_line_arrives_not_when_the_blank_line_does() -> None:
    assert read(b"data: o", b"ne", b"\n", b"\n") == [SseEvent(2, b"one")]


def test_events_of_one_piece_share_its_stamp() -> None:
    assert [event.t_ns for event in read(b"", b"data: one\n\ndata: two\n\n")] == [1, 1]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    with pytest.raises(SseOverflow):
        data(b"data: ", *([b"x" * 10] * 20))


def test_an_event_without_an_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    with pytest.raises(SseOverflow):
        data(*([b"data:\n"] * 40))


STREAMS = st.lists(
    st.sampled_from(
        [b"data: a", b"data:b", b"data", b"\n", b"\r\n", b"\n\n", b": c", b"event: d", b"\xc2\x85", b"\xff"]
    )
).map(b"".join)


@given(STREAMS, st.data())
def test_how_the_bytes_are_cut_makes_no_difference(stream: bytes, draw: st.DataObject) -> None:
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert data(*pieces) == data(stream)


@given(st.binary())
def test_no_bytes_make_it_fail(stream: bytes) -> None:
    data(stream)


@given(STREAMS, st.lists(st.integers(1, 5), min_size=1))
def test_stamps_never_go_back(stream: bytes, sizes: list[int]) -> None:
    pieces: list[bytes] = []
    at = 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    stamps = [event.t_ns for event in read(*pieces)]
    assert stamps == sorted(stamps)
    assert all(stamp <= len(pieces) for stamp in stamps)
