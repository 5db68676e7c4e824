from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmtui.backends.base import BackendFailed
from llmtui.core.commands import (
    Cancel,
    CancelPull,
    Command,
    ExtendPlan,
    ListModels,
    Pause,
    PullModel,
    Resume,
    SetServer,
    ShowModel,
    Shutdown,
    Skip,
)
from llmtui.core.events import (
    Chunks,
    CommandFailed,
    ModelShown,
    ModelsListed,
    Paused,
    PullProgressed,
    Resumed,
    ServerChanged,
    SessionFinished,
    SessionOpened,
    SessionStarted,
    TrialFinished,
)
from llmtui.store.journal import read_events
from llmtui.words.problems import problem_remedy, problem_what
from tests.engine.command_bench import CommandBench, short, slow
from tests.engine.fake_server import REFUSED, Words
from tests.engine.waiting import until


def files_in(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()}


# --- servers and models -------------------------------------------------------------------------------------------


async def test_a_chosen_server_is_told_with_its_models_and_its_memory(bench: CommandBench) -> None:
    bench.take(SetServer(address="here"))
    changed: ServerChanged = await bench.wait_for(ServerChanged)
    listed: ModelsListed = await bench.wait_for(ModelsListed)
    assert (changed.version, changed.local, changed.problem) == ("0.34.4", True, None)
    assert [entry.model.name for entry in listed.models] == ["llama3", "mistral"]
    assert [model.name for model in listed.resident] == ["qwen"]
    assert bench.opened == [("ollama", "here")]


async def test_models_are_listed_anew_on_the_same_connection(bench: CommandBench) -> None:
    bench.take(SetServer(address="here"))
    await bench.wait_for(ModelsListed)
    bench.take(ListModels())
    await bench.wait_for(ModelsListed, 2)
    assert bench.opened == [("ollama", "here")]


async def test_an_absent_server_is_told_with_the_reason(bench: CommandBench) -> None:
    bench.server.down = REFUSED
    bench.take(SetServer(address="there"))
    changed: ServerChanged = await bench.wait_for(ServerChanged)
    assert (changed.address, changed.problem) == ("there", REFUSED)
    assert bench.of(ModelsListed) == []


async def test_a_server_whose_list_cannot_be_read_is_told_as_absent(
    bench: CommandBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused() -> None:
        raise BackendFailed(REFUSED)

    monkeypatch.setattr(bench.server, "models", refused)
    bench.take(SetServer(address="here"))
    answers = [await bench.wait_for(ServerChanged, 2)]
    assert answers[-1].problem == REFUSED
    assert bench.of(CommandFailed) == []


async def test_what_is_no_address_is_told_too(bench: CommandBench) -> None:
    bench.take(SetServer(address="nonsense"))
    changed: ServerChanged = await bench.wait_for(ServerChanged)
    assert changed.problem is not None
    assert changed.problem.code == "bad_address"


async def test_models_of_no_server_cannot_be_listed(bench: CommandBench) -> None:
    bench.take(ListModels())
    changed: ServerChanged = await bench.wait_for(ServerChanged)
    assert changed.problem is not None
    assert changed.problem.code == "no_server"


async def test_a_model_is_shown(bench: CommandBench) -> None:
    bench.take(SetServer(address="here"), ShowModel(name="llama3"))
    shown: ModelShown = await bench.wait_for(ModelShown)
    assert shown.template == "{{ .Prompt }}"


async def test_a_download_is_told_step_by_step(bench: CommandBench) -> None:
    bench.take(SetServer(address="here"), PullModel(name="new"))
    await until(lambda: any(step.done for step in bench.of(PullProgressed)))
    steps: list[PullProgressed] = bench.of(PullProgressed)
    assert [step.completed_bytes for step in steps] == [10, 50, 100, 100]
    assert steps[-1].problem is None


async def test_a_download_is_stopped_by_command(bench: CommandBench) -> None:
    bench.take(SetServer(address="here"), PullModel(name="new"))
    await bench.wait_for(PullProgressed)
    bench.take(CancelPull())
    await until(lambda: bench.of(PullProgressed)[-1].done)
    assert bench.of(PullProgressed)[-1].problem.code == "pull_cancelled"


async def test_one_download_at_a_time_and_none_beside_a_run(bench: CommandBench) -> None:
    bench.take(SetServer(address="here"), PullModel(name="new"), PullModel(name="newer"))
    assert (await bench.failure("PullModel")).code == "pull_under_way"
    bench.start(short())
    assert (await bench.failure("StartPlan")).code == "pull_disturbs"


# --- runs ---------------------------------------------------------------------------------------------------------


async def test_a_run_is_opened_told_and_closed(bench: CommandBench) -> None:
    bench.start(short())
    finished: SessionFinished = await bench.wait_for(SessionFinished)
    assert finished.how == "complete"
    started: SessionStarted = bench.of(SessionStarted)[0]
    opened: SessionOpened = bench.of(SessionOpened)[0]
    assert Path(opened.folder).name == opened.session_id == started.session_id
    assert (started.fingerprint.server_version, started.fingerprint.server_is_local) == ("0.34.4", True)
    assert started.fingerprint.cores_logical
    assert started.fingerprint.ram_total_bytes
    assert files_in(opened.folder) == {"events.jsonl", "trials.csv", "samples.csv", "summary.csv", "pairs.csv"}


async def test_the_next_run_may_be_asked_for_as_soon_as_the_last_event_is_seen(bench: CommandBench) -> None:
    bench.start(short())
    await bench.wait_for(SessionFinished)
    bench.start(short())
    await bench.wait_for(SessionFinished, 2)
    assert bench.of(CommandFailed) == []


async def test_a_run_against_a_dead_server_has_a_fingerprint_without_version(bench: CommandBench) -> None:
    bench.server.down = REFUSED
    bench.start(short())
    finished: SessionFinished = await bench.wait_for(SessionFinished)
    assert finished.how in ("complete", "failed")
    assert bench.of(SessionStarted)[0].fingerprint.server_version is None
    assert [row.outcome for row in bench.of(TrialFinished)] == ["error"]


async def test_while_a_run_is_under_way_nothing_else_is_done(bench: CommandBench) -> None:
    slow(bench)
    bench.start(short())
    await bench.wait_for(Chunks)
    bench.take(SetServer(address="b"), ListModels(), ShowModel(name="x"), PullModel(name="x"))
    bench.start(short())
    for command in ("SetServer", "ListModels", "ShowModel", "PullModel", "StartPlan"):
        assert (await bench.failure(command)).code == "run_under_way"


async def test_pause_resume_skip_extend_and_cancel_reach_the_run(bench: CommandBench) -> None:
    slow(bench)
    bench.start(short(kinds=("cold", "warm")))
    await bench.wait_for(Chunks)
    bench.take(Pause(), Pause(), Skip(what="trial"))
    first: TrialFinished = await bench.wait_for(TrialFinished)
    assert first.outcome == "skipped"
    assert len(bench.server.asked) == 1
    bench.take(Resume(), ExtendPlan(rounds=1))
    await until(lambda: len(bench.server.asked) == 2)
    bench.take(Cancel())
    finished: SessionFinished = await bench.wait_for(SessionFinished)
    assert finished.how == "cancelled"
    assert bench.of(CommandFailed) == []
    told = [*bench.of(Paused), *bench.of(Resumed)]
    assert len(told) == 2, "each once"
    journal = next(bench.results.iterdir()) / "events.jsonl"
    assert [event for event in read_events(journal) if isinstance(event, Paused | Resumed)] == told


@pytest.mark.parametrize("command", [Pause(), Resume(), Skip(), ExtendPlan(rounds=1), Cancel()])
async def test_without_a_run_there_is_nothing_to_steer(bench: CommandBench, command: Command) -> None:
    bench.take(command)
    assert (await bench.failure(type(command).__name__)).code in ("no_run", "nothing_to_extend")


@pytest.mark.parametrize("changes", [{"contenders": ()}, {"kinds": ("warm",), "prompts": ()}, {"kinds": ()}])
async def test_a_plan_with_nothing_in_it_is_refused(bench: CommandBench, changes: dict[str, Any]) -> None:
    bench.start(short(**changes))
    problem = await bench.failure("StartPlan")
    assert problem.code in ("no_model_picked", "no_prompt_picked")
    assert problem_remedy(problem)


async def test_a_plan_for_an_unknown_kind_of_server_is_refused(bench: CommandBench) -> None:
    of = short()
    model = msgspec.structs.replace(of.contenders[0].model, backend="teleprinter")
    bench.start(msgspec.structs.replace(of, contenders=(msgspec.structs.replace(of.contenders[0], model=model),)))
    assert "teleprinter" in problem_what(await bench.failure("StartPlan"))


async def test_shutdown_ends_a_run_in_order_and_closes_the_server(bench: CommandBench) -> None:
    slow(bench)
    bench.start(short())
    await bench.wait_for(Chunks)
    bench.take(Shutdown())
    async with asyncio.timeout(60):
        await bench.runner.closed.wait()
    await asyncio.wrap_future(bench.recorder.mark())
    assert [row.outcome for row in bench.of(TrialFinished)] == ["cancelled"]
    assert bench.of(SessionFinished)[0].how == "cancelled"
    assert bench.server.log[-2:] == ["unload llama3", "close"]
    assert bench.server.cancelled == 1
    bench.take(ListModels())
    assert bench.of(ServerChanged) == [], "nothing is taken any more"


async def test_an_error_of_our_own_is_told_and_the_session_ends_as_failed(bench: CommandBench) -> None:
    def broken(_request: object, _number: int) -> Words:
        raise ZeroDivisionError("a mistake")

    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    bench.server.answers = broken
    bench.start(short())
    problem = await bench.failure("StartPlan")
    assert problem.code == "internal"
    assert "a mistake" in problem_what(problem)
    assert bench.of(SessionFinished)[0].how == "failed"
    assert isinstance(told[0]["exception"], ZeroDivisionError), "with its traceback in the log"
