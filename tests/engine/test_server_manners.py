from __future__ import annotations

import asyncio
import os

import msgspec
import pytest

from llmtui.backends.base import BackendFailed, ChatRequest, RunnerClue
from llmtui.core.events import Noted, PhaseChanged
from llmtui.core.plan import Model, Plan, round_blocks
from llmtui.core.records import PhaseDetail, Problem, ResidentModel
from llmtui.engine.experiment import Experiment
from llmtui.words.evidence import evidence_text
from llmtui.words.problems import problem_what
from tests.core.made import plan
from tests.engine.fake_server import NOWHERE, REFUSED, FakeServer, Words, resident
from tests.engine.lab import Lab, one_round
from tests.engine.waiting import until

# --- the server belongs to others too ---------------------------------------------------------------------------------


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
    assert "qwen (4.0 GB)" in evidence_text(lab.rows[0].evidence[0])
    assert [model.name for model in server.memory] == ["qwen"], "what this run loaded is unloaded"


async def test_picked_models_are_unloaded_unasked_also_beside_others() -> None:
    server = FakeServer(memory=[resident("mistral"), resident("qwen")])
    lab = Lab(one_round("llama3", "mistral", others="keep", kinds=("cold",)), server)
    await lab.run()
    first = lab.rows[0]
    assert "mistral" not in str(first.evidence)


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
    server.refuses_unload = Problem(code="cannot_unload", args={"name": "it"})
    lab = Lab(one_round(), server)
    assert await lab.run() == "complete"
    assert [row.outcome for row in lab.rows] == ["skipped", "ok", "ok", "ok"]


async def test_a_server_that_does_not_tell_its_memory_gets_no_cold_start_and_counts_otherwise() -> None:
    """That nothing is known to be in memory does not say that the model was loaded again."""
    server = FakeServer()
    server.tells_memory = False
    server.refuses_unload = Problem(code="cannot_unload", args={"name": "it"})
    server.answers = lambda _request, _number: Words("word " * 100)
    lab = Lab(one_round(), server)
    assert await lab.run() == "complete"
    assert [row.outcome for row in lab.rows] == ["skipped", "ok", "ok", "ok"]
    assert lab.rows[0].problem is not None
    assert "does not report which models are in memory" in problem_what(lab.rows[0].problem)
    assert {flag for row in lab.rows for flag in row.flags} == set()
    assert not lab.events.of(Noted)


async def test_somebody_elses_model_that_will_not_go_is_noted_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.engine.preparation.UNLOAD_LIMIT_S", 0.1)
    server = FakeServer(memory=[resident("qwen")])
    server.polls_until_gone = 10**9
    lab = Lab(one_round(kinds=("warm",), categories=("coding",)), server)
    await lab.run()
    assert [note.problem.code for note in lab.events.of(Noted)][:1] == ["not_unloaded"]
    assert [(row.outcome, row.flags) for row in lab.rows] == [("ok", ("other_model_resident",))]


async def test_one_that_would_not_go_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.engine.preparation.UNLOAD_LIMIT_S", 0.1)
    server = FakeServer(memory=[resident("qwen")])
    server.polls_until_gone = 10**9
    lab = Lab(plan("llama3", rounds=3, max_rounds=3, kinds=("warm",), categories=("coding",)), server)
    await lab.run()
    assert len([note for note in lab.events.of(Noted) if "qwen" in problem_what(note.problem)]) == 1
    assert server.log.count("unload qwen") == 1
    assert {row.flags for row in lab.rows} == {("other_model_resident",)}


async def test_an_older_build_under_a_picked_name_is_left_alone_and_said_to_be_one() -> None:
    """Asking by its name would reach the newer one."""
    older = ResidentModel(name="llama3", digest="digest-of-before", context_length=4096)
    server = FakeServer(memory=[older])
    lab = Lab(one_round("llama3", "mistral", kinds=("cold",)), server)
    await lab.run()
    [note] = lab.events.of(Noted)
    assert note.problem.code == "older_build"
    assert "older build of llama3" in problem_what(note.problem)
    assert [row.outcome for row in lab.rows] == ["ok", "ok"]
    assert all("other_model_resident" in row.flags for row in lab.rows)


async def test_another_name_for_the_same_file_is_unloaded_also_where_others_are_kept() -> None:
    """One process serves both names, so that a start would not be cold."""
    server = FakeServer(memory=[resident("alias"), resident("qwen")])

    async def clue(model: Model) -> RunnerClue:
        return RunnerClue(place=NOWHERE, model_argument=f"sha256-{'0' if model.name in ('llama3', 'alias') else '1'}")

    server.runner_clue = clue  # type: ignore[method-assign]
    lab = Lab(one_round(others="keep", kinds=("cold",)), server)
    await lab.run()
    assert "unload alias" in server.log
    assert "unload qwen" not in server.log
    assert [model.name for model in server.memory] == ["qwen", "alias"], "it is loaded again afterwards"


async def test_a_server_that_cannot_unload_has_no_cold_start_however_many_models_it_has() -> None:
    """Not after a first request either, nor of a model that is missing in its list."""
    server = FakeServer(memory=[resident("llama3")])
    server.can_unload = False
    server.refuses_unload = Problem(code="cannot_unload", args={"name": "it"})
    lab = Lab(one_round("llama3", "mistral", "qwen", rounds=2, max_rounds=2, kinds=("cold", "warm")), server)
    await lab.run()
    cold = [row for row in lab.rows if row.trial.kind == "cold"]
    assert len(cold) == 6
    assert {row.outcome for row in cold} == {"skipped"}
    assert {row.outcome for row in lab.rows if row.trial.kind == "warm"} == {"ok"}


async def test_a_model_that_would_not_go_for_another_one_has_no_cold_start_either() -> None:
    server = FakeServer(memory=[resident("llama3"), resident("mistral")])
    server.refuses_unload = Problem(code="cannot_unload", args={"name": "it"})
    lab = Lab(one_round("llama3", "mistral", rounds=2, max_rounds=2, kinds=("cold",)), server)
    await lab.run()
    assert {row.outcome for row in lab.rows} == {"skipped"}


async def test_a_process_that_outlives_its_entry_is_waited_for_and_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.engine.preparation.UNLOAD_LIMIT_S", 0.2)
    server = FakeServer(memory=[resident("llama3")])

    async def clue(_model: object) -> RunnerClue:
        return RunnerClue(pid=os.getpid())

    server.runner_clue = clue  # type: ignore[method-assign, assignment]
    lab = Lab(one_round(kinds=("cold",)), server)
    await lab.run()
    assert "process_left" in [note.problem.code for note in lab.events.of(Noted)]
    assert [row.outcome for row in lab.rows] == ["ok"]


async def test_what_cannot_be_loaded_again_is_noted() -> None:
    server = FakeServer(memory=[resident("qwen")])

    async def fail(_resident: object) -> None:
        raise BackendFailed(Problem(code="server_error", what="No room."))

    server.load = fail  # type: ignore[method-assign, assignment]
    lab = Lab(one_round(kinds=("cold",)), server)
    assert await lab.run() == "complete"
    assert [problem_what(note.problem) for note in lab.events.of(Noted)] == ["No room."]


async def test_a_load_that_was_cut_short_is_called_off() -> None:
    """A model whose cold start is cancelled is in no list yet, and would be loaded for nothing."""
    server = FakeServer()
    server.answers = lambda _request, _number: Words(hang_after=0)
    lab = Lab(one_round(kinds=("cold",)), server)
    running = lab.start()
    await until(lambda: len(server.asked) == 1)
    await asyncio.sleep(0.01)
    server.memory = []
    running.cancel()
    await running
    assert server.log[-1] == "unload llama3"


# --- a server that is gone --------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.engine.outage.PAUSES_S", (0.01,))


def start_again(server: FakeServer) -> None:
    server.down, server.memory = None, []


def patient(of: Plan, wait_s: float = 20.0) -> Plan:
    return msgspec.structs.replace(of, options=msgspec.structs.replace(of.options, server_wait_s=wait_s))


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
    assert server.log.count("info") == 1, "not asked blindly for every trial"
    (note,) = lab.events.of(Noted)
    assert "the remaining trials are skipped" in problem_what(note.problem)


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_goes_away_is_waited_for_and_what_it_cost_is_measured_again() -> None:
    server = FakeServer()
    server.answers = lambda _request, number: Words(fail_after=1) if number == 2 else Words()

    def stop(_request: ChatRequest, number: int) -> None:
        if number == 2:
            server.down = REFUSED
            asyncio.get_running_loop().call_later(0.1, start_again, server)

    server.before_answer = stop
    of = patient(plan("a", "b", rounds=1, max_rounds=1))
    lab = Lab(of, server)
    assert await lab.run() == "complete"
    assert [row.outcome for row in lab.rows] == ["ok", "ok", "error", *["ok"] * 6]
    assert lab.rows[3].repeats == lab.rows[2].trial.id
    assert {row.trial.key for row in lab.rows} == {trial.key for block in round_blocks(of, 1) for trial in block.trials}
    assert [note.problem.code for note in lab.events.of(Noted)] == ["server_waited_for", "server_back"]
    assert not any("unexpected_reload" in row.flags for row in lab.rows), "it was loaded again before it was asked"
    steps = [event.detail.step for event in lab.events.of(PhaseChanged) if isinstance(event.detail, PhaseDetail)]
    assert steps.count("waiting_for_server") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_follow_up_after_an_outage_finds_its_conversation_in_the_servers_cache() -> None:
    server = FakeServer()
    stopped: list[int] = []

    def stop(request: ChatRequest, number: int) -> None:
        if len(request.messages) == 3 and not stopped:
            stopped.append(number)
            server.down = REFUSED
            asyncio.get_running_loop().call_later(0.1, start_again, server)

    server.before_answer = stop
    server.answers = lambda _request, number: Words(fail_after=0) if stopped == [number] else Words()
    lab = Lab(patient(one_round("a")), server)
    assert await lab.run() == "complete"
    assert [row.outcome for row in lab.rows if row.trial.kind == "follow_up"] == ["error", "ok"]
    primed, asked = server.asked[-2:]
    assert asked.messages[:2] == primed.messages


@pytest.mark.usefixtures("impatient")
async def test_a_wait_can_be_cancelled() -> None:
    server = FakeServer()
    lab = Lab(patient(one_round("a"), wait_s=3600), server)
    running = asyncio.create_task(lab.experiment.run())
    server.down = REFUSED
    await until(lambda: any(note.problem.code == "server_waited_for" for note in lab.events.of(Noted)))
    running.cancel()
    assert await running == "cancelled"


async def test_a_server_whose_last_answer_was_cut_off_is_left_as_found_all_the_same() -> None:
    server = FakeServer(memory=[resident("qwen")])
    server.answers = lambda _request, _number: Words(fail_after=1, problem=Problem(code="cut", what="It was cut."))
    lab = Lab(one_round(kinds=("cold",)), server)
    assert await lab.run() == "complete"
    assert [row.outcome for row in lab.rows] == ["error"]
    assert [model.name for model in server.memory] == ["qwen"]


async def test_one_server_may_be_gone_while_the_other_is_measured() -> None:
    here, gone = FakeServer(kind="builtin"), FakeServer()
    of = plan("gone", "here", rounds=1, max_rounds=1, kinds=("cold",))
    model = msgspec.structs.replace(of.contenders[1].model, backend="builtin")
    contenders = (of.contenders[0], msgspec.structs.replace(of.contenders[1], model=model))
    lab = Lab(msgspec.structs.replace(of, contenders=contenders), gone)
    lab.context.backends["builtin"] = here  # type: ignore[index]
    lab.experiment = Experiment(lab.context)
    gone.down = REFUSED
    with pytest.raises(BackendFailed):
        await lab.context.ask_info(gone)
    assert await lab.experiment.run() == "complete"
    assert {row.trial.contender: row.outcome for row in lab.rows} == {0: "error", 1: "ok"}
    assert here.memory == []
