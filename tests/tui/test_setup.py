"""Setup, from the first start to Enter."""

from __future__ import annotations

from llmtui.config import Settings
from llmtui.core.commands import StartPlan
from llmtui.core.estimate import PastSpeed
from llmtui.tui.screens.dialogs import OwnPrompt
from llmtui.tui.text.setup_times import time_range
from tests.core import made
from tests.tui.conftest import wait_until
from tests.tui.fakes import (
    ADDRESS,
    models,
    some_models,
)
from tests.tui.stage import SIZE, Stage, ollama_with, small


class TestFirstStart:
    async def test_models_in_memory_and_all_categories_are_picked(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert stage.picked() == ["phi3:mini"]
            assert stage.setup.prompts.categories == ("creativity", "reasoning", "coding", "summary")
            assert stage.setup.prompts.picked == ("creativity-1", "reasoning-1", "coding-1", "summary-1")

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
            assert stage.setup.prompts.picked == ("coding-1",)
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
    async def test_space_picks_and_enter_starts_from_the_prompts_too(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("down", "space", "tab", "space")
            assert stage.picked() == ["phi3:mini", "llama3:8b"]
            assert stage.setup.prompts.categories == ("reasoning", "coding", "summary")
            await pilot.press("enter")
            plan = await stage.started(pilot)
        assert len(plan.contenders) == 2
        assert [prompt.category for prompt in plan.prompts] == ["reasoning", "coding", "summary"]

    async def test_a_picks_all_that_can_be_measured_and_then_none(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("a")
            assert stage.picked() == ["phi3:mini", "llama3:8b", "mistral:7b", "gemma:7b", "qwen3:4b"]
            await pilot.press("a")
            assert stage.picked() == []
            assert "No model is picked" in stage.said("StartLine")
            await pilot.press("enter")
            assert stage.link.sent_of(StartPlan) == []

    async def test_what_cannot_be_measured_is_shown_with_the_reason_and_cannot_be_picked(self) -> None:
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

    async def test_a_filter_that_nothing_matches_says_so(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("slash", *"zzz")
            await wait_until(pilot, lambda: "No model has “zzz” in its name." in stage.said("#none-found"))
            assert stage.setup.query_one("#none-found").display
            await pilot.press("escape")
            assert not stage.setup.query_one("#none-found").display

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
            await pilot.click("ModelOptions", offset=(6, 2))
            assert stage.picked() == ["phi3:mini", "mistral:7b"]

    async def test_a_over_the_prompts_asks_all_of_the_picked_categories_and_then_the_first_again(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("tab", "space", "a")
            await wait_until(pilot, lambda: len(stage.setup.prompts.picked) == 6)
            assert "Coding\N{NO-BREAK SPACE}2" in stage.said("PromptLine")
            await pilot.press("a")
            await wait_until(pilot, lambda: len(stage.setup.prompts.picked) == 3)
            await pilot.press("a", "enter")
            plan = await stage.started(pilot)
        assert len(plan.prompts) == 6

    async def test_a_click_on_a_category_takes_it_out(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            at = stage.said("PromptLine").index("Reasoning") + 1
            await pilot.click("PromptLine", offset=(at + 1, 0))
            await wait_until(pilot, lambda: "reasoning" not in stage.setup.prompts.categories)

    async def test_models_read_again_keep_the_ticks(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("down", "space")
            stage.link.play(models(*some_models()[1:]))
            await wait_until(pilot, lambda: "phi3:mini" not in stage.setup.models.models.facts)
            assert stage.picked() == ["llama3:8b"]


class TestHowLong:
    async def test_it_is_said_and_follows_the_choices(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            auto = stage.said("StartLine")
            assert "1 model × 4 prompts" in auto
            assert "2 to 5 rounds" in auto
            assert "per round, " in auto
            await pilot.press("3")
            await wait_until(pilot, lambda: "  5 rounds" in stage.said("StartLine"))
            assert "per round" not in stage.said("StartLine")
            assert stage.setup.preset.value == "standard"

    async def test_earlier_sessions_make_it_exact(self) -> None:
        stage = Stage(past={"sha256-phi3:mini": PastSpeed(decode_tps=20.0, load_s=3.0)})
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            # 4 × (up to 128) + 16 + 32 tokens at 20 tok/s, and 3 s to load.
            await wait_until(pilot, lambda: "≈ 15–45 s per round" in stage.said("StartLine"))

    async def test_each_preset_says_its_key_and_its_time(self) -> None:
        stage = Stage(past={"sha256-phi3:mini": PastSpeed(decode_tps=20.0, load_s=3.0)})
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await wait_until(pilot, lambda: "2 Quick 15–45 s" in stage.said("PresetLine ChoiceLine"))
            said = stage.said("PresetLine ChoiceLine")
            assert "1 Auto" in said
            assert "3 Standard 1–4 min" in said

    async def test_from_five_models_on_five_rounds_are_offered_and_not_chosen(self) -> None:
        stage = Stage(ollama_with(*small("a", "b", "c", "d", "e")))
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            assert "five rounds" not in stage.said("PresetLine .said")
            await pilot.press("a")
            hint = "5 models make 10 pairs: five rounds (key 3)"
            await wait_until(pilot, lambda: hint in stage.said("PresetLine .said"))
            assert stage.setup.plan().preset == "auto"
            await pilot.press("3")
            await wait_until(
                pilot, lambda: "Five rounds: shows which model is faster" in stage.said("PresetLine .said")
            )

    def test_a_time_has_two_digits_that_mean_something(self) -> None:
        assert time_range(3.2, 17.9) == "3–18 s"
        assert time_range(22, 48) == "20–50 s"
        assert time_range(181, 700) == "3–12 min"
        assert time_range(290, 310) == "5 min"
        assert time_range(4000, 9000) == "1–2 h"
        assert time_range(0.1, 0.4) == "1 s"


class TestOptions:
    async def test_they_reach_the_plan_and_the_next_start(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            await pilot.press("o")
            await pilot.pause()
            await pilot.press("ctrl+u", *"200", "tab", "tab", "ctrl+u", *"2048", "tab", "right", "tab")
            await pilot.press("ctrl+u", *"0.7")
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
            assert stage.setup.options.values == Settings()
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


class TestOwnPrompt:
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


class TestWhileASessionRuns:
    async def test_enter_goes_to_it_and_starts_no_other(self) -> None:
        stage = Stage()
        async with stage.app.run_test(size=SIZE) as pilot:
            await stage.listed(pilot)
            stage.link.play(made.started(made.plan()))
            await wait_until(pilot, lambda: "A run is in progress" in stage.said("StartLine"))
            await pilot.press("p")
            assert stage.app.screen is stage.setup
            await pilot.press("enter")
            await wait_until(pilot, lambda: stage.app.current_mode == "live")
        assert stage.link.sent_of(StartPlan) == []
