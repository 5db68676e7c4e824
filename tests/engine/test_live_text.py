from __future__ import annotations

import asyncio
from typing import Any

from llmtui.backends.base import Chunk, Final
from llmtui.core.events import Chunks, PhaseChanged
from llmtui.engine.live_text import ChunkBatcher, CollectedAnswer
from tests.engine.fake_server import Reported
from tests.engine.waiting import until


def chunk(t_ns: int, text: str = "word", channel: Any = "a", **fields: Any) -> Chunk:
    return Chunk(t_ns=t_ns, channel=channel, text=text, **fields)


def answer_of(*chunks: Chunk, sent_ns: int | None = 100) -> CollectedAnswer:
    answer = CollectedAnswer()
    answer.sent_ns = sent_ns
    for one in chunks:
        answer.add(one)
    return answer


def test_the_end_is_the_last_line_or_else_the_last_piece() -> None:
    answer = answer_of(chunk(150), chunk(190))
    assert answer.done_ns == 90
    answer.final = Final(t_ns=195, ended_by="stop", counters=None)
    assert answer.done_ns == 95
    assert answer_of().done_ns is None
    assert answer_of(sent_ns=None).done_ns is None


def test_stamps_that_only_some_pieces_have_are_left_out() -> None:
    whole = answer_of(chunk(110, server_ns=5, tokens=2), chunk(120, server_ns=6, tokens=4)).timeline()
    assert (whole.t_ns, whole.server_ns, whole.tokens) == ((10, 20), (5, 6), (2, 4))
    part = answer_of(chunk(110, server_ns=5), chunk(120, tokens=4)).timeline()
    assert (part.server_ns, part.tokens) == (None, None)
    assert answer_of().timeline().server_ns is None


def test_thinking_is_not_part_of_the_answer() -> None:
    answer = answer_of(chunk(1, "hm ", "t"), chunk(2, "yes"))
    assert (answer.text, answer.answer_text) == ("hm yes", "yes")


async def test_the_first_piece_leaves_at_once_and_later_ones_together() -> None:
    events = Reported()
    live = ChunkBatcher("trial", events.append)
    for number in range(5):
        live.add(chunk(1000 + number), f"w{number}", 1000)
    assert [batch.chunks for batch in events.of(Chunks)] == [((0, "a", "w0"),)]
    await until(lambda: len(events.of(Chunks)) == 2)
    assert [text for _, _, text in events.of(Chunks)[1].chunks] == ["w1", "w2", "w3", "w4"]
    live.close()
    assert len(events.of(Chunks)) == 2


async def test_what_is_left_leaves_at_the_end() -> None:
    events = Reported()
    live = ChunkBatcher("trial", events.append)
    live.add(chunk(1), "a", 0)
    live.add(chunk(2), "b", 0)
    live.close()
    assert [text for batch in events.of(Chunks) for _, _, text in batch.chunks] == ["a", "b"]


async def test_a_phase_is_told_when_it_changes_and_not_oftener_than_text() -> None:
    events = Reported()
    live = ChunkBatcher("trial", events.append)
    for number in range(200):
        live.add(chunk(number, channel="t" if number % 2 else "a"), "x", 0)
    live.close()
    await asyncio.sleep(0)
    assert len(events.of(PhaseChanged)) <= len(events.of(Chunks)) <= 2
