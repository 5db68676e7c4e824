from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.core.estimate import PastSpeed, estimate
from llmtui.core.events import ListedModel
from llmtui.core.plan import Contender, Model, Plan, PlannedPrompt, Variant
from llmtui.core.records import ResidentModel

GB = 1_000_000_000


def plan(*sizes_gb: float, prompts: int = 4, **changes: Any) -> Plan:
    contenders = tuple(
        Contender(
            model=Model(name=f"m{n}", digest=f"d{n}", size_bytes=round(size * GB)), variant=Variant(), label=f"m{n}"
        )
        for n, size in enumerate(sizes_gb)
    )
    asked = tuple(PlannedPrompt(id=f"p{n}", category="c", title="t", text="x", sha256=f"s{n}") for n in range(prompts))
    fields: dict[str, Any] = {
        "preset": "quick",
        "server": "s",
        "contenders": contenders,
        "prompts": asked,
        "cold_text": "c",
        "follow_up_text": "f",
    }
    return Plan(**(fields | changes))


def resident(share: float) -> ListedModel:
    model = Model(name="other", digest="other")
    held = ResidentModel(name="other", digest="other", size_bytes=GB, vram_bytes=round(share * GB))
    return ListedModel(model=model, resident=held)


def test_three_7b_models_on_a_cpu_take_minutes_and_the_range_says_so() -> None:
    expected = estimate(plan(4.7, 4.1, 5.0), [resident(0.0)])
    assert 60 < expected.low_s < 200
    assert 400 < expected.high_s < 1000
    assert expected.trials == 18
    assert not expected.measured


def test_on_a_gpu_the_same_takes_less() -> None:
    on_cpu, on_gpu = estimate(plan(4.7), [resident(0.0)]), estimate(plan(4.7), [resident(1.0)])
    unknown = estimate(plan(4.7))
    assert on_gpu.high_s < on_cpu.high_s
    assert on_gpu.low_s <= unknown.low_s
    assert unknown.high_s <= on_cpu.high_s


def test_past_speeds_make_it_tight() -> None:
    past = {"d0": PastSpeed(decode_tps=6.0, load_s=19.0)}
    expected = estimate(plan(4.7), past=past)
    assert expected.measured
    by_hand_s = 4 * 128 / 6 + 16 / 6 + 32 / 6 + 19
    assert expected.low_s < by_hand_s < expected.high_s
    assert expected.high_s - expected.low_s < estimate(plan(4.7)).high_s - estimate(plan(4.7)).low_s


def test_one_unmeasured_model_and_it_is_a_guess_again() -> None:
    assert not estimate(plan(4.7, 4.1), past={"d0": PastSpeed(decode_tps=6.0)}).measured


def test_fixed_rounds_multiply() -> None:
    one, five = estimate(plan(4.7)), estimate(plan(4.7, rounds=5, max_rounds=5))
    assert five.low_s == pytest.approx(5 * one.low_s)
    assert five.high_s == pytest.approx(5 * one.high_s)
    assert five.round_s == one.round_s


def test_thorough_may_stop_at_the_promised_rounds() -> None:
    one, thorough = estimate(plan(4.7)), estimate(plan(4.7, rounds=5, max_rounds=10))
    assert thorough.low_s == pytest.approx(5 * one.low_s)
    assert thorough.high_s == pytest.approx(10 * one.high_s)


def test_a_free_prompt_counts_one_request_a_model() -> None:
    free = estimate(plan(4.7, prompts=1, kinds=("warm",)))
    assert free.trials == 1
    assert free.high_s < estimate(plan(4.7)).high_s


@given(
    sizes=st.lists(st.floats(0.001, 400), min_size=1, max_size=4),
    prompts=st.integers(1, 20),
    budget_s=st.floats(1, 2000),
    most=st.integers(1, 8),
)
def test_a_budget_never_adds_a_round_that_does_not_fit(
    sizes: list[float], prompts: int, budget_s: float, most: int
) -> None:
    auto = estimate(plan(*sizes, prompts=prompts, budget_s=budget_s, max_rounds=most))
    assert 0 < auto.low_s <= auto.high_s
    assert auto.high_s <= max(budget_s, auto.round_s[1]) * 1.001
    assert auto.low_s >= auto.round_s[0]


def test_a_balanced_budget_expects_two_rounds_where_three_would_fit() -> None:
    past = {"d0": PastSpeed(decode_tps=6.0, load_s=19.0)}
    once = estimate(plan(4.7), past=past)
    within: Any = {"budget_s": 3.1 * once.high_s, "max_rounds": 3}
    assert estimate(plan(4.7, **within), past=past).high_s == pytest.approx(3 * once.high_s)
    assert estimate(plan(4.7, **within, balanced=True), past=past).high_s == pytest.approx(2 * once.high_s)


@given(size=st.floats(0.01, 200), more=st.floats(1.1, 4), prompts=st.integers(1, 9))
def test_a_larger_model_never_takes_less(size: float, more: float, prompts: int) -> None:
    small, large = estimate(plan(size, prompts=prompts)), estimate(plan(size * more, prompts=prompts))
    assert small.low_s <= large.low_s
    assert small.high_s <= large.high_s
