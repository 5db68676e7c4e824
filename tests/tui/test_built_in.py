"""The server inside the program, on Setup: alone, beside another one, and where it cannot be had."""

from __future__ import annotations

from typing import Any

import pytest

from llmtui.config import Settings
from llmtui.config.address import is_this_machine
from llmtui.core.commands import Command, ListModels, SetServer
from llmtui.core.events import Event, ListedModel, ServerChanged
from llmtui.core.records import Problem
from llmtui.tui.text.no_server import no_server_words
from tests.tui.conftest import wait_until
from tests.tui.fakes import a_model, loaded, no_ollama, ollama_up, refused
from tests.tui.fakes import models as models_listed
from tests.tui.stage import SIZE, Stage, ollama_with, small

BROKEN = Problem(
    code="libgomp_missing",
    what="The built-in server cannot start: libgomp1 is missing.",
    remedy="apt install libgomp1",
)


def built_in() -> tuple[ListedModel, ...]:
    demo = a_model("demo", 0.002, backend="builtin", note="built-in demo")
    noise = a_model("synthetic-114M", backend="builtin", size_bytes=None, note="speed only, text is noise")
    return ListedModel(model=demo), ListedModel(model=noise)


def broken(command: Command) -> tuple[Event, ...]:
    """No Ollama, and a built-in server that cannot be imported."""
    if isinstance(command, SetServer) and command.kind == "builtin":
        return (ServerChanged(address="builtin", kind="builtin", problem=BROKEN),)
    return no_ollama(command)


async def rows(stage: Stage, pilot: Any) -> list[str]:
    await stage.listed(pilot)
    await pilot.pause()
    return [str(option.prompt) for option in stage.setup.models.models.options]


class TestBesideAnotherServer:
    async def test_its_models_stand_beneath_named_so_and_not_ticked(self) -> None:
        stage = Stage(ollama_with(*small("a", "b"), *built_in()))
        async with stage.app.run_test(size=SIZE) as pilot:
            shown = await rows(stage, pilot)
            await wait_until(pilot, lambda: stage.picked() == ["a", "b"])
        assert "Inside llmtui (built-in)" in shown[2]
        assert "built-in demo" in shown[3]
        assert "For testing: 1 model" in shown[4]
        assert [row[:3] for row in shown] == ["[✓]", "[✓]", "   ", "[ ]", "   "]

    async def test_the_heading_stands_only_above_what_is_shown(self) -> None:
        stage = Stage(ollama_with(*small("a", "b"), *built_in()))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("slash", *"zzz")
            await wait_until(pilot, lambda: stage.setup.models.models.option_count == 0)
            await pilot.press("ctrl+u", *"demo")
            await wait_until(pilot, lambda: stage.setup.models.models.option_count == 2)

    async def test_alone_it_needs_no_heading(self) -> None:
        stage = Stage(no_ollama)
        async with stage.app.run_test(size=SIZE) as pilot:
            assert len(await rows(stage, pilot)) == 1

    async def test_both_can_be_ticked_and_are_remembered_as_they_are_spelled(self) -> None:
        stage = Stage(ollama_with(*small("a"), *built_in()))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            stage.setup.models.models.toggle("builtin:synthetic-114M")
            await pilot.press("enter")
            plan = await stage.started(pilot)
            await wait_until(pilot, lambda: stage.host.saved.get("models"))
        assert [(one.label, one.model.backend) for one in plan.contenders] == [
            ("a", "ollama"),
            ("synthetic-114M (built-in)", "builtin"),
        ]
        assert stage.host.saved["models"] == ("a", "builtin:synthetic-114M")

    async def test_a_server_without_models_of_its_own_is_said_to_be_one(self) -> None:
        stage = Stage(ollama_with(*built_in()))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await wait_until(pilot, lambda: "no models yet" in stage.said("StartLine"))
            assert stage.picked() == []
            stage.setup.models.models.toggle("builtin:demo")
            await wait_until(pilot, lambda: "1 model" in stage.said("StartLine"))

    async def test_while_only_they_are_picked_the_servers_memory_is_left_alone(self) -> None:
        theirs = loaded(a_model("theirs"))
        stage = Stage(ollama_with(*small("a"), *built_in(), resident=(theirs,)))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await wait_until(pilot, lambda: stage.setup.others.has_class("-shown"))
            stage.setup.models.models.toggle("builtin:demo")
            stage.setup.models.models.toggle("a")
            await wait_until(pilot, lambda: not stage.setup.others.has_class("-shown"))


class TestInPlaceOfAnotherServer:
    async def test_how_the_other_one_is_started_is_said_where_it_is_installed(self) -> None:
        stage = Stage(no_ollama, ollama_installed=True)
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert "start it: ollama serve, then r" in stage.said("ServerLine > Static")

    async def test_a_server_of_the_command_line_is_not_replaced(self) -> None:
        stage = Stage(no_ollama, server_named=True)
        async with stage.app.run_test(size=SIZE) as pilot:
            await wait_until(pilot, lambda: "✗" in stage.said("ServerLine > Static"))
            assert [one.kind for one in stage.link.sent_of(SetServer)] == ["ollama"]

    async def test_one_that_is_broken_says_what_mends_it_and_what_else_there_is(self) -> None:
        stage = Stage(broken)
        async with stage.app.run_test(size=SIZE) as pilot:
            await wait_until(pilot, lambda: "libgomp1 is missing" in stage.said("ServerLine > Static"))
            said = stage.said("#no-models")
            assert "apt install libgomp1" in said
            assert "https://ollama.com/download" in said

    async def test_leaving_says_whose_place_it_took(self) -> None:
        stage = Stage(no_ollama)
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("q")
        assert stage.app.return_value is not None
        assert stage.app.return_value.silent == refused().problem

    async def test_leaving_says_nothing_where_the_server_answered(self) -> None:
        stage = Stage(lambda command: (ollama_up(), models_listed()) if isinstance(command, SetServer) else ())
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("q")
        assert stage.app.return_value is not None
        assert stage.app.return_value.silent is None


def test_a_silent_server_elsewhere_cannot_be_started_from_here() -> None:
    def said(address: str) -> str:
        return str(no_server_words(refused(address), builtin_available=False, ollama_installed=True))

    assert " ollama serve " in said("http://127.0.0.1:11434")
    assert "installed here" not in said("http://box:11434")


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("http://127.0.0.1:11434", True),
        ("http://[::1]:11434", True),
        ("localhost:11434", True),
        ("", True),
        ("http://box:11434", False),
        ("http://192.168.0.7:11434", False),
    ],
)
def test_an_address_is_here_or_elsewhere(address: str, here: bool) -> None:
    assert is_this_machine(address) is here


async def test_the_threads_of_the_settings_reach_the_plan() -> None:
    stage = Stage(ollama_with(*small("a")), settings=Settings(num_thread=1))
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.listed(pilot)
        await pilot.press("enter")
        plan = await stage.started(pilot)
    assert plan.contenders[0].variant.num_thread == 1


async def test_the_list_is_asked_for_again_with_them() -> None:
    stage = Stage(ollama_with(*small("a"), *built_in()))
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.listed(pilot)
        stage.setup.models.models.toggle("builtin:demo")
        await pilot.press("r")
        await wait_until(pilot, lambda: stage.link.sent_of(ListModels))
        await wait_until(pilot, lambda: stage.picked() == ["a", "demo"])
