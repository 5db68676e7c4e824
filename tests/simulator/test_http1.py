from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.simulator.http1 import HttpError, Request, RequestParser, chunk, response_head

POST = b'POST /api/chat?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\n{"a":1}'
CHUNKED = (
    b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'3\r\n{"a\r\n4;note=x\r\n":1}\r\n0\r\nTrailer: t\r\n\r\n'
)
GET = b"GET /api/ps HTTP/1.1\r\nHost: localhost\r\n\r\n"


def parsed_in_pieces(stream: bytes, cuts: list[int]) -> list[Request]:
    parser = RequestParser()
    requests: list[Request] = []
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(edges):
        requests += parser.feed(stream[start:end])
    assert parser.idle
    return requests


@given(st.lists(st.integers(0, 10_000), max_size=8))
def test_requests_are_the_same_wherever_the_stream_is_split(cuts: list[int]) -> None:
    first, second, third = parsed_in_pieces(POST + CHUNKED + GET, cuts)
    assert (first.method, first.path, first.query, first.body) == ("POST", "/api/chat", "x=1", b'{"a":1}')
    assert second.body == b'{"a":1}'
    assert (third.method, third.path, third.body) == ("GET", "/api/ps", b"")


@given(st.binary(max_size=300))
def test_any_bytes_are_requests_or_an_http_error(data: bytes) -> None:
    status = 400
    try:
        RequestParser().feed(data)
    except HttpError as error:
        status = error.status
    assert 400 <= status < 600


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * 70_000, 431),
    ],
)
def test_what_is_no_request_is_refused_with_a_status(head: bytes, status: int) -> None:
    with pytest.raises(HttpError) as caught:
        RequestParser().feed(head)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: keep-alive\r\n", True),
    ],
)
def test_connections_are_kept_as_the_version_says(version: str, connection: str, kept: bool) -> None:
    (request,) = RequestParser().feed(f"GET / HTTP/{version}\r\nHost: x\r\n{connection}\r\n".encode())
    assert request.keep_alive is kept


def test_a_chunk_carries_its_length_in_hexadecimal() -> None:
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


def test_a_status_without_a_phrase_can_be_answered() -> None:
    assert response_head(499, {}).startswith(b"HTTP/1.1 499 ")
