"""Setup, from the first start to Enter."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from llmtui.config import Settings
from llmtui.core.commands import CancelPull, Command, ListModels, PullModel, SetServer, StartPlan
from llmtui.core.estimate import PastSpeed
from llmtui.core.events import Event, ListedModel, PullProgressed, ServerChanged
from llmtui.core.facts import Problem
from llmtui.core.plan import Plan
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.screens.dialogs import Download, OwnPrompt
from llmtui.tui.screens.setup import SetupScreen
from llmtui.tui.widgets.options_panel import OptionValues
from llmtui.tui.widgets.start_line import about_words
from tests.core import made
from tests.tui.conftest import wait_until
from tests.tui.fakes import (
    ADDRESS,
    FakeHost,
    FakeLink,
    a_model,
    an_ollama,
    engine_beside,
    loaded,
    models,
    no_ollama,
    ollama_up,
    refused,
    some_models,
)

SIZE = (120, 36)


class Stage:
    """An app on its Setup screen, with what it sent."""

    def __init__(self, answer: Any = an_ollama, **host: Any) -> None:
        self.link = engine_beside(answer)
        self.host = FakeHost(self.link, **host)
        self.app = LlmtuiApp(self.host)

    @property
    def setup(self) -> SetupScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, SetupScreen)
        return screen

    async def listed(self, pilot: Pilot[Any]) -> None:
        await wait_until(pilot, lambda: self.setup.models.models.listed)

    def picked(self) -> list[str]:
        return [model.name for model in self.setup.models.picked]

    def said(self, selector: str) -> str:
        return str(self.setup.query_one(selector).render())

    async def started(self, pilot: Pilot[Any]) -> Plan:
        await wait_until(pilot, lambda: self.link.sent_of(StartPlan))
        [start] = self.link.sent_of(StartPlan)
        assert start.results_dir == "results"
        assert start.ui_pid is not None
        return start.plan


def small(*names: str, in_memory: tuple[str, ...] = ()) -> tuple[ListedModel, ...]:
    made_up = [a_model(name, size_gb=n + 1) for n, name in enumerate(names)]
    return tuple(
        ListedModel(model=model, resident=loaded(model) if model.name in in_memory else None) for model in made_up
    )


def ollama_with(*listed: ListedModel, **changes: Any) -> Any:
    def answer(command: Command) -> tuple[Event, ...]:
        return (ollama_up(), models(*listed, **changes)) if isinstance(command, SetServer | ListModels) else ()

    return answer


class TestFirstStart:
    async def test_models_in_memory_and_all_questions_are_picked(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert stage.picked() == ["phi3:mini"]
            assert stage.setup.prompts.picked == ("creativity", "reasoning", "coding", "summary")

    async def test_else_the_three_smallest(self) -> None:
        stage = Stage(ollama_with(*small("a", "b", "c", "d")))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert stage.picked() == ["a", "b", "c"]

    async def test_later_the_last_choice(self) -> None:
        settings = Settings(models=("gemma:7b",), categories=("coding",), preset="quick", num_predict=64)
        stage = Stage(settings=settings)
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert stage.picked() == ["gemma:7b"]
            assert stage.setup.prompts.picked == ("coding",)
            assert stage.setup.preset.value == "quick"
            assert stage.setup.options.values.num_predict == 64

    async def test_from_the_program_to_a_run_is_one_key(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("enter")
            plan = await stage.started(pilot)
            await wait_until(pilot, lambda: stage.app.current_mode == "live")
        assert [one.label for one in plan.contenders] == ["phi3:mini"]
        assert plan.preset == "auto"
        assert plan.server == ADDRESS
        assert len(plan.prompts) == 4

    async def test_enter_before_the_server_answers_says_why_nothing_happens(self) -> None:
        stage = Stage(lambda _command: ())
        async with stage.app.run_test(size=SIZE) as pilot:
            await pilot.press("enter")
            assert "Waiting for the server" in stage.said("StartLine")
            assert stage.link.sent_of(StartPlan) == []


class TestPicking:
    async def test_space_picks_and_enter_starts_from_the_questions_too(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("down", "space", "tab", "space")
            assert stage.picked() == ["phi3:mini", "llama3:8b"]
            assert stage.setup.prompts.picked == ("reasoning", "coding", "summary")
            await pilot.press("enter")
            plan = await stage.started(pilot)
        assert len(plan.contenders) == 2
        assert [prompt.category for prompt in plan.prompts] == ["reasoning", "coding", "summary"]

    async def test_a_picks_all_that_can_be_tested_and_then_none(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("a")
            assert stage.picked() == ["phi3:mini", "llama3:8b", "mistral:7b", "gemma:7b", "qwen3:4b"]
            await pilot.press("a")
            assert stage.picked() == []
            assert "No models are picked" in stage.said("StartLine")
            await pilot.press("enter")
            assert stage.link.sent_of(StartPlan) == []

    async def test_what_cannot_be_tested_is_shown_with_the_reason_and_cannot_be_picked(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            row = stage.setup.models.models.get_option("nomic-embed-text")
            assert "makes embeddings, not text" in str(row.prompt)
            assert row.disabled
            stage.setup.models.models.toggle("nomic-embed-text")
            assert "nomic-embed-text" not in stage.picked()

    async def test_typing_narrows_the_list_and_escape_shows_it_all_with_ticks_kept(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press(*"mist")
            shown = [option.id for option in stage.setup.models.models.options]
            assert shown == ["mistral:7b"]
            await pilot.press("enter", "space")
            assert stage.picked() == ["phi3:mini", "mistral:7b"]
            await pilot.press("escape")
            assert stage.setup.models.models.option_count == 7
            assert stage.picked() == ["phi3:mini", "mistral:7b"]

    async def test_the_filter_knows_quantisation_too(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("slash", *"q4_k gem")
            assert [option.id for option in stage.setup.models.models.options] == ["gemma:7b"]

    async def test_a_click_picks(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await wait_until(pilot, lambda: stage.setup.models.models.region.height > 4)
            await pilot.click("ModelList", offset=(6, 2))
            assert stage.picked() == ["phi3:mini", "mistral:7b"]

    async def test_the_preview_is_the_question_under_the_cursor_and_a_asks_all(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("tab", "down", "down")
            assert "longest palindrome" in stage.said("#preview")
            assert "Coding 2" not in stage.said("#preview")
            await pilot.press("a")
            assert "Coding 2" in stage.said("#preview")
            await pilot.press("enter")
            plan = await stage.started(pilot)
        assert len(plan.prompts) == 8

    async def test_models_read_again_keep_the_ticks(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("down", "space")
            stage.link.play(models(*some_models()[1:]))
            await wait_until(pilot, lambda: "phi3:mini" not in stage.setup.models.models.listed)
            assert stage.picked() == ["llama3:8b"]


class TestHowLong:
    async def test_it_is_said_and_follows_the_choices(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            auto = stage.said("StartLine")
            assert "1 model × 4 questions" in auto
            assert "1 to 5 rounds" in auto
            assert "about" in auto
            assert "exact after the first model" in auto
            await pilot.press("3")
            await wait_until(pilot, lambda: "5 rounds" in stage.said("StartLine"))
            assert "1 to 5" not in stage.said("StartLine")
            assert stage.setup.preset.value == "standard"

    async def test_earlier_sessions_make_it_exact(self) -> None:
        stage = Stage(past={"sha256-phi3:mini": PastSpeed(decode_tps=20.0, load_s=3.0)})
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await wait_until(pilot, lambda: "about" in stage.said("StartLine"))
            assert "exact after" not in stage.said("StartLine")

    def test_a_time_has_two_digits_that_mean_something(self) -> None:
        assert about_words(3.2, 17.9) == "about 3–18 s"
        assert about_words(22, 48) == "about 20–50 s"
        assert about_words(181, 700) == "about 3–12 min"
        assert about_words(290, 310) == "about 5 min"
        assert about_words(4000, 9000) == "about 1–2 h"
        assert about_words(0.1, 0.4) == "about 1 s"


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
            assert "Nothing answers at 127.0.0.1:11434." in said
            assert "pip install 'llmtui[builtin]'" in said
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


class TestOptions:
    async def test_they_reach_the_plan_and_the_next_start(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("o")
            await pilot.pause()
            await pilot.press("ctrl+u", *"200", "tab", "ctrl+u", *"2048", "tab", "ctrl+u", *"0.7", "tab", "right")
            await pilot.press("escape")
            assert stage.app.focused is stage.setup.models.models
            await pilot.press("enter")
            plan = await stage.started(pilot)
        assert (plan.options.num_predict, plan.options.temperature) == (200, 0.7)
        assert plan.contenders[0].variant.num_ctx == 2048
        expected = {"num_predict": 200, "num_ctx": 2048, "temperature": 0.7, "think": "on"}
        assert expected.items() <= stage.host.saved.items()

    async def test_a_wrong_number_is_said_and_changes_nothing(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("o")
            await pilot.pause()
            await pilot.press("ctrl+u", *"many")
            said = stage.said("OptionsPanel .problem")
            assert "num_predict must be a whole number from 1 to 131072" in said
            assert stage.setup.options.values == OptionValues()
            await pilot.press("ctrl+u", *"9")
            assert not stage.setup.options.has_class("-wrong")
            assert stage.setup.options.values.num_predict == 9

    async def test_full_answers_are_a_key_and_are_not_kept(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("f", "enter")
            plan = await stage.started(pilot)
        assert plan.options.num_predict == 1024
        assert "num_predict" not in stage.host.saved

    async def test_full_answers_go_back_to_what_was(self) -> None:
        stage = Stage(settings=Settings(num_predict=77))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("f", "f")
            assert stage.setup.options.values.num_predict == 77


class TestOwnQuestion:
    async def test_it_is_asked_of_the_picked_models_at_once(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("p")
            await wait_until(pilot, lambda: isinstance(stage.app.screen, OwnPrompt))
            await pilot.press(*"Why", "ctrl+j", *"me", "enter")
            plan = await stage.started(pilot)
        assert plan.kinds == ("warm",)
        assert [(prompt.category, prompt.text) for prompt in plan.prompts] == [("free", "Why\nme")]

    async def test_nothing_typed_asks_nothing(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("p")
            await wait_until(pilot, lambda: isinstance(stage.app.screen, OwnPrompt))
            await pilot.press("enter")
            assert len(stage.app.screen_stack) == 2
            await pilot.press("escape")
            assert len(stage.app.screen_stack) == 1
        assert stage.link.sent_of(StartPlan) == []


class TestDownload:
    async def open(self, stage: Stage, pilot: Pilot[Any], name: str) -> Download:
        await stage.listed(pilot)
        await pilot.press("d")
        await wait_until(pilot, lambda: isinstance(stage.app.screen, Download))
        await pilot.press(*name, "enter")
        await wait_until(pilot, lambda: stage.link.sent_of(PullModel))
        assert isinstance(stage.app.screen, Download)
        return stage.app.screen

    async def test_it_shows_how_far_it_is_and_lists_the_models_again(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            window = await self.open(stage, pilot, "tinyllama")
            said = window.query_one("#download-said")
            await wait_until(pilot, lambda: "1.00 GB of 2.00 GB" in str(said.render()))
            assert window.bar.percentage == 0.5
            stage.link.play(PullProgressed(name="tinyllama", status="success", done=True))
            await wait_until(pilot, lambda: stage.app.screen is stage.setup)
            await wait_until(pilot, lambda: stage.link.sent_of(ListModels))

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
            assert not window.field.disabled

    async def test_only_ollama_can(self) -> None:
        stage = Stage(no_ollama)
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("d")
            assert stage.app.screen is stage.setup


class TestWhileATestRuns:
    async def test_enter_goes_to_it_and_starts_no_other(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            stage.link.play(made.started(made.plan()))
            await wait_until(pilot, lambda: "A test is running" in stage.said("StartLine"))
            await pilot.press("p")
            assert stage.app.screen is stage.setup
            await pilot.press("enter")
            await wait_until(pilot, lambda: stage.app.current_mode == "live")
        assert stage.link.sent_of(StartPlan) == []


async def test_a_server_elsewhere_is_said_to_be_out_of_sight() -> None:
    far = ServerChanged(address="http://box:11434", kind="ollama", version="0.34.4", local=False)
    stage = Stage(lambda command: (far, models()) if isinstance(command, SetServer) else ())
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.listed(pilot)
        assert "cannot be seen from here" in stage.said("ServerLine > Static")


async def test_a_fake_engine_that_is_gone_refuses_with_a_toast() -> None:
    link = FakeLink()
    app = LlmtuiApp(FakeHost(link))
    async with app.run_test(size=SIZE) as pilot:
        link.break_off("gone")
        await wait_until(pilot, lambda: app.feed.ended)
        assert not app.send(ListModels())
