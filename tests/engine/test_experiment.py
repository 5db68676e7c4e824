from __future__ import annotations

import pytest

from llmtui.core.events import Chunks, PhaseChanged, PlanExtended, TrialStarted
from tests.core.made import plan
from tests.engine.fake_server import FakeServer, Words, resident
from tests.engine.lab import Lab, is_warm, one_round

# --- the order of things ----------------------------------------------------------------------------------------------


async def test_a_block_is_cold_then_warm_then_follow_up() -> None:
    lab = Lab(one_round("llama3", "mistral"))
    assert await lab.run() == "complete"
    order = [contender for contender, kind in lab.kinds() if kind == "cold"]
    assert sorted(order) == [0, 1]
    block = ["cold", "warm", "warm", "follow_up"]
    assert lab.kinds() == [(index, kind) for index in order for kind in block]
    assert [row.outcome for row in lab.rows] == ["ok"] * 8


async def test_every_trial_is_announced_before_it_is_over_and_counted() -> None:
    lab = Lab(one_round("llama3", "mistral"))
    await lab.run()
    announced: list[TrialStarted] = lab.events.of(TrialStarted)
    assert [(event.order, event.total) for event in announced] == [(order, 8) for order in range(1, 9)]
    assert [row.order for row in lab.rows] == list(range(1, 9))
    assert [event.trial.id for event in announced] == [row.trial.id for row in lab.rows]


async def test_a_cold_start_comes_after_the_model_has_left_the_memory() -> None:
    server = FakeServer(memory=[resident("llama3")])
    server.polls_until_gone = 3
    seen: list[list[str]] = []
    server.before_answer = lambda _request, _number: seen.append([model.name for model in server.memory])
    await Lab(one_round(), server).run()
    assert seen[0] == [], "unloaded and gone before it was asked"
    assert server.log[:3] == ["info", "unload llama3", "chat llama3"]


async def test_requests_of_a_block_have_the_same_options() -> None:
    lab = Lab(one_round())
    await lab.run()
    cold, *warm, follow_up = lab.server.asked
    assert [request.num_predict for request in lab.server.asked] == [16, 128, 128, 32]
    for request in lab.server.asked:
        assert (request.num_ctx, request.think, request.seed, request.temperature) == (4096, False, 42, 0.0)
        assert request.keep_alive_s == 600
    assert cold.messages[0].content == lab.plan.cold_text
    assert [request.reuse_prefix for request in (cold, *warm, follow_up)] == [False, False, False, True]
    tags = [row.trial.tag for row in lab.rows if row.trial.kind == "warm"]
    assert [request.messages[0].content[:7] for request in warm] == [f"[{tag}] " for tag in tags]


async def test_the_follow_up_continues_the_last_prompt_with_the_models_own_answer() -> None:
    server = FakeServer()
    server.answers = lambda _request, number: Words(f"answer number {number}", thinking="let me see")
    lab = Lab(one_round(), server)
    await lab.run()
    last_warm, follow_up = server.asked[-2:]
    assert [message.role for message in follow_up.messages] == ["user", "assistant", "user"]
    assert follow_up.messages[0] == last_warm.messages[0]
    assert follow_up.messages[1].content == "answer number 2 "
    assert follow_up.messages[2].content == lab.plan.follow_up_text


async def test_without_an_answer_there_is_nothing_to_follow_up() -> None:
    server = FakeServer()
    server.answers = lambda request, _number: Words(fail_after=1) if is_warm(request) else Words()
    lab = Lab(one_round(), server)
    assert await lab.run() == "complete"
    assert [row.outcome for row in lab.rows] == ["ok", "error", "error", "skipped"]
    assert lab.rows[-1].problem is not None


async def test_a_block_without_a_cold_start_loads_the_model_unmeasured_first() -> None:
    lab = Lab(one_round(kinds=("warm",)))
    await lab.run()
    assert [row.trial.kind for row in lab.rows] == ["warm", "warm"]
    assert len(lab.server.asked) == 3
    assert lab.server.asked[0].num_predict == 16
    assert [row.flags for row in lab.rows] == [(), ()]


async def test_models_of_a_later_round_go_in_mirrored_order() -> None:
    lab = Lab(plan("a", "b", "c", rounds=2, max_rounds=2, kinds=("cold",)))
    await lab.run()
    order = [row.trial.contender for row in lab.rows]
    assert order[3:] == order[:3][::-1]


# --- auto -------------------------------------------------------------------------------------------------------------


async def test_in_auto_a_model_in_memory_goes_first_and_is_started_cold_last() -> None:
    for ready in ("llama3", "mistral"):
        server = FakeServer(memory=[resident(ready), resident("somebody")])
        lab = Lab(one_round("llama3", "mistral", preset="auto"), server)
        await lab.run()
        assert server.asked[0].model.name == ready
        kinds = [row.trial.kind for row in lab.rows]
        assert kinds == ["warm", "warm", "follow_up", "cold", "cold", "warm", "warm", "follow_up"]
        assert server.log[1] == "unload somebody", "but not the model itself"
        assert {flag for row in lab.rows for flag in row.flags} == set()


@pytest.mark.parametrize(
    ("preset", "num_ctx"), [("standard", 4096), ("auto", 8192)], ids=["not auto", "other context length"]
)
async def test_otherwise_it_starts_cold_as_all_do(preset: str, num_ctx: int) -> None:
    lab = Lab(one_round(preset=preset), FakeServer(memory=[resident("llama3", num_ctx=num_ctx)]))
    await lab.run()
    assert lab.rows[0].trial.kind == "cold"


async def test_further_rounds_are_run_while_they_fit_into_the_budget() -> None:
    lab = Lab(one_round(max_rounds=3, budget_s=60.0, kinds=("cold",)))
    assert await lab.run() == "complete"
    assert [row.trial.round for row in lab.rows] == [1, 2, 3]
    assert [event.rounds for event in lab.events.of(PlanExtended)] == [2, 3]


async def test_a_round_that_would_end_too_late_is_not_begun() -> None:
    server = FakeServer()
    server.answers = lambda _request, _number: Words(pause_s=0.02)
    lab = Lab(one_round(max_rounds=3, budget_s=0.1, kinds=("cold",)), server)
    await lab.run()
    assert [row.trial.round for row in lab.rows] == [1]


# --- live text --------------------------------------------------------------------------------------------------------


async def test_text_is_sent_on_in_batches_and_all_of_it() -> None:
    server = FakeServer()
    server.answers = lambda _request, _number: Words("word " * 300, thinking="hm", pause_s=0.001)
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    batches: list[Chunks] = lab.events.of(Chunks)
    chunks = [chunk for batch in batches for chunk in batch.chunks]
    row = lab.rows[0]
    assert "".join(text for _, _, text in chunks) == row.text
    assert tuple(t_ns for t_ns, _, _ in chunks) == row.timeline.t_ns
    assert row.done_ns is not None
    assert len(batches) <= 2 + row.done_ns / 50e6
    assert len(batches[0].chunks) == 1, "the first word is not held back"


async def test_phases_follow_the_trial() -> None:
    server = FakeServer(memory=[resident("llama3")])
    server.answers = lambda _request, _number: Words("yes", thinking="hm", pause_s=0.06)
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    phases = [(event.phase, event.trial_id) for event in lab.events.of(PhaseChanged)]
    assert phases == [
        ("unload", "r1-m1-cold"),
        ("waiting", "r1-m1-cold"),
        ("thinking", "r1-m1-cold"),
        ("answer", "r1-m1-cold"),
        ("idle", None),
        ("idle", None),
    ]  # fmt: skip


async def test_the_machine_is_watched_from_the_request_to_its_end() -> None:
    server = FakeServer()
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    assert lab.watch.calls == ["expect", "expect", "begin loading", "first", "end"]
    assert lab.rows[0].machine is not None
    assert lab.rows[0].cold_source == "unknown", "the model's size is not known here"
    assert lab.rows[0].resident is not None


async def test_of_a_server_elsewhere_nothing_of_this_machine_is_said() -> None:
    server = FakeServer()
    server.local = False
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    machine = lab.rows[0].machine
    assert machine is not None
    assert machine.disk_read_bytes is None
    assert machine.llmtui_cpu_s == 0.1
