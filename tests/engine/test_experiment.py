from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from llmtui.backends.base import ChatRequest, RunnerClue
from llmtui.core.events import Chunks, Noted, PhaseChanged, PlanExtended, TrialFinished, TrialStarted
from llmtui.core.facts import Problem
from llmtui.core.plan import Plan
from llmtui.engine.bench import Bench
from llmtui.engine.experiment import Experiment, How
from tests.core.made import plan
from tests.engine.fake_server import REFUSED, FakeServer, FakeWatch, Reported, Words, resident, with_options
from tests.engine.waiting import until


class Lab:
    """An experiment with everything around it."""

    def __init__(self, of: Plan, server: FakeServer | None = None) -> None:
        self.plan = of
        self.server = server or FakeServer()
        self.events = Reported()
        self.watch = FakeWatch()
        self.bench = Bench(of, {"ollama": self.server}, emit=self.events.append, watch=self.watch)
        self.experiment = Experiment(self.bench)

    async def run(self) -> How:
        async with asyncio.timeout(30):
            await self.bench.ask_info(self.server)
            return await self.experiment.run()

    def start(self) -> asyncio.Task[How]:
        return asyncio.create_task(self.run())

    @property
    def rows(self) -> list[TrialFinished]:
        return self.events.of(TrialFinished)

    def row(self, trial_id: str) -> TrialFinished:
        return next(row for row in self.rows if row.trial.id == trial_id)

    def kinds(self) -> list[tuple[int, str]]:
        return [(row.trial.contender, row.trial.kind) for row in self.rows]


def one_round(*names: str, **changes: Any) -> Plan:
    return plan(*names or ("llama3",), **({"rounds": 1, "max_rounds": 1} | changes))


def is_warm(request: ChatRequest) -> bool:
    return len(request.messages) == 1 and request.num_predict == 128


# --- the order of things ------------------------------------------------------------------------------------------


async def test_a_block_is_cold_then_warm_then_follow_up() -> None:
    lab = Lab(one_round("llama3", "mistral"))
    assert await lab.run() == "complete"
    order = [contender for contender, kind in lab.kinds() if kind == "cold"]
    assert sorted(order) == [0, 1]
    block = ["cold", "warm", "warm", "follow_up"]
    assert lab.kinds() == [(who, kind) for who in order for kind in block]
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


# --- auto ---------------------------------------------------------------------------------------------------------


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


# --- outcomes -----------------------------------------------------------------------------------------------------

ANSWERS: list[tuple[str, Words, str | None]] = [
    ("ok", Words("a b c"), "stop"),
    ("ok", Words("a b c", ended_by="length"), "length"),
    ("ok", Words("", thinking="still at it", ended_by="length"), "length"),
    ("ok", Words("<think>hm</think> yes", thinking=""), "stop"),
    ("thinking_only", Words("", thinking="done thinking"), "stop"),
    ("thinking_only", Words("<think> hm </think>"), "stop"),
    ("empty", Words(""), "stop"),
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
    came = len(words.pieces) if outcome not in ("error", "stalled") else (words.fail_after or words.hang_after or 0)
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


# --- flags --------------------------------------------------------------------------------------------------------


def reload_at(number: int, server: FakeServer) -> Callable[[ChatRequest, int], None]:
    """Somebody else has the model loaded anew, with other options, before the given request."""

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
    assert "8192" in first.evidence[0]
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
    assert "not in the server's memory" in lab.rows[2].evidence[0]


async def test_a_long_load_in_a_warm_trial_is_a_reload() -> None:
    server = FakeServer()
    server.answers = lambda _request, number: Words(load_ns=400_000_000) if number in (1, 2) else Words()
    lab = Lab(one_round(), server)
    await lab.run()
    assert [row.flags for row in lab.rows] == [(), ("unexpected_reload",), ("unexpected_reload",), (), ()]
    assert "400 ms" in lab.rows[1].evidence[0]


async def test_another_process_is_a_reload() -> None:
    server = FakeServer()
    lab = Lab(one_round(), server)

    async def clue(_model: object) -> Any:
        return RunnerClue(model_argument="no-such-model-file")

    server.runner_clue = clue  # type: ignore[method-assign, assignment]
    lab.watch.pid = 100

    def restart(_request: ChatRequest, number: int) -> None:
        if number == 2:
            lab.watch.pid = 200

    server.before_answer = restart
    await lab.run()
    assert [row.flags for row in lab.rows] == [(), (), ("unexpected_reload",), (), ()]
    assert "100 to 200" in lab.rows[2].evidence[0]


# --- the server is somebody's -------------------------------------------------------------------------------------


async def test_models_of_others_are_unloaded_and_loaded_again_as_they_were() -> None:
    server = FakeServer(memory=[resident("qwen", num_ctx=32768)])
    lab = Lab(one_round("llama3", "mistral"), server)
    await lab.run()
    assert "unload qwen" in server.log
    assert server.log[-1] == "load qwen 32768"
    assert [model.name for model in server.memory] == ["qwen"]
    assert {flag for row in lab.rows for flag in row.flags} == set()


async def test_models_of_others_may_be_kept_and_rows_say_so() -> None:
    server = FakeServer(memory=[resident("qwen")])
    lab = Lab(one_round(others="keep"), server)
    await lab.run()
    assert "unload qwen" not in server.log
    assert {row.flags for row in lab.rows} == {("other_model_resident",)}
    assert "qwen (4.0 GB)" in lab.rows[0].evidence[0]
    assert [model.name for model in server.memory] == ["qwen"], "what this run loaded is unloaded"


async def test_picked_models_are_unloaded_unasked_also_beside_others() -> None:
    server = FakeServer(memory=[resident("mistral"), resident("qwen")])
    lab = Lab(one_round("llama3", "mistral", others="keep", kinds=("cold",)), server)
    await lab.run()
    first = lab.rows[0]
    assert "mistral" not in (first.evidence[0] if first.evidence else "")


async def test_a_picked_model_that_was_in_memory_with_other_options_comes_back_so() -> None:
    server = FakeServer(memory=[resident("llama3", num_ctx=8192)])
    await Lab(one_round(), server).run()
    assert server.memory == [resident("llama3", num_ctx=8192)]


async def test_a_picked_model_that_was_in_memory_as_asked_stays() -> None:
    server = FakeServer(memory=[resident("llama3")])
    await Lab(one_round(preset="auto"), server).run()
    assert [model.name for model in server.memory] == ["llama3"]
    assert not any(line.startswith("load") for line in server.log)


async def test_a_model_that_will_not_go_fails_the_cold_start_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.engine.preparation.UNLOAD_LIMIT_S", 0.2)
    server = FakeServer(memory=[resident("llama3")])
    server.polls_until_gone = 10**9
    lab = Lab(one_round(), server)
    await lab.run()
    assert lab.rows[0].outcome == "error"
    assert lab.rows[0].problem is not None
    assert lab.rows[0].problem.code == "not_unloaded"
    assert [row.outcome for row in lab.rows[1:]] == ["ok"] * 3


async def test_a_server_that_cannot_unload_gets_no_cold_start() -> None:
    server = FakeServer(memory=[resident("llama3", num_ctx=None)])
    server.refuses_unload = Problem(code="unsupported", what="It cannot.")
    lab = Lab(one_round(), server)
    assert await lab.run() == "complete"
    assert [row.outcome for row in lab.rows] == ["skipped", "ok", "ok", "ok"]


# --- steering -----------------------------------------------------------------------------------------------------


def slow(server: FakeServer) -> FakeServer:
    server.answers = lambda _request, _number: Words("one two three four five six seven eight", pause_s=0.02)
    return server


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
    await until(lambda: PhaseChanged(t_ns=0, phase="idle", detail="paused") in [
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


async def test_cancel_keeps_what_had_come_and_leaves_the_server_as_it_was() -> None:
    server = slow(FakeServer(memory=[resident("qwen")]))
    lab = Lab(one_round(), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 2 and len(lab.events.of(Chunks)) > 5)
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


# --- a server that is gone ----------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.engine.outage.BACK_OFF_S", (0.01,) * 5)


@pytest.mark.usefixtures("impatient")
async def test_a_plan_against_a_dead_server_ends_with_rows_and_one_note() -> None:
    server = FakeServer()
    lab = Lab(plan("a", "b", "c"), server)
    running = asyncio.create_task(lab.experiment.run())
    server.down = REFUSED
    assert await running == "failed"
    assert {row.outcome for row in lab.rows} == {"error"}
    assert len(lab.rows) == 3 * 3 * 4, "every promised trial has its row"
    assert lab.rows[0].problem == REFUSED
    assert lab.rows[0].t0_ns is None
    assert server.log.count("info") == 5, "not asked blindly for every trial"
    (note,) = lab.events.of(Noted)
    assert "remaining tests are not tried" in note.problem.what


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_comes_back_is_used_again() -> None:
    server = FakeServer()
    server.answers = lambda _request, number: Words(fail_after=1) if number == 1 else Words()

    def stop(_request: ChatRequest, number: int) -> None:
        if number == 1:
            server.down = REFUSED
            asyncio.get_running_loop().call_later(0.02, lambda: setattr(server, "down", None))

    server.before_answer = stop
    lab = Lab(plan("a", "b", rounds=1, max_rounds=1), server)
    assert await lab.run() == "complete"
    outcomes = [row.outcome for row in lab.rows]
    assert outcomes[:2] == ["ok", "error"]
    assert outcomes[-4:] == ["ok"] * 4


# --- live text ----------------------------------------------------------------------------------------------------


async def test_text_is_sent_on_in_batches_and_all_of_it() -> None:
    server = FakeServer()
    server.answers = lambda _request, _number: Words("word " * 300, thinking="hm", pause_s=0.001)
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    batches: list[Chunks] = lab.events.of(Chunks)
    pieces = [piece for batch in batches for piece in batch.pieces]
    row = lab.rows[0]
    assert "".join(text for _, _, text in pieces) == row.text
    assert tuple(t_ns for t_ns, _, _ in pieces) == row.timeline.t_ns
    assert row.done_ns is not None
    assert len(batches) <= 2 + row.done_ns / 50e6
    assert len(batches[0].pieces) == 1, "the first word is not held back"


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
    assert lab.watch.calls == ["expect", "begin", "first", "end"]
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
