from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from llmtui.backends.base import ChatRequest, RunnerClue
from llmtui.core.records import Problem
from llmtui.words.evidence import evidence_text
from tests.engine.fake_server import NOWHERE, FakeServer, Words, resident, with_options
from tests.engine.lab import Lab, one_round

# --- outcomes ---------------------------------------------------------------------------------------------------------

ANSWERS: list[tuple[str, Words, str | None]] = [
    ("ok", Words("a b c"), "stop"),
    ("ok", Words("a b c", ended_by="length"), "length"),
    ("ok", Words("", thinking="still at it", ended_by="length"), "length"),
    ("ok", Words("<think>hm</think> yes", thinking=""), "stop"),
    ("thinking_only", Words("", thinking="done thinking"), "stop"),
    ("thinking_only", Words("<think> hm </think>"), "stop"),
    ("empty", Words(""), "stop"),
    ("empty", Words("\n \n"), "stop"),
    ("no_final", Words("a b c", ended_by=None), None),
    ("error", Words("a b c", fail_after=2), None),
    ("stalled", Words("a b c", hang_after=2), None),
    ("stalled", Words("a b c", hang_after=0), None),
]


@pytest.mark.parametrize(("outcome", "words", "ended_by"), ANSWERS)
async def test_outcomes(outcome: str, words: Words, ended_by: str | None) -> None:
    server = FakeServer()
    server.answers = lambda _request, number: words if number == 1 else Words()
    lab = Lab(with_options(one_round(), stall_s=0.2, stall_loading_s=0.2), server)
    assert await lab.run() == "complete"
    row = lab.rows[1]
    assert (row.outcome, row.ended_by) == (outcome, ended_by)
    came = len(words.chunks) if outcome not in ("error", "stalled") else (words.fail_after or words.hang_after or 0)
    assert len(row.timeline.t_ns) == came, "what had come is kept"
    assert (row.problem is not None) == (outcome in ("error", "stalled"))
    assert len(lab.rows) == 4, "a failed trial is a row, and the run goes on"


async def test_a_standstill_ends_the_request_at_the_server() -> None:
    server = FakeServer()
    server.answers = lambda _request, number: Words(hang_after=1) if number == 0 else Words()
    await Lab(with_options(one_round(kinds=("cold",)), stall_s=0.1), server).run()
    assert server.cancelled == 1


async def test_text_and_timeline_belong_together() -> None:
    server = FakeServer()
    server.answers = lambda _request, _number: Words("an answer", thinking="some thought")
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    row = lab.rows[0]
    assert row.text == "some thought an answer "
    assert row.timeline.channels == "ttaa"
    assert row.timeline.chars == (5, 8, 3, 7)
    assert row.t0_ns is not None
    assert row.done_ns is not None
    assert 0 <= row.timeline.t_ns[0] <= row.timeline.t_ns[-1] <= row.done_ns
    assert row.timeline.server_ns is None


async def test_lone_surrogates_are_replaced_and_flagged() -> None:
    server = FakeServer()
    server.answers = lambda _request, _number: Words("bad \ud83d end")
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    assert lab.rows[0].text == "bad \ufffd end "
    assert lab.rows[0].flags == ("text_replaced",)


# --- flags ------------------------------------------------------------------------------------------------------------


def reload_at(number: int, server: FakeServer) -> Callable[[ChatRequest, int], None]:
    """Return an action before the given request: another client reloads the model with other options."""

    def act(_request: ChatRequest, asked: int) -> None:
        if asked == number - 1:
            asyncio.get_running_loop().call_later(0.01, swap)

    def swap() -> None:
        server.memory = [resident("llama3", num_ctx=8192)]

    return act


async def test_a_reload_by_somebody_else_is_flagged_and_the_trial_repeated_once() -> None:
    server = FakeServer()
    server.answers = lambda _request, number: Words(pause_s=0.02) if number == 1 else Words()
    server.before_answer = reload_at(2, server)
    lab = Lab(one_round(), server)
    await lab.run()
    first, second = lab.rows[2], lab.rows[3]
    assert first.flags == ("unexpected_reload",)
    assert "8192" in evidence_text(first.evidence[0])
    assert (second.trial.id, second.repeats, second.trial.attempt) == (f"{first.trial.id}-again", first.trial.id, 2)
    assert second.flags == ()
    assert second.trial.key == first.trial.key
    assert second.trial.tag != first.trial.tag, "the server's prefix cache knows the first one"
    assert [row.order for row in lab.rows] == [1, 2, 3, 4, 5]
    follow_up = server.asked[-1]
    assert follow_up.messages[0].content.startswith(f"[{second.trial.tag}] ")


async def test_a_model_that_left_the_memory_is_a_reload_too() -> None:
    server = FakeServer()
    original = server.resident
    calls = 0

    async def forgetful() -> Any:
        nonlocal calls
        calls += 1
        if len(server.asked) == 2 and not any(model.name == "gone" for model in server.memory):
            server.memory = [resident("gone")]
        return await original()

    server.resident = forgetful  # type: ignore[method-assign]
    lab = Lab(one_round(), server)
    await lab.run()
    assert "unexpected_reload" in lab.rows[2].flags
    assert "not in the server's memory" in evidence_text(lab.rows[2].evidence[0])


async def test_a_long_load_in_a_warm_trial_is_a_reload() -> None:
    server = FakeServer()
    server.answers = lambda _request, number: Words(load_ns=400_000_000) if number in (1, 2) else Words()
    lab = Lab(one_round(), server)
    await lab.run()
    assert [row.flags for row in lab.rows] == [(), ("unexpected_reload",), ("unexpected_reload",), (), ()]
    assert "400 ms" in evidence_text(lab.rows[1].evidence[0])


async def test_another_process_is_a_reload() -> None:
    server = FakeServer()
    lab = Lab(one_round(), server)

    async def clue(_model: object) -> Any:
        return RunnerClue(place=NOWHERE, model_argument="no-such-model-file")

    server.runner_clue = clue  # type: ignore[method-assign, assignment]
    lab.watch.pid = 100

    def restart(_request: ChatRequest, number: int) -> None:
        if number == 2:
            lab.watch.pid = 200

    server.before_answer = restart
    await lab.run()
    assert [row.flags for row in lab.rows] == [(), (), ("unexpected_reload",), (), ()]
    assert "100 to 200" in evidence_text(lab.rows[2].evidence[0])


# --- a model that cannot be loaded ------------------------------------------------------------------------------------


async def test_a_model_that_could_not_be_loaded_is_not_loaded_again_in_the_session() -> None:
    server = FakeServer()
    too_large = Problem(code="out_of_memory", args={"name": "llama3"})
    server.answers = lambda _request, _number: Words(fail_after=0, problem=too_large)
    lab = Lab(one_round(rounds=3, max_rounds=3), server)
    assert await lab.run() == "complete"
    assert len(server.asked) == 1
    problems = [None if row.problem is None else row.problem.code for row in lab.rows]
    assert problems == ["out_of_memory", *["load_failed_before"] * 3]
    assert [row.outcome for row in lab.rows] == ["error", *["skipped"] * 3]
