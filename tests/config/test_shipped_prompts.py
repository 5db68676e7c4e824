"""The shipped prompts are what the measuring rules need: complete in both languages and long enough."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import pytest

import llmtui
from llmtui.config import shipped_pack
from llmtui.core.prompts import PromptPack

LANGUAGES = ("en", "es")
TEXT = (Path(llmtui.__file__).resolve().parent.parent / "prompts.toml").read_text(encoding="utf-8")


@pytest.fixture(params=LANGUAGES)
def pack(request: pytest.FixtureRequest) -> PromptPack:
    return shipped_pack(request.param)


def test_four_categories_have_five_prompts_each(pack: PromptPack) -> None:
    assert [category.id for category in pack.categories] == ["creativity", "reasoning", "coding", "summary"]
    for category in pack.categories:
        assert [prompt.id for prompt in category.prompts] == [f"{category.id}-{number}" for number in range(1, 6)]


def test_no_two_prompts_share_a_text_or_a_title(pack: PromptPack) -> None:
    prompts = [prompt for category in pack.categories for prompt in category.prompts]
    assert len({prompt.text for prompt in prompts}) == len({prompt.title for prompt in prompts}) == 20


def test_everything_is_said_in_both_languages() -> None:
    tree = tomllib.loads(TEXT)
    texts = [tree["cold"]["text"], tree["follow_up"]["text"]]
    for category in tree["categories"].values():
        texts += [category["title"], *(prompt[key] for prompt in category["prompts"] for key in ("title", "text"))]
    for text in texts:
        assert set(text) == set(LANGUAGES)
    differing = [text for text in texts if text["en"] != text["es"]]
    assert len(differing) == len(texts)


def test_the_cold_prompt_is_long_enough_to_measure_its_reading(pack: PromptPack) -> None:
    assert 350 <= len(pack.cold) <= 450


def test_no_prompt_can_be_taken_for_a_tagged_one(pack: PromptPack) -> None:
    texts = [pack.cold, pack.follow_up, *(prompt.text for category in pack.categories for prompt in category.prompts)]
    assert not any(re.match(r"\[\d{4}\] ", text) for text in texts)


def test_summaries_bring_a_text_of_150_to_250_words_and_ask_for_150(pack: PromptPack) -> None:
    for prompt in pack.categories[3].prompts:
        request, text = prompt.text.split("\n\n", 1)
        assert 150 <= len(text.split()) <= 250, prompt.id
        assert "150" in request, prompt.id


def test_prompts_ask_for_more_than_a_short_answer(pack: PromptPack) -> None:
    """Each request names a number of words, or at least three parts that the answer must have."""
    for category in pack.categories:
        for prompt in category.prompts:
            request = prompt.text.split("\n\n", 1)[0] if category.id == "summary" else prompt.text
            parts = len(re.findall(r"[,.:;?]\s|[.?]$", request))
            assert re.search(r"\b(150|200)\b", request) or parts >= 3, prompt.id


def test_prompts_fit_a_small_context(pack: PromptPack) -> None:
    longest = max(len(prompt.text) for category in pack.categories for prompt in category.prompts)
    assert longest < 1500


def test_the_puzzle_of_the_four_chairs_has_one_solution() -> None:
    solutions = [
        seats
        for seats in itertools.permutations("ABCD")
        if seats[0] == "A" and seats.index("B") == seats.index("C") + 1 and seats.index("D") != 1
    ]
    assert solutions == [("A", "C", "B", "D")]


def test_the_puzzle_of_the_two_jugs_can_be_solved() -> None:
    reached = {(0, 0)}
    frontier = [(0, 0)]
    while frontier:
        large, small = frontier.pop()
        to_small, to_large = min(large, 4 - small), min(small, 7 - large)
        for state in (
            (7, small),
            (large, 4),
            (0, small),
            (large, 0),
            (large - to_small, small + to_small),
            (large + to_large, small - to_large),
        ):
            if state not in reached:
                reached.add(state)
                frontier.append(state)
    assert any(large == 6 for large, _ in reached)
