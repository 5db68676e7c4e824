"""English text generated from a seed: varied sentences, cut into tokens of about four characters."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

_SUBJECTS = (
    "the keeper of the lighthouse", "a patient gardener", "the night train", "an old cartographer", "the river",
    "her youngest student", "the clockmaker", "a flock of starlings", "the village baker", "the second engineer",
    "a quiet archive", "the tide", "every apprentice", "the measuring crew", "a careful reader", "the winter market",
)  # fmt: skip
_VERBS = (
    "carried", "repaired", "described", "followed", "remembered", "weighed", "counted", "painted", "crossed",
    "forgot", "questioned", "mapped", "collected", "noticed", "rebuilt", "outlived",
)  # fmt: skip
_OBJECTS = (
    "the brass instruments", "a row of lemon trees", "the last letter of the season", "three kinds of silence",
    "the bridge above the mill", "an unfinished melody", "the ledger of the harbour", "a basket of warm bread",
    "the shape of the coast", "what the others had left", "a handful of blue glass", "the slow machinery of the town",
    "two contradicting reports", "the first frost", "a lantern without oil", "the long way home",
)  # fmt: skip
_ADVERBS = (
    "slowly",
    "without a word",
    "twice",
    "almost by accident",
    "before dawn",
    "with great care",
    "again",
    "at once",
)
_OPENINGS = (
    "In the end", "That morning", "For a while", "On the third day", "Nobody knew why, but", "As usual", "Later",
    "When the rain stopped", "By the old wall", "To everyone's surprise",
)  # fmt: skip
_CLOSINGS = (
    "and nothing was lost", "because the numbers agreed", "while the kettle sang", "as if it had been planned",
    "until the light changed", "though few would admit it", "which is how the story began", "and the room grew calm",
)  # fmt: skip
_THOUGHTS = (
    "First, what is being asked here?", "Let me weigh the two readings.", "The shorter form may be enough.",
    "That example does not quite fit.", "Another angle: start from the end.", "I should check the order of events.",
    "The tone ought to stay plain.", "So the main point comes first.",
)  # fmt: skip

_TOKEN_PATTERN = re.compile(r"\s*\S{1,5}|\s+")


def token_texts_of(text: str) -> list[str]:
    """Cut a text into tokens: up to five characters of a word, with any space before them."""
    return _TOKEN_PATTERN.findall(text)


def random_source(seed: str) -> random.Random:
    """Return a random number generator. Its seed may contain half of a surrogate pair."""
    return random.Random(seed.encode(errors="surrogatepass"))


def prose(seed: str) -> Iterator[str]:
    """Yield endless prose, token by token; the same seed makes the same text."""
    return _tokens(random_source(seed), _sentence, paragraph_sentences=5)


def thinking_text(seed: str) -> Iterator[str]:
    """Yield endless thoughts, token by token; the same seed makes the same text."""
    return _tokens(random_source(f"thinking {seed}"), lambda source: source.choice(_THOUGHTS), paragraph_sentences=4)


def _tokens(source: random.Random, sentence: Callable[[random.Random], str], paragraph_sentences: int) -> Iterator[str]:
    count = 0
    while True:
        gap = "" if not count else "\n\n" if count % paragraph_sentences == 0 else " "
        yield from token_texts_of(gap + sentence(source))
        count += 1


def _sentence(source: random.Random) -> str:
    form = source.randrange(4)
    subject, verb, object_ = source.choice(_SUBJECTS), source.choice(_VERBS), source.choice(_OBJECTS)
    if form == 0:
        return f"{_capital(subject)} {verb} {object_} {source.choice(_ADVERBS)}."
    if form == 1:
        return f"{source.choice(_OPENINGS)}, {subject} {verb} {object_}."
    if form == 2:
        return f"{_capital(subject)} {verb} {object_}, {source.choice(_CLOSINGS)}."
    other = source.choice(_SUBJECTS)
    return f"{_capital(subject)} {source.choice(_ADVERBS)} {verb} {object_}; {other} {source.choice(_VERBS)} it too."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
