"""Setup and the server: its answers, its substitute, its models, its downloads."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from llmtui.config import Settings
from llmtui.core.commands import CancelPull, Command, FindServers, ListModels, PullModel, SetServer
from llmtui.core.events import Event, FoundServer, ListedModel, PullProgressed, ServerChanged, ServersFound
from llmtui.core.records import Problem
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.download import Download
from tests.tui.conftest import INSTALL, wait_until
from tests.tui.fakes import (
    ADDRESS,
    FakeHost,
    FakeLink,
    a_model,
    an_ollama,
    loaded,
    models,
    no_ollama,
    ollama_up,
    refused,
    some_models,
)
from tests.tui.stage import SIZE, Stage, ollama_with, small


class TestServer:
    async def test_who_answers_is_named(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            said = stage.said("ServerLine > Static")
            assert "Ollama 0.34.4" in said
            assert "127.0.0.1:11434" in said
            assert "on this machine" in said

    async def test_another_one_is_named_with_s_and_kept_for_the_next_start(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("s")
            await pilot.pause()
            await pilot.press("ctrl+u", *"box:9999", "enter")
            await wait_until(pilot, lambda: len(stage.link.sent_of(SetServer)) == 2)
            await wait_until(pilot, lambda: stage.host.saved.get("host") == "box:9999")
            await stage.listed(pilot)
        assert stage.link.sent_of(SetServer)[1].address == "http://box:9999"

    async def test_servers_on_this_machine_are_offered_where_the_usual_one_does_not_answer(self) -> None:
        found = FoundServer(address="http://127.0.0.1:8080/v1", kind="openai")

        def answer(command: Command) -> tuple[Event, ...]:
            return (ServersFound(servers=(found,)),) if isinstance(command, FindServers) else no_ollama(command)

        stage = Stage(answer, builtin_available=False)
        async with stage.app.run_test(size=SIZE) as pilot:
            await wait_until(pilot, lambda: "OpenAI-compatible server" in stage.said("#no-models"))
            assert "127.0.0.1:8080/v1" in stage.said("#no-models")
            await pilot.press("s")
            await pilot.pause()
            await pilot.press("enter")
            await wait_until(pilot, lambda: len(stage.link.sent_of(SetServer)) == 2)
        assert stage.link.sent_of(SetServer)[1].address == "http://127.0.0.1:8080/v1"

    async def test_escape_keeps_the_server(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("s")
            await pilot.pause()
            await pilot.press(*"xyz", "escape")
            assert len(stage.link.sent_of(SetServer)) == 1
            assert stage.app.focused is stage.setup.models.models

    async def test_what_is_no_address_is_said_and_can_be_mended(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("s")
            await pilot.pause()
            await pilot.press("ctrl+u", *"my box", "enter")
            await wait_until(pilot, lambda: stage.app._notifications)
            assert len(stage.link.sent_of(SetServer)) == 1
            assert stage.setup.server_line.has_class("-editing")

    async def test_where_no_ollama_answers_the_built_in_server_is_there_and_it_is_said(self) -> None:
        stage = Stage(no_ollama)
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert stage.picked() == ["tiny"]
            said = stage.said("ServerLine > Static")
            assert "Built-in server" in said
            assert "no Ollama at 127.0.0.1:11434" in said
            [tiny] = stage.setup.models.models.options
            await wait_until(pilot, lambda: "built-in demo" in str(tiny.prompt))
            await pilot.press("r")
            await wait_until(pilot, lambda: len(stage.link.sent_of(SetServer)) == 4)
        kinds = [command.kind for command in stage.link.sent_of(SetServer)]
        assert kinds == ["ollama", "builtin", "ollama", "builtin"]

    async def test_without_any_server_it_says_how_to_get_one(self) -> None:
        stage = Stage(no_ollama, builtin_available=False)
        async with stage.app.run_test(size=SIZE) as pilot:
            await wait_until(pilot, lambda: "https://ollama.com/download" in stage.said("#no-models"))
            said = stage.said("#no-models")
            assert "Nothing listens at 127.0.0.1:11434." in stage.said("ServerLine > Static")
            assert "Nothing listens" not in said, "the reason stands once"
            assert INSTALL in said
            assert "No server answers" in stage.said("StartLine")

    async def test_an_ollama_that_is_installed_but_silent_is_to_be_started(self) -> None:
        stage = Stage(no_ollama, builtin_available=False, ollama_installed=True)
        async with stage.app.run_test(size=SIZE) as pilot:
            await wait_until(pilot, lambda: "ollama serve" in stage.said("#no-models"))

    async def test_a_server_named_by_the_person_is_not_replaced(self) -> None:
        stage = Stage(no_ollama, settings=Settings(host=None))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("s")
            await pilot.pause()
            await pilot.press("ctrl+u", *"box", "enter")
            await wait_until(pilot, lambda: "✗" in stage.said("ServerLine > Static"))
            assert stage.link.sent_of(SetServer)[-1].address == "http://box"

    async def test_a_server_without_models_says_how_to_get_one(self) -> None:
        empty = (ollama_up(), models().__class__(address=ADDRESS, models=()))
        stage = Stage(lambda command: empty if isinstance(command, SetServer) else ())
        async with stage.app.run_test(size=SIZE) as pilot:
            await wait_until(pilot, lambda: "no models yet" in stage.said("#no-models"))
            assert "Press d to download" in stage.said("#no-models")

    async def test_a_server_that_comes_back_takes_the_words_away(self) -> None:
        answers: list[tuple[Event, ...]] = [(refused(),), (ollama_up(), models())]
        stage = Stage(lambda command: answers.pop(0) if isinstance(command, SetServer) else (), builtin_available=False)
        async with stage.app.run_test(size=SIZE) as pilot:
            await wait_until(pilot, lambda: "✗" in stage.said("ServerLine > Static"))
            await pilot.press("r")
            await stage.listed(pilot)
            assert not stage.setup.models.has_class("-empty")


class TestOthersInMemory:
    OTHER = loaded(a_model("their-model", 6.0))

    async def test_they_are_named_and_unloaded_unless_the_person_says_keep(self) -> None:
        stage = Stage(ollama_with(*small("a", in_memory=("a",)), resident=(loaded(a_model("a")), self.OTHER)))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await wait_until(pilot, lambda: stage.setup.others.has_class("-shown"))
            said = stage.said("#others-who")
            assert "their-model (6.00 GB)" in said
            assert "a (" not in said.replace("their-model (", "")
            await pilot.press("u", "enter")
            plan = await stage.started(pilot)
        assert plan.others == "keep"
        assert stage.host.saved["unload_others"] is False

    async def test_a_model_that_is_picked_is_nobody_elses(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert not stage.setup.others.has_class("-shown")
            await pilot.press("space")
            assert stage.setup.others.has_class("-shown")
            await pilot.press("space", "enter")
            assert (await stage.started(pilot)).others == "unload"


class TestDownload:
    async def open(self, stage: Stage, pilot: Pilot[Any], name: str) -> Download:
        await stage.listed(pilot)
        await pilot.press("d")
        await wait_until(pilot, lambda: isinstance(stage.app.screen, Download))
        await pilot.press(*name, "enter")
        await wait_until(pilot, lambda: stage.link.sent_of(PullModel))
        assert isinstance(stage.app.screen, Download)
        return stage.app.screen

    async def test_it_shows_how_far_it_is_and_ticks_the_model_when_it_is_there(self) -> None:
        new = ListedModel(model=a_model("tinyllama:latest", 0.6))

        def answer(command: Command) -> tuple[Event, ...]:
            return (models(*some_models(), new),) if isinstance(command, ListModels) else an_ollama(command)

        stage = Stage(answer)
        async with stage.app.run_test(size=SIZE) as pilot:
            window = await self.open(stage, pilot, "tinyllama")
            said = window.query_one("#download-said")
            await wait_until(pilot, lambda: "1.00 GB of 2.00 GB" in str(said.render()))
            assert window.bar.percentage == 0.5
            stage.link.play(PullProgressed(name="tinyllama", status="success", done=True))
            await wait_until(pilot, lambda: stage.app.screen is stage.setup)
            await wait_until(pilot, lambda: stage.picked() == ["phi3:mini", "tinyllama:latest"])

    async def test_escape_stops_it(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await self.open(stage, pilot, "tinyllama")
            await pilot.press("escape")
            assert stage.app.screen is stage.setup
        assert stage.link.sent_of(CancelPull) == [CancelPull()]

    async def test_a_failure_is_said_in_words_and_another_name_can_be_tried(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            window = await self.open(stage, pilot, "nosuch")
            problem = Problem(code="no_such_model", what="There is no model 'nosuch'.", remedy="Look at the library.")
            stage.link.play(PullProgressed(name="nosuch", status="", done=True, problem=problem))
            said = window.query_one("#download-said")
            await wait_until(pilot, lambda: "There is no model 'nosuch'." in str(said.render()))
            assert "Look at the library." in str(said.render())
            # From the half-downloaded model, as the fake server reports.
            assert "Enter continues the download." in str(said.render())

    async def test_what_never_began_does_not_go_on_either(self) -> None:
        stage = Stage(lambda command: () if isinstance(command, PullModel) else an_ollama(command))
        async with stage.app.run_test(size=SIZE) as pilot:
            window = await self.open(stage, pilot, "nosuch")
            stage.link.play(PullProgressed(name="nosuch", status="pulling manifest"))
            problem = Problem(code="no_such_model", what="There is no model 'nosuch'.", remedy="Look at the library.")
            stage.link.play(PullProgressed(name="nosuch", status="", done=True, problem=problem))
            said = window.query_one("#download-said")
            await wait_until(pilot, lambda: "There is no model 'nosuch'." in str(said.render()))
            assert "Enter continues" not in str(said.render())
            assert not window.field.disabled
            assert window.field.value == "nosuch", "to mend it"

    async def test_only_ollama_can(self) -> None:
        stage = Stage(no_ollama)
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("d")
            assert stage.app.screen is stage.setup


async def test_a_server_elsewhere_is_said_to_be_out_of_sight() -> None:
    far = ServerChanged(address="http://box:11434", kind="ollama", version="0.34.4", local=False)
    stage = Stage(lambda command: (far, models()) if isinstance(command, SetServer) else ())
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.listed(pilot)
        assert "not visible from here" in stage.said("ServerLine > Static")


async def test_a_fake_engine_that_is_gone_refuses_with_a_toast() -> None:
    link = FakeLink()
    app = LlmtuiApp(FakeHost(link))
    async with app.run_test(size=SIZE) as pilot:
        link.break_off("gone")
        await wait_until(pilot, lambda: app.feed.ended)
        assert not app.send(ListModels())
