"""A plan's order follows from its seed, and is balanced."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.plan import (
    Variant,
    contender_block,
    num_ctx,
    num_predict,
    prompt_order,
    prompt_tag,
    round_blocks,
    round_order,
    tagged,
    trials_per_round,
)
from tests.core.made import contender, plan

THREE = plan("a", "b", "c", categories=("creativity", "reasoning", "coding", "summary"))


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_every_even_round_mirrors_the_one_before(seed: int, pair: int) -> None:
    one = msgspec.structs.replace(THREE, seed=seed)
    assert round_order(one, 2 * pair) == tuple(reversed(round_order(one, 2 * pair - 1)))


def test_orders_differ_between_seeds_and_pairs() -> None:
    orders = {round_order(msgspec.structs.replace(THREE, seed=seed), 1) for seed in range(60)}
    assert orders == set(itertools.permutations(range(3)))
    assert len({round_order(THREE, number) for number in range(1, 40, 2)}) > 1


def test_the_same_seed_gives_the_same_plan() -> None:
    assert round_blocks(THREE, 5) == round_blocks(msgspec.structs.replace(THREE), 5)


def test_a_block_is_cold_then_warm_then_follow_up() -> None:
    trials = contender_block(THREE, 1, 0).trials
    assert [one.kind for one in trials] == ["cold", *["warm"] * 4, "follow_up"]
    assert trials[-1].prompt == trials[-2].prompt, "the follow-up continues the last prompt"
    assert len({one.id for one in trials}) == len(trials)


def test_a_model_in_memory_goes_first_and_has_its_cold_trial_last() -> None:
    round_one = round_blocks(THREE, 1, resident=2)
    assert round_one[0].contender == 2
    assert [one.kind for one in round_one[0].trials] == [*["warm"] * 4, "follow_up", "cold"]
    assert sorted(one.contender for one in round_one) == [0, 1, 2]
    assert all(one.trials[0].kind == "cold" for one in round_one[1:])


def test_all_contenders_are_asked_the_same_prompts_in_the_same_order() -> None:
    asked = [[(one.prompt, one.tag) for one in part.trials if one.kind == "warm"] for part in round_blocks(THREE, 3)]
    assert asked[0] == asked[1] == asked[2]


def test_tags_have_four_digits_and_never_repeat_within_a_session() -> None:
    tags = [prompt_tag(THREE, number, which) for number in range(1, 11) for which in range(4)]
    assert len(set(tags)) == len(tags)
    assert all(1000 <= tag <= 9999 for tag in tags)


def test_the_tag_stands_first_and_is_not_part_of_the_key() -> None:
    assert tagged(4817, "Write.") == "[4817] Write."
    assert tagged(None, "Write.") == "Write."
    first, second = (contender_block(THREE, number, 0).trials[1] for number in (1, 2))
    assert first.tag != second.tag
    shas = {one.key.prompt_sha256 for number in (1, 2) for one in contender_block(THREE, number, 0).trials}
    assert len(shas) == 5, "four prompts, and cold has none"


def test_rounds_have_prompts_in_different_orders() -> None:
    assert len({prompt_order(THREE, number) for number in range(1, 30)}) > 3


@pytest.mark.parametrize(
    ("kinds", "per_block"), [(("cold", "warm", "follow_up"), 6), (("warm",), 4), (("cold",), 1), (("warm", "cold"), 5)]
)
def test_trials_per_round_counts_what_blocks_hold(kinds: tuple[str, ...], per_block: int) -> None:
    one = msgspec.structs.replace(THREE, kinds=kinds)
    assert trials_per_round(one) == 3 * per_block
    assert sum(len(part.trials) for part in round_blocks(one, 1)) == 3 * per_block


def test_caps_differ_by_kind() -> None:
    assert (num_predict(THREE, "cold"), num_predict(THREE, "warm"), num_predict(THREE, "follow_up")) == (16, 128, 32)


def test_context_is_clamped_to_the_models_limit() -> None:
    small = contender()
    limited = msgspec.structs.replace(small, model=msgspec.structs.replace(small.model, context_limit=1024))
    assert (num_ctx(small), num_ctx(limited)) == (4096, 1024)


def test_a_variant_is_one_stable_line() -> None:
    assert Variant().canonical == "think=off num_ctx=4096"
    assert Variant(think="low", num_thread=3, copy="B").canonical == "think=low num_ctx=4096 num_thread=3 copy=B"
    assert Variant(think=True).canonical == "think=on num_ctx=4096"
