"""The behaviour of the self-test's simulated server, drawn at random so that no figure is known in advance."""

from __future__ import annotations

import random
from typing import Final

from llmtui.simulator import Script, ScriptedAnswer, SimulatedModel, Stall

MODELS: Final = 2
WARM_TRIALS: Final = 5
"""Number of warm trials per model, in addition to a cold start and a follow-up."""
ANSWER_S: Final = 1.1
"""Duration of an answer in seconds, without stalls and thinking."""
TOKENS: Final = (100, 220)
"""Smallest and largest number of tokens of an answer; speeds are compared from 64 tokens on."""
CAP_TOKENS: Final = 320
"""Limit on tokens: more than any of the random answers has with its thinking, so that all end by themselves."""
THINKING_TOKENS: Final = 60
QUIET_TOKENS: Final = 10
"""No stall occurs before this token.

The first chunk is complete by then; a stall inside it would be in no figure.
"""

_PROMPT_TEXT = """
[[categories.{name}.prompts]]
id = "{name}"
text = "{text}"
"""
_WORDS: Final = (
    "Tell of the keeper who counts the nights.", "Explain why the tide comes twice a day, with an example.",
    "Write down, step by step, how a bicycle tyre is mended on the road, and what one needs for it.",
    "Describe a market in winter to somebody who has never seen snow: what one hears, smells and sees there first.",
    "Compare three ways of remembering a long list of names, say who uses which, and end with your own advice for it.",
)  # fmt: skip


def prompts_file() -> str:
    """Return a prompts file with prompts of several lengths, so that processing them takes different times."""
    return _pack({f"selftest-{number}": text for number, text in enumerate(_WORDS, start=1)})


def many_prompts(count: int) -> str:
    """Return a prompts file with ``count`` short prompts, for many trials in one round."""
    return _pack({f"selftest-{number}": f"Count from {number} on." for number in range(1, count + 1)})


def categories(count: int) -> str:
    """Return the categories of a prompts file with ``count`` prompts, as the value of a setting."""
    return ",".join(f"selftest-{number}" for number in range(1, count + 1))


def drawn_script(seed: int) -> Script:
    """Return a server with random speeds, waiting times, chunk sizes, thinking, stalls and prompt caches.

    Args:
        seed: the same seed always makes the same server.
    """
    draw = random.Random(seed)
    return Script(
        models=tuple(_model(draw, number) for number in range(1, MODELS + 1)),
        prompt_cache_prompts=draw.randint(0, 3),
        dispatch_s=draw.uniform(0.001, 0.01),
        tokenize_s=draw.uniform(0.001, 0.01),
        seed=seed,
    )


def _model(draw: random.Random, number: int) -> SimulatedModel:
    decode_tps = 50.0 * 5.0 ** draw.random()  # 50 to 250, half of them below 112
    thinks = number == MODELS
    bundle = draw.choice((1, 1, 1, 2, 3, 4))
    answers = tuple(_answer(draw, decode_tps, thinks=thinks, bundle=bundle) for _ in range(WARM_TRIALS + 2))
    return SimulatedModel(
        name=f"{'thinks' if thinks else 'plain'}:{number}b",
        capabilities=("completion", "thinking") if thinks else ("completion",),
        size_bytes=draw.randrange(10**9, 5 * 10**9),
        load_s=draw.uniform(0.2, 0.8),
        prefill_tps=100.0 * 20.0 ** draw.random(),
        decode_tps=decode_tps,
        answers=answers,
    )


def _answer(draw: random.Random, decode_tps: float, *, thinks: bool, bundle: int) -> ScriptedAnswer:
    tokens = min(max(round(decode_tps * ANSWER_S), TOKENS[0]), TOKENS[1])
    places = draw.sample(range(QUIET_TOKENS, tokens), draw.choice((0, 0, 1, 2)))
    return ScriptedAnswer(
        tokens=tokens,
        thinking_tokens=draw.randint(5, THINKING_TOKENS) if thinks else 0,
        tokens_per_chunk=bundle,
        jitter=draw.uniform(0.0, 0.05),
        stalls=tuple(Stall(before_token=place, seconds=draw.uniform(0.05, 0.4)) for place in sorted(places)),
    )


def _pack(texts: dict[str, str]) -> str:
    head = '[llmtui]\nformat = 1\nname = "selftest"\n'
    return head + "".join(_PROMPT_TEXT.format(name=name, text=text) for name, text in texts.items())
