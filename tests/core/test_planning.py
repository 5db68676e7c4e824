from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.choices import Choices, Thinking
from llmtui.core.events import ListedModel
from llmtui.core.plan import IMPORTED, Model, Think, ThinkingControl, contender_block, num_ctx
from llmtui.core.planning import (
    FULL_ANSWER_TOKENS,
    PRESETS,
    NothingToRun,
    Rounds,
    cannot_think_so,
    contenders,
    default_categories,
    default_models,
    make_free_plan,
    make_plan,
    repeated,
    thinking_ways,
)
from llmtui.core.prompts import Category, Prompt, PromptPack, prompt_sha256
from llmtui.core.records import Problem, ResidentModel

SERVER = "http://127.0.0.1:11434"


def model(name: str, **changes: Any) -> Model:
    fields: dict[str, Any] = {"name": name, "digest": f"digest-{name}", "size_bytes": 4_000_000_000}
    return Model(**(fields | changes))


def listed(name: str, *, in_memory: bool = False, unfit: bool = False, **changes: Any) -> ListedModel:
    one = model(name, **changes)
    resident = ResidentModel(name=name, digest=one.digest) if in_memory else None
    return ListedModel(
        model=one, resident=resident, why_not=Problem(code="makes_embeddings", args={"name": name}) if unfit else None
    )


def pack() -> PromptPack:
    def category(name: str) -> Category:
        prompts = tuple(Prompt(id=f"{name}-{n}", category=name, title=name, text=f"{name} {n}") for n in (1, 2, 3))
        return Category(id=name, title=name.title(), prompts=prompts)

    categories = tuple(category(name) for name in ("creativity", "coding", "summary"))
    return PromptPack(
        name="p", language="es", categories=categories, cold="cold", follow_up="why", sources=("prompts.toml",)
    )


class TestWhatIsPickedAtTheFirstStart:
    def test_models_in_memory(self) -> None:
        found = default_models([listed("a"), listed("b", in_memory=True), listed("c")])
        assert found == ("b",)

    def test_else_the_three_smallest_in_the_order_of_the_list(self) -> None:
        sizes = {"a": 5, "b": 1, "c": 4, "d": 2}
        assert default_models([listed(name, size_bytes=size) for name, size in sizes.items()]) == ("b", "c", "d")

    def test_a_model_of_unknown_size_comes_last(self) -> None:
        found = default_models([listed("x", size_bytes=None), *(listed(n, size_bytes=9) for n in "abc")])
        assert found == ("a", "b", "c")

    def test_never_one_that_cannot_be_benchmarked(self) -> None:
        found = default_models([listed("embed", unfit=True, in_memory=True, size_bytes=1), listed("a")])
        assert found == ("a",)

    def test_later_the_last_choice_as_far_as_it_is_there(self) -> None:
        models = [listed("a"), listed("b", in_memory=True), listed("c")]
        assert default_models(models, ("c", "gone")) == ("c",)
        assert default_models(models, ("gone",)) == ("b",)

    BUILTIN = (
        listed("demo", backend="builtin", note="built-in demo", size_bytes=1),
        listed("synthetic-24M", backend="builtin", note="speed only", size_bytes=2),
    )

    def test_beside_a_servers_models_never_a_built_in_one(self) -> None:
        models = (listed("a"), *self.BUILTIN)
        assert default_models(models) == ("a",)
        assert default_models(models, ("builtin:demo",)) == ("a",)
        assert default_models(self.BUILTIN) == ()

    def test_unless_both_were_chosen_last(self) -> None:
        models = (listed("a"), listed("b"), *self.BUILTIN)
        assert default_models(models, ("b", "builtin:synthetic-24M")) == ("b", "builtin:synthetic-24M")

    def test_of_the_built_in_server_alone_the_demo(self) -> None:
        assert default_models(self.BUILTIN, server="builtin") == ("builtin:demo",)
        chosen = ("builtin:synthetic-24M",)
        assert default_models(self.BUILTIN, chosen, server="builtin") == chosen

    def test_or_the_files_that_somebody_named(self) -> None:
        models = (*self.BUILTIN, listed("/home/p/own.gguf", backend="builtin"))
        assert default_models(models, ("builtin:demo",), server="builtin") == ("builtin:/home/p/own.gguf",)

    def test_all_categories_or_the_last_ones(self) -> None:
        assert default_categories(pack()) == ("creativity", "coding", "summary")
        assert default_categories(pack(), ("summary", "gone")) == ("summary",)
        assert default_categories(pack(), ()) == ("creativity", "coding", "summary")


class TestPlan:
    def test_asks_the_first_prompt_of_each_picked_category(self) -> None:
        plan = make_plan([model("a")], pack(), server=SERVER, categories=("summary", "creativity"))
        assert [prompt.id for prompt in plan.prompts] == ["creativity-1", "summary-1"]
        assert plan.prompts[0].sha256 == prompt_sha256("creativity 1")

    def test_asks_all_prompts_when_wished(self) -> None:
        plan = make_plan([model("a")], pack(), server=SERVER, choices=Choices(all_prompts=True))
        assert len(plan.prompts) == 9

    def test_carries_pack_language_server_and_options(self) -> None:
        choices = Choices(
            num_predict=7, temperature=0.5, quiet_wait_s=3.0, stall_s=4.0, unload_others=False, num_ctx=999
        )
        plan = make_plan([model("a")], pack(), server=SERVER, choices=choices, seed=3)
        assert (plan.pack, plan.language, plan.server, plan.seed, plan.others) == ("p", "es", SERVER, 3, "keep")
        assert (plan.cold_text, plan.follow_up_text, plan.options.num_predict) == ("cold", "why", 7)
        assert (plan.options.quiet_wait_s, plan.options.stall_s, plan.options.temperature) == (3.0, 4.0, 0.5)
        assert plan.contenders[0].variant.num_ctx == 999

    @pytest.mark.parametrize(
        ("preset", "rounds", "most", "budget_s"),
        [("auto", 2, 5, 360.0), ("quick", 1, 1, None), ("standard", 5, 5, None), ("thorough", 5, 10, None)],
    )
    def test_presets_say_how_often(self, preset: Any, rounds: int, most: int, budget_s: float | None) -> None:
        plan = make_plan([model("a")], pack(), server=SERVER, choices=Choices(preset=preset))
        assert (plan.preset, plan.rounds, plan.max_rounds, plan.budget_s) == (preset, rounds, most, budget_s)
        assert PRESETS[preset] == Rounds(rounds, most, budget_s)

    def test_rounds_can_be_given_instead(self) -> None:
        plan = make_plan([model("a")], pack(), server=SERVER, choices=Choices(rounds=7, budget_s=60.0))
        assert (plan.rounds, plan.max_rounds, plan.budget_s) == (7, 7, None)

    def test_refuses_nothing_in_a_sentence(self) -> None:
        with pytest.raises(NothingToRun, match="no_model_picked"):
            make_plan([], pack(), server=SERVER)
        with pytest.raises(NothingToRun, match="no_prompt_picked"):
            make_plan([model("a")], pack(), server=SERVER, categories=())


class TestThinking:
    THINKER = model("qwen3", thinking=True)

    def test_off_where_possible(self) -> None:
        assert thinking_ways(self.THINKER, "off") == (False,)

    def test_only_models_that_can_are_told_to_think(self) -> None:
        assert thinking_ways(self.THINKER, "on") == (True,)
        assert thinking_ways(model("llama3", thinking=False), "on") == (False,)
        assert thinking_ways(model("llama3", thinking=None), "both") == (False,)

    @pytest.mark.parametrize("family", ["gptoss", "gpt-oss"])
    def test_gpt_oss_thinks_little_instead_of_not(self, family: str) -> None:
        oss = model("some:20b", thinking=True, family=family)
        assert thinking_ways(oss, "off") == ("low",)
        assert thinking_ways(oss, "both") == ("low", "medium")

    def test_on_and_off_are_two_lines_of_the_comparison(self) -> None:
        plan = make_plan([self.THINKER, model("llama3")], pack(), server=SERVER, choices=Choices(think="both"))
        assert [one.label for one in plan.contenders] == ["qwen3 (no think)", "qwen3 (think)", "llama3"]
        assert [one.variant.think for one in plan.contenders] == [False, True, False]


class TestLabelsAndKeys:
    def test_a_built_in_model_is_named_so_beside_others(self) -> None:
        inside = model("synthetic-114M", backend="builtin", note="speed only")
        [first, second] = make_plan([model("synthetic-114M:latest"), inside], pack(), server=SERVER).contenders
        assert (first.label, second.label) == ("synthetic-114M:latest", "synthetic-114M (built-in)")
        [alone] = make_plan([inside], pack(), server=SERVER).contenders
        assert alone.label == "synthetic-114M"

    def test_a_file_is_called_by_its_name_without_its_folder(self) -> None:
        file = model("/home/p/own.gguf", backend="builtin")
        assert make_plan([file], pack(), server=SERVER).contenders[0].label == "own.gguf"

    def test_the_demo_is_called_one_wherever_it_stands(self) -> None:
        demo = model("demo", backend="builtin", note="built-in demo")
        assert demo.is_demo
        assert make_plan([demo], pack(), server=SERVER).contenders[0].label == "built-in demo"
        assert make_plan([demo, model("a")], pack(), server=SERVER).contenders[0].label == "built-in demo"

    def test_a_model_against_itself_is_told_apart(self) -> None:
        plan = make_plan([model("a")], pack(), server=SERVER, choices=Choices(twice=True))
        assert [one.label for one in plan.contenders] == ["a", "a #2"]
        assert plan.contenders[0].variant.canonical != plan.contenders[1].variant.canonical

    def test_one_build_under_two_names_is_told_apart(self) -> None:
        twins = [model("a", digest="same"), model("b", digest="same")]
        plan = make_plan(twins, pack(), server=SERVER)
        assert [one.label for one in plan.contenders] == ["a", "b #2"]

    @given(
        names=st.lists(st.sampled_from(["a", "a #2", "b"]), min_size=1, max_size=5),
        digests=st.lists(st.sampled_from(["x", "y"]), min_size=5, max_size=5),
        twice=st.booleans(),
        thinking=st.sampled_from(["off", "on", "both"]),
    )
    def test_labels_and_keys_are_always_unique(
        self, names: list[str], digests: list[str], twice: bool, thinking: Any
    ) -> None:
        models = [model(name, digest=digest, thinking=True) for name, digest in zip(names, digests, strict=False)]
        plan = make_plan(models, pack(), server=SERVER, choices=Choices(twice=twice, think=thinking))
        assert len({one.label for one in plan.contenders}) == len(plan.contenders)
        assert len({(one.model.digest, one.variant.canonical) for one in plan.contenders}) == len(plan.contenders)


class TestABudget:
    def test_is_filled_with_pairs_of_rounds(self) -> None:
        plan = make_plan([model("a")], pack(), server=SERVER, choices=Choices(budget_s=1200.0))
        assert (plan.rounds, plan.budget_s, plan.balanced) == (1, 1200, True)
        assert plan.max_rounds % 2 == 0
        assert not make_plan([model("a")], pack(), server=SERVER).balanced


class TestTheSamePlanAgain:
    def test_has_the_same_models_questions_options_and_rounds_in_another_order(self) -> None:
        before = make_plan([model("a"), model("b")], pack(), server=SERVER, choices=Choices(preset="standard"), seed=1)
        again = repeated(before, [listed("b"), listed("a"), listed("c")], server=SERVER, seed=2)
        assert again == msgspec.structs.replace(before, seed=2)

    def test_asks_a_model_that_was_built_anew_as_it_is_now(self) -> None:
        before = make_plan([model("a"), model("b")], pack(), server=SERVER)
        again = repeated(before, [listed("a", digest="newer"), listed("b")], server="http://box:1", seed=2)
        assert [one.model.digest for one in again.contenders] == ["newer", "digest-b"]
        assert again.server == "http://box:1"

    def test_keeps_a_model_that_is_gone_so_that_its_failure_is_seen(self) -> None:
        before = make_plan([model("a"), model("b")], pack(), server=SERVER)
        again = repeated(before, [listed("b")], server=SERVER, seed=2)
        assert [one.label for one in again.contenders] == ["a", "b"]

    @pytest.mark.parametrize(
        ("changes", "there", "why"),
        [
            ({}, [], "none_of_its_models"),
            ({}, [listed("a", backend="openai")], "none_of_its_models"),
            ({}, [listed("a", unfit=True)], "none_of_its_models"),
            ({"preset": IMPORTED}, [listed("a")], "no_plan_of_import"),
        ],
    )
    def test_is_refused_where_nothing_of_it_can_be_run(
        self, changes: dict[str, Any], there: list[ListedModel], why: str
    ) -> None:
        before = msgspec.structs.replace(make_plan([model("a")], pack(), server=SERVER), **changes)
        with pytest.raises(NothingToRun, match=why):
            repeated(before, there, server=SERVER, seed=1)


class TestFreePrompt:
    def test_is_asked_once_and_alone(self) -> None:
        plan = make_free_plan([model("a"), model("b")], pack(), "  Tell me\na joke. ", server=SERVER)
        assert plan.kinds == ("warm",)
        assert (plan.rounds, plan.max_rounds, plan.preset) == (1, 1, "free")
        [prompt] = plan.prompts
        assert (prompt.category, prompt.text, prompt.title) == ("free", "Tell me\na joke.", "Tell me a joke.")
        assert [trial.kind for trial in contender_block(plan, 1, 0).trials] == ["warm"]

    def test_a_long_prompt_has_a_short_title(self) -> None:
        [prompt] = make_free_plan([model("a")], pack(), "word " * 30, server=SERVER).prompts
        assert len(prompt.title) <= 40
        assert prompt.title.endswith("…")

    @pytest.mark.parametrize(("chosen", "cap"), [(Choices(), FULL_ANSWER_TOKENS), (Choices(num_predict=64), 64)])
    def test_an_answer_is_cut_late_unless_another_limit_was_chosen(self, chosen: Choices, cap: int) -> None:
        plan = make_free_plan([model("a")], pack(), "Why?", server=SERVER, choices=chosen)
        assert plan.options.num_predict == cap

    def test_refuses_nothing_in_a_sentence(self) -> None:
        with pytest.raises(NothingToRun, match="no_prompt_text"):
            make_free_plan([model("a")], pack(), " \n", server=SERVER)


class TestAServerOfOpenAisProtocol:
    """It decides context and threads when it starts, and is told to think by fields of its own."""

    def model(self, control: ThinkingControl | None, **known: Any) -> Model:
        return Model(name="m", digest="d", backend="openai", thinking_control=control, **known)

    def test_is_not_said_to_have_what_was_asked_for(self) -> None:
        wished = Choices(num_ctx=512, num_thread=2)
        [told] = contenders([self.model("template", served_ctx=2048)], wished)
        [untold] = contenders([self.model("effort")], wished)
        assert told.variant.canonical == "think=off num_ctx=2048"
        assert untold.variant.canonical == "think=server num_ctx=server"
        assert num_ctx(untold) is None

    @pytest.mark.parametrize(
        ("control", "ways"),
        [
            ("template", {"off": (False,), "on": (True,), "both": (False, True), "low": ("low",)}),
            ("reasoning", {"off": (False,), "on": ("medium",), "both": (False, "medium"), "high": ("high",)}),
            ("effort_none", {"off": (False,), "on": ("medium",), "both": (False, "medium")}),
            ("effort", {"off": (None,), "on": ("medium",), "low": ("low",)}),
            (None, {"off": (None,), "on": ("medium",)}),
        ],
    )
    def test_thinks_as_it_can_be_told(
        self, control: ThinkingControl, ways: dict[Thinking, tuple[Think | None, ...]]
    ) -> None:
        for wish, way in ways.items():
            assert thinking_ways(self.model(control), wish) == way

    def test_without_a_field_for_not_thinking_cannot_be_told_so(self) -> None:
        effort, template = self.model("effort"), self.model("template")
        wishes: tuple[Thinking, ...] = ("off", "both", "on", "low")
        assert [cannot_think_so(effort, wish) for wish in wishes] == [True, True, False, False]
        assert not any(cannot_think_so(template, wish) for wish in wishes)

    def test_is_no_other_than_a_model_that_cannot_think(self) -> None:
        plain = Model(name="m", digest="d", thinking=False)
        wishes: tuple[Thinking, ...] = ("off", "on", "low")
        assert [cannot_think_so(plain, wish) for wish in wishes] == [False, True, True]
        assert not cannot_think_so(Model(name="m", digest="d", thinking=True), "on")


def test_fields_of_ones_own_are_part_of_the_plan() -> None:
    of = make_plan([Model(name="m", digest="d")], pack(), server="s", extra_fields={"top_k": 1})
    assert of.options.extra_fields == {"top_k": 1}
