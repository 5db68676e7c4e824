"""The built-in server's models beside another server's: in one list, and in one run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest_asyncio

from llmtui.core.commands import ListModels, SetServer
from llmtui.core.events import ListedModel, ModelsListed, ServerChanged, SessionFinished, SessionStarted, TrialFinished
from llmtui.core.plan import Model, Plan
from llmtui.core.records import Problem
from llmtui.engine.servers import Servers
from tests.engine.command_bench import CommandBench, short
from tests.engine.fake_server import FakeServer

ABSENT = Problem(code="builtin_missing", what="The built-in server is not installed.")


class Inside(FakeServer):
    """The built-in server, as far as it differs."""

    def __init__(self) -> None:
        super().__init__(kind="builtin")
        self.version = "xllamacpp 1"

    async def models(self) -> tuple[ListedModel, ...]:
        self._answer()
        return (ListedModel(model=Model(name="demo", digest="digest-of-demo", backend="builtin")),)


class TwoServers(CommandBench):
    """A runner with the built-in server beside another one."""

    def __init__(self, results: Path) -> None:
        super().__init__(results)
        self.inside = Inside()
        self.runner._servers = Servers(self._either)

    def _either(self, kind: str, address: str, access: object = None) -> Any:
        return self.inside if kind == "builtin" else self._open(kind, address)


@pytest_asyncio.fixture
async def two(tmp_path: Path) -> AsyncIterator[TwoServers]:
    made = TwoServers(tmp_path / "results")
    yield made
    made.runner.shut_down()
    async with asyncio.timeout(60):
        await made.runner.closed.wait()


async def listed_by(bench: CommandBench, command: SetServer) -> ModelsListed:
    bench.take(command)
    found: ModelsListed = await bench.wait_for(ModelsListed)
    return found


async def test_its_models_stand_beneath_the_servers_own(two: TwoServers) -> None:
    listed = await listed_by(two, SetServer(address="here", with_builtin=True))
    assert [one.model.spelling for one in listed.models] == ["llama3", "mistral", "builtin:demo"]
    assert [one.name for one in listed.resident] == ["qwen"]
    assert two.of(ServerChanged)[-1].kind == "ollama"
    two.take(ListModels())
    assert len((await two.wait_for(ModelsListed, 2)).models) == 3


async def test_not_where_they_are_not_wanted(two: TwoServers) -> None:
    assert len((await listed_by(two, SetServer(address="here"))).models) == 2


async def test_nor_twice(two: TwoServers) -> None:
    listed = await listed_by(two, SetServer(address="builtin", kind="builtin", with_builtin=True))
    assert [one.model.name for one in listed.models] == ["demo"]


async def test_one_that_is_not_installed_is_left_out(two: TwoServers) -> None:
    two.inside.down = ABSENT
    assert len((await listed_by(two, SetServer(address="here", with_builtin=True))).models) == 2


def mixed() -> Plan:
    plan = short("demo", "llama3")
    demo, llama = plan.contenders
    inside = msgspec.structs.replace(demo, model=msgspec.structs.replace(demo.model, backend="builtin"))
    return msgspec.structs.replace(plan, contenders=(inside, llama))


async def test_one_run_asks_both_and_names_both(two: TwoServers) -> None:
    two.start(mixed())
    finished: SessionFinished = await two.wait_for(SessionFinished)
    assert finished.how == "complete"
    assert {row.trial.contender for row in two.of(TrialFinished)} == {0, 1}
    assert [request.model.name for request in two.inside.asked] == ["demo"]
    assert [request.model.name for request in two.server.asked] == ["llama3"]
    print_of_it = two.of(SessionStarted)[0].fingerprint
    assert (print_of_it.server_kind, print_of_it.server_version) == ("ollama", "0.34.4 + xllamacpp 1")


async def test_models_of_either_leave_before_the_other_starts_from_off(two: TwoServers) -> None:
    two.start(mixed())
    await two.wait_for(SessionFinished)
    assert two.inside.memory == []
    assert "unload llama3" in two.server.log
    assert all("other_model_resident" not in row.flags for row in two.of(TrialFinished))
