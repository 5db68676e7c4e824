"""What a plan costs in words: an hour's plan, one that stops by its limit, and one that ends long before."""

from __future__ import annotations

import pytest

from llmtui.core.choices import Choices, Preset
from llmtui.core.estimate import PastSpeed, estimate
from llmtui.core.planning import make_plan
from llmtui.tui.text.setup_times import again_words, counts_words, plan_rounds, plan_time, preset_time
from tests.tui.fakes import a_model, a_pack

MODEL = a_model("m")


def said(preset: Preset, tps: float, load_s: float) -> tuple[str, str]:
    plan = make_plan([MODEL], a_pack(), server="here", choices=Choices(preset=preset))
    expected = estimate(plan, (), {MODEL.digest: PastSpeed(decode_tps=tps, load_s=load_s)})
    return plan_time(plan, expected), preset_time(plan, expected)


@pytest.mark.parametrize(
    ("preset", "tps", "load_s", "words"),
    [
        ("auto", 200.0, 0.5, ("≈ 2–7 s per round, 11–35 s in all", "11–35 s")),
        ("auto", 8.0, 5.0, ("≈ 1–2 min per round, at most 6 min", "≤ 6 min")),
        ("auto", 1.0, 30.0, ("≈ 5–14 min per round, 2 rounds at least: 9–25 min", "9–25 min")),
        ("standard", 8.0, 5.0, ("≈ 3–9 min", "3–9 min")),
    ],
)
def test_a_plan_says_what_it_takes(preset: Preset, tps: float, load_s: float, words: tuple[str, str]) -> None:
    assert said(preset, tps, load_s) == words


def test_counts_and_rounds() -> None:
    plan = make_plan([MODEL, a_model("n")], a_pack(), server="here")
    assert counts_words(plan) == "2 models × 4 prompts"
    assert plan_rounds(plan) == "2 to 5 rounds"
    assert again_words(plan) == "Again: 2 models, 24 trials"
