"""Bytes become the same events however they are cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.events import Event, Gap, Noted, Sampled, encode
from llmtui.link.line_reader import event_batches
from llmtui.words.problems import problem_what
from tests.core.made import finished, plan, started

PLAN = plan()
EVENTS: tuple[Event, ...] = (
    started(PLAN),
    Sampled(t_ns=5, cores_busy=1.0),
    finished(PLAN, word="né\u0085\u2028 "),
    Gap(chunks=1, samples=2),
)
JOURNAL = b"".join(encode(event) for event in EVENTS)


def cut(data: bytes, at: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted(at), len(data)]
    for start, end in pairwise(edges):
        yield data[start:end]


@given(st.lists(st.integers(0, len(JOURNAL)), max_size=20))
def test_any_cut_gives_the_same_events(at: list[int]) -> None:
    batches = list(event_batches(cut(JOURNAL, at), where="a test"))
    assert tuple(event for batch in batches for event in batch) == EVENTS
    assert all(batches), "an empty batch would wake a reader for nothing"


def test_a_torn_last_line_is_left_out() -> None:
    (batch,) = event_batches([JOURNAL[:-5]], where="a test")
    assert batch == EVENTS[:-1]


def test_lines_of_a_newer_version_are_skipped_and_said_once() -> None:
    strange = b'{"type":"Invented","t_ns":1}\nnot json\n\n'
    (batch,) = event_batches([JOURNAL + strange + strange + encode(EVENTS[-1])], where="the file x")
    assert batch[: len(EVENTS)] == EVENTS
    note, last = batch[len(EVENTS) :]
    assert isinstance(note, Noted)
    assert "Invented" in problem_what(note.problem)
    assert "the file x" in problem_what(note.problem)
    assert last == EVENTS[-1]
