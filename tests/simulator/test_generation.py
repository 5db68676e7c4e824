from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.simulator.generation import Course, GeneratedChunk, TokenPace, chunks_of, course_of, tokens_of
from llmtui.simulator.model import ScriptedAnswer, SimulatedModel, Stall

INTERVAL_NS = 10_000_000


def chunks(answer: ScriptedAnswer, mode: Any = "off", budget: int = 10_000) -> list[GeneratedChunk]:
    course = course_of(answer, mode=mode, level=None, budget=budget)
    tokens = tokens_of(answer, course, "seed")
    return list(chunks_of(tokens, answer, total=course.total, interval_ns=lambda _: INTERVAL_NS))


def course(answer: ScriptedAnswer, mode: Any = "off", level: str | None = None, budget: int = 10_000) -> Course:
    return course_of(answer, mode=mode, level=level, budget=budget)


def test_an_answer_that_stops_by_itself_ends_with_a_token_without_text() -> None:
    whole = chunks(ScriptedAnswer(tokens=5))
    assert [chunk.text != "" for chunk in whole] == [True] * 4 + [False]
    assert whole[-1].offset_ns == 4 * INTERVAL_NS


def test_a_budget_cuts_an_answer_and_its_last_token_has_text() -> None:
    answer = ScriptedAnswer(tokens=100)
    assert course(answer, budget=7).reason == "length"
    cut = chunks(answer, budget=7)
    assert len(cut) == 7
    assert cut[-1].text


def test_a_budget_that_just_suffices_lets_the_answer_stop_by_itself() -> None:
    assert course(ScriptedAnswer(tokens=7), budget=7).reason == "stop"


def test_with_k_tokens_a_chunk_the_first_comes_k_minus_one_intervals_after_the_first_token() -> None:
    bundles = chunks(ScriptedAnswer(tokens=40, tokens_per_chunk=4), budget=16)
    assert [chunk.offset_ns // INTERVAL_NS for chunk in bundles] == [3, 7, 11, 15]
    assert [(chunk.first_token, chunk.last_token) for chunk in bundles] == [(1, 4), (5, 8), (9, 12), (13, 16)]


def test_held_back_text_comes_with_the_token_that_frees_it() -> None:
    held = chunks(ScriptedAnswer(tokens=10, held_tokens=6))
    assert (held[0].first_token, held[0].last_token, held[0].offset_ns) == (1, 6, 5 * INTERVAL_NS)
    assert [chunk.last_token for chunk in held[1:]] == [7, 8, 9, 10]


def test_tokens_without_text_wait_for_text() -> None:
    answer = ScriptedAnswer(token_texts=("", "a", "", "b"))
    assert [(chunk.text, chunk.first_token, chunk.last_token) for chunk in chunks(answer)] == [
        ("a", 1, 2),
        ("b", 3, 4),
        ("", 5, 5),
    ]


def test_a_change_from_thinking_to_answering_ends_a_chunk() -> None:
    whole = chunks(ScriptedAnswer(thinking_tokens=5, tokens=5, tokens_per_chunk=3), mode="field")
    assert [(chunk.channel, chunk.first_token, chunk.last_token) for chunk in whole] == [
        ("thinking", 1, 3),
        ("thinking", 4, 5),
        ("answer", 6, 8),
        ("answer", 9, 10),
    ]
    assert [chunk.offset_ns // INTERVAL_NS for chunk in whole] == [2, 4, 7, 9]


def test_thinking_can_be_left_out_or_tagged() -> None:
    answer = ScriptedAnswer(thinking_tokens=3, tokens=3)
    assert {chunk.channel for chunk in chunks(answer, mode="off")} == {"answer"}
    tagged = chunks(answer, mode="inline")
    assert tagged[0].text == "<think>"
    thoughts = [chunk for chunk in tagged if chunk.channel == "thinking"]
    assert thoughts[-1].text == "</think>"
    assert len(thoughts) == 5


def test_a_budget_can_end_inside_thinking() -> None:
    cut = chunks(ScriptedAnswer(thinking_tokens=50, tokens=50), mode="field", budget=20)
    assert {chunk.channel for chunk in cut} == {"thinking"}
    assert course(ScriptedAnswer(thinking_tokens=50), "field", budget=20).reason == "length"


def test_thinking_only_stops_by_itself_without_an_answer() -> None:
    answer = ScriptedAnswer(thinking_tokens=20, tokens=0)
    assert course(answer, "field").reason == "stop"
    assert "".join(chunk.text for chunk in chunks(answer, "field") if chunk.channel == "answer") == ""


@pytest.mark.parametrize(("level", "tokens"), [("low", 20), ("medium", 40), ("high", 80)])
def test_a_level_scales_the_thinking(level: str, tokens: int) -> None:
    assert course(ScriptedAnswer(thinking_tokens=40, tokens=10), "field", level).thinking == tokens


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 80),
    st.sampled_from(["off", "field", "inline"]),
)
def test_chunks_hold_every_token_once_in_order(
    thinking_tokens: int, tokens: int, per_chunk: int, held: int, budget: int, mode: Any
) -> None:
    answer = ScriptedAnswer(
        thinking_tokens=thinking_tokens, tokens=tokens, tokens_per_chunk=per_chunk, held_tokens=held, jitter=0.0
    )
    expected = course(answer, mode, budget=budget)
    whole = chunks(answer, mode, budget)
    assert whole[0].first_token == 1
    assert all(later.first_token == earlier.last_token + 1 for earlier, later in pairwise(whole))
    assert whole[-1].last_token == expected.total <= budget
    assert [chunk.is_last for chunk in whole] == [False] * (len(whole) - 1) + [True]
    assert all(chunk.offset_ns == (chunk.last_token - 1) * INTERVAL_NS for chunk in whole)
    assert all(chunk.text for chunk in whole[:-1])


def test_the_pace_knows_rate_scale_stalls_and_the_speed_of_the_moment() -> None:
    speeds = iter([1.0, 0.5, 1.0])
    pace = TokenPace(
        SimulatedModel(name="m", decode_tps=100.0),
        ScriptedAnswer(stalls=(Stall(before_token=4, seconds=2.0),)),
        scale_ns=lambda seconds: round(seconds * 1e8),  # ten times as fast
        speed=lambda: next(speeds),
        seed="s",
    )
    assert [pace(token) for token in (2, 3, 4)] == [1_000_000, 2_000_000, 201_000_000]


@given(st.floats(0, 0.9))
def test_jitter_stays_inside_its_share_and_repeats_with_its_seed(jitter: float) -> None:
    def pace() -> TokenPace:
        return TokenPace(
            SimulatedModel(name="m", decode_tps=100.0),
            ScriptedAnswer(jitter=jitter),
            scale_ns=lambda seconds: round(seconds * 1e9),
            speed=lambda: 1.0,
            seed="s",
        )

    one, other = pace(), pace()
    intervals = [one(token) for token in range(2, 40)]
    assert all(1e7 * (1 - jitter) - 1 <= interval <= 1e7 * (1 + jitter) + 1 for interval in intervals)
    assert intervals == [other(token) for token in range(2, 40)]
