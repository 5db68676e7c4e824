"""JSON documents are found in the bytes of an answer, whatever is between them and however they are cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends.framing import Document, Framing
from llmtui.backends.lenient import StructReader


class Line(msgspec.Struct, frozen=True):
    n: int | None = None
    text: str | None = None


READER = StructReader(Line)
Framed = Callable[[list[dict[str, Any]]], bytes]


def compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def pretty(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def events(before: bytes, end: bytes, lines: Callable[[dict[str, Any]], bytes] = compact) -> Framed:
    def framed(documents: list[dict[str, Any]]) -> bytes:
        one = [b"".join(before + line + end for line in lines(document).split(b"\n")) for document in documents]
        return b"".join(event + end for event in one)

    return framed


FRAMES: dict[str, Framed] = {
    "events": events(b"data: ", b"\n"),
    "events with CR LF": events(b"data: ", b"\r\n"),
    "events with CR": events(b"data: ", b"\r"),
    "events without blanks": events(b"data:", b"\n"),
    "events of several data lines": events(b"data: ", b"\n", pretty),
    "events of several data lines with CR LF": events(b"data: ", b"\r\n", pretty),
    "events not divided by a blank line": lambda of: b"".join(b"data: " + compact(one) + b"\n" for one in of),
    "events with names and comments": lambda of: b"".join(
        b": ping\n\nevent: message\nid: 7\nretry: 5\ndata: " + compact(one) + b"\n\n" for one in of
    ),
    "lines": lambda of: b"".join(compact(one) + b"\n" for one in of),
    "lines with CR LF": lambda of: b"".join(compact(one) + b"\r\n" for one in of),
    "lines with blank ones": lambda of: b"".join(b"\n \n" + compact(one) + b"\n" for one in of),
    "lines with a byte order mark": lambda of: b"\xef\xbb\xbf" + b"\n".join(compact(one) for one in of),
    "one behind the other": lambda of: b"".join(compact(one) for one in of),
    "over several lines": lambda of: b"\n".join(pretty(one) for one in of),
    "an array": lambda of: b"[" + b",\n".join(compact(one) for one in of) + b"]",
}


def read(raw: bytes, cuts: list[int]) -> tuple[list[Document[Line]], Framing[Line]]:
    framing = Framing(READER)
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    found = [document for start, end in pairwise(places) for document in framing.feed(raw[start:end])]
    return [*found, *framing.close()], framing


@pytest.mark.parametrize("frame", FRAMES)
@given(
    texts=st.lists(st.text(), min_size=1, max_size=6),
    cuts=st.lists(st.integers(0, 100_000), max_size=40),
)
def test_any_frame_cut_at_any_bytes_holds_the_same_documents(frame: str, texts: list[str], cuts: list[int]) -> None:
    documents: list[dict[str, Any]] = [{"n": number, "text": text} for number, text in enumerate(texts)]
    found, framing = read(FRAMES[frame](documents), cuts)
    assert framing.bad is None
    assert [msgspec.to_builtins(document.said) for document in found] == documents


@pytest.mark.parametrize("frame", [frame for frame in FRAMES if frame != "an array"])
def test_a_document_is_told_with_its_last_byte(frame: str) -> None:
    framing = Framing(READER)
    assert len(framing.feed(FRAMES[frame]([{"n": 1}, {"n": 2}]))) == 2


def test_one_value_of_another_type_costs_that_value() -> None:
    (document,), _ = read(b'data: {"n": "1", "text": "a"}\n\n', [])
    assert document.said == Line(text="a")


def test_half_characters_and_bytes_that_are_no_text_stay_in_the_text() -> None:
    found, _ = read(b'{"text": "a\\ud83d"}\n{"text": "\xff"}\n', [])
    assert [document.said and document.said.text for document in found] == ["a\ud83d", "\ufffd"]


def test_an_event_has_its_name() -> None:
    found, _ = read(b'event: error\ndata: {"n": 1}\n\ndata: {"n": 2}\n\n', [])
    assert [document.event for document in found] == [b"error", b""]


def test_the_done_mark_is_a_document_of_its_own() -> None:
    found, framing = read(b'data: {"n": 1}\n\ndata: [DONE]\n\n', [])
    assert [document.is_done for document in found] == [False, True]
    assert framing.bad is None


@pytest.mark.parametrize("raw", [b"data: null\n\n", b"data:\n\n", b'data: ""\n\n', b": ping\n\n", b"\n", b""])
def test_what_keeps_a_connection_open_is_no_document(raw: bytes) -> None:
    found, framing = read(raw, [])
    assert (found, framing.bad) == ([], None)


@pytest.mark.parametrize("raw", [b"<html>\n", b'{"n": 1} oops\n', b'data: {"n":\n\ndata: {}\n\n'])
def test_foreign_bytes_are_kept_to_be_shown(raw: bytes) -> None:
    _, framing = read(raw, [])
    assert framing.bad is not None
    assert not framing.cut


@pytest.mark.parametrize("raw", [b"data: oops\n\n", b"data: {}\n\noops\n", b"data: [oops]\n\n"])
def test_foreign_bytes_among_events_are_kept_until_a_document_follows(raw: bytes) -> None:
    _, framing = read(raw, [])
    assert (framing.bad, framing.stray is not None) == (None, True)
    _, framing = read(raw + b"data: {}\n\n", [])
    assert (framing.bad, framing.stray) == (None, None)


@pytest.mark.parametrize("raw", [b'{"n": 1}\n{"n":', b'data: {"n": 1}\n\ndata: {"te', b"{\n"])
def test_a_stream_that_ends_within_a_document_is_cut(raw: bytes) -> None:
    _, framing = read(raw, [])
    assert framing.cut


def test_a_document_that_never_ends_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.backends.framing.MAX_DOCUMENT_BYTES", 1000)
    framing = Framing(READER)
    for _ in range(300):
        framing.feed(b'{"text": "' + b"x" * 10)
    assert framing.bad is not None


@given(st.binary(), st.lists(st.integers(0, 1000), max_size=10))
def test_no_bytes_raise(raw: bytes, cuts: list[int]) -> None:
    read(raw, cuts)
