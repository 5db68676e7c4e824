from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from llmtui.backends.base import ChatRequest, Chunk, Final, RequestSent
from llmtui.core.events import Chunks, Noted, PhaseChanged, PlanExtended, TrialStarted
from llmtui.core.records import PhaseDetail
from llmtui.core.session import Session
from tests.core.made import plan
from tests.engine.fake_server import FakeServer, resident
from tests.engine.lab import Lab, one_round, slow
from tests.engine.waiting import until

# --- steering ---------------------------------------------------------------------------------------------------------


async def test_skip_a_trial() -> None:
    server = slow(FakeServer())
    lab = Lab(one_round(), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 2 and bool(lab.events.of(Chunks)[-1:]))
    lab.experiment.control.skip("trial")
    assert await running == "complete"
    assert [row.outcome for row in lab.rows] == ["ok", "skipped", "ok", "ok"]
    assert server.cancelled == 1


async def test_skip_a_model() -> None:
    server = slow(FakeServer())
    lab = Lab(plan("a", "b", rounds=2, max_rounds=2), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 2)
    first = lab.rows[0].trial.contender
    lab.experiment.control.skip("model")
    assert await running == "complete"
    outcomes = [row.outcome for row in lab.rows if row.trial.contender == first]
    assert outcomes == ["ok", "skipped", "skipped", "skipped"]
    assert len([row for row in lab.rows if row.trial.contender != first]) == 8
    last: TrialStarted = lab.events.of(TrialStarted)[-1]
    assert last.order == last.total == 12


async def test_pause_begins_after_the_trial_and_resume_goes_on() -> None:
    server = slow(FakeServer())
    lab = Lab(one_round(), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 1)
    lab.experiment.control.pause()
    await until(lambda: PhaseChanged(t_ns=0, phase="idle", detail=PhaseDetail(step="paused")) in [
        msgspec.structs.replace(event, t_ns=0) for event in lab.events.of(PhaseChanged)
    ])  # fmt: skip
    assert [row.outcome for row in lab.rows] == ["ok"]
    await asyncio.sleep(0.05)
    assert len(server.asked) == 1
    lab.experiment.control.resume()
    assert await running == "complete"
    assert len(lab.rows) == 4


async def test_more_rounds() -> None:
    server = slow(FakeServer())
    lab = Lab(one_round(kinds=("cold",)), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 1)
    assert lab.experiment.extend(2)
    await running
    assert [row.trial.round for row in lab.rows] == [1, 2, 3]
    assert [event.rounds for event in lab.events.of(PlanExtended)] == [3]
    assert not lab.experiment.extend(1), "it is over"


async def test_rounds_that_are_asked_for_while_the_verdicts_are_looked_at_are_run() -> None:
    lab = Lab(plan("llama3", rounds=1, max_rounds=3, kinds=("warm",), categories=("coding",)))
    original = lab.experiment._session

    async def meanwhile() -> Session | None:
        session = await original()
        if len(lab.rows) == 1:
            assert lab.experiment.extend(1)
        return session

    lab.experiment._session = meanwhile
    assert await lab.run() == "complete"
    assert [row.trial.round for row in lab.rows] == [1, 2]
    assert [event.rounds for event in lab.events.of(PlanExtended)] == [2]


async def test_cancel_keeps_what_had_come_and_leaves_the_server_as_it_was() -> None:
    server = slow(FakeServer(memory=[resident("qwen")]))
    lab = Lab(one_round(), server)
    running = lab.start()
    await until(lambda: len(lab.rows) == 1 and len(server.asked) == 2)
    before = len(lab.events.of(Chunks))
    await until(lambda: len(lab.events.of(Chunks)) > before)
    running.cancel()
    assert await running == "cancelled"
    assert [row.outcome for row in lab.rows] == ["ok", "cancelled"]
    assert lab.rows[1].text.startswith("one ")
    assert server.cancelled == 1
    assert [model.name for model in server.memory] == ["qwen"]


async def test_in_a_hurry_nothing_is_loaded_again_but_this_is_said() -> None:
    server = slow(FakeServer(memory=[resident("qwen")]))
    lab = Lab(one_round(), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 1)
    lab.experiment.hurry()
    running.cancel()
    assert await running == "cancelled"
    assert server.log[-1] == "unload llama3"
    assert [note.problem.code for note in lab.events.of(Noted)] == ["not_loaded_again"]


async def test_a_second_cancellation_does_not_run_ahead_of_the_request_it_ends() -> None:
    """Quitting right after cancelling: the request has to be over before its model is unloaded."""
    server = slow(FakeServer())
    original = server.stream

    async def slow_to_close(request: ChatRequest) -> AsyncGenerator[RequestSent | Chunk | Final, None]:
        try:
            async with aclosing(original(request)) as items:
                async for item in items:
                    yield item
        finally:
            await asyncio.sleep(0.05)
            server.log.append("request over")

    server.stream = slow_to_close  # type: ignore[method-assign]
    lab = Lab(one_round(), server)
    running = lab.start()
    await until(lambda: len(lab.events.of(Chunks)) > 0)
    running.cancel()
    await asyncio.sleep(0.01)
    lab.experiment.hurry()
    running.cancel()
    assert await running == "cancelled"
    assert server.log[-2:] == ["request over", "unload llama3"]
    assert isinstance(lab.events[-1], PhaseChanged), "nothing of the trial comes after its end"


async def test_a_second_cancellation_ends_the_cleaning_up() -> None:
    server = slow(FakeServer(memory=[resident("qwen")]))

    async def never(_resident: object) -> None:
        server.log.append("loading")
        await asyncio.sleep(3600)

    server.load = never  # type: ignore[method-assign, assignment]
    lab = Lab(one_round(), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 1)
    running.cancel()
    await until(lambda: server.log[-1] == "loading")
    running.cancel()
    assert await running == "cancelled"
