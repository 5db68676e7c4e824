"""What a choice becomes."""

from __future__ import annotations

from typing import Any

import pytest

from llmtui.core.events import ListedModel
from llmtui.core.facts import ResidentModel
from llmtui.core.plan import Model
from llmtui.core.planning import FREE, Wishes, contenders, default_models, free_plan, make_plan
from llmtui.core.prompts import Category, Prompt, PromptPack

PACK = PromptPack(
    name="llmtui",
    language="en",
    categories=tuple(
        Category(
            id=name,
            title=name,
            prompts=tuple(
                Prompt(id=f"{name}-{at}", category=name, title=name, text=f"{name} {at}") for at in range(1, 6)
            ),
        )
        for name in ("creativity", "coding")
    ),
    cold="Cold.",
    follow_up="And?",
    sources=("shipped",),
)


def model(name: str, **changes: Any) -> Model:
    return Model(**({"name": name, "digest": f"sha256:{name}0123456789"} | changes))


def listed(name: str, size: int | None, *, resident: bool = False, why_not: str | None = None) -> ListedModel:
    in_memory = ResidentModel(name=name, digest=name) if resident else None
    return ListedModel(model=model(name, size_bytes=size), resident=in_memory, why_not=why_not)


def test_first_picked_are_the_models_in_memory() -> None:
    assert default_models([listed("a", 1), listed("b", 2, resident=True)]) == ("b",)


def test_else_the_three_smallest_that_can_run() -> None:
    models = [listed("e", 5), listed("none", None), listed("b", 2), listed("x", 1, why_not="embedding"), listed("c", 3)]
    assert default_models(models) == ("b", "c", "e")
    assert default_models([listed("none", None), listed("other", None)]) == ("none", "other")
    assert default_models([]) == ()


@pytest.mark.parametrize(
    ("preset", "rounds", "max_rounds", "budget_s"),
    [("auto", 1, 5, 360), ("quick", 1, 1, None), ("standard", 5, 5, None), ("thorough", 5, 10, None)],
)
def test_presets(preset: Any, rounds: int, max_rounds: int, budget_s: float | None) -> None:
    made = make_plan("s", [model("a")], PACK, Wishes(preset=preset), seed=1)
    assert (made.rounds, made.max_rounds, made.budget_s) == (rounds, max_rounds, budget_s)


def test_asked_rounds_win_over_the_preset() -> None:
    made = make_plan("s", [model("a")], PACK, Wishes(preset="auto", rounds=2), seed=1)
    assert (made.rounds, made.max_rounds, made.budget_s) == (2, 2, None)


def test_one_prompt_a_category_unless_all_are_wanted() -> None:
    first = make_plan("s", [model("a")], PACK, Wishes(), seed=1).prompts
    assert [one.id for one in first] == ["creativity-1", "coding-1"]
    everything = make_plan("s", [model("a")], PACK, Wishes(all_prompts=True, categories=("coding",)), seed=1).prompts
    assert [one.id for one in everything] == [f"coding-{at}" for at in range(1, 6)]


def test_thinking_on_and_off_are_two_contenders() -> None:
    made = contenders([model("qwen", thinking=True), model("llama3", thinking=False)], Wishes(think=(False, True)))
    assert [one.label for one in made] == ["qwen (not thinking)", "qwen (thinking)", "llama3"]
    assert len({one.variant.canonical for one in made}) == 2


def test_a_model_that_cannot_think_is_never_told_to() -> None:
    (only,) = contenders([model("llama3", thinking=False)], Wishes(think=(True,)))
    assert only.variant.think is False


def test_two_builds_of_one_name_are_told_apart() -> None:
    made = contenders([model("a", digest="sha256:abc123999"), model("a", digest="sha256:def456999")], Wishes())
    assert [one.label for one in made] == ["a abc123", "a def456"]


def test_a_free_prompt_is_asked_once_and_warm() -> None:
    made = free_plan("s", [model("a")], "Why is the sky blue?", Wishes(num_predict=64), seed=1, pack=PACK)
    assert made.kinds == ("warm",)
    assert [one.category for one in made.prompts] == [FREE]
    assert (made.rounds, made.max_rounds, made.options.num_predict) == (1, 1, 64)
