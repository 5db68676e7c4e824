"""What a language is to the templates: its phrases, its topics, and the few things that its grammar asks for."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass

from tools.tiny_model.phrases import Phrases, capitalised, invented_word

Pair = tuple[str, str]
"""A question and its answer."""


@dataclass(frozen=True)
class Topic:
    """Something that stories and poems can be about.

    ``kind``: "thing" (can be carried), "being" (can talk), "place" (can be reached) or "view" (can be watched).
    ``one`` is the name with the indefinite article ("a lantern"), ``the`` with the definite one, ``bare`` without;
    ``image`` is what it does ("holds a small light against the dark").
    """

    kind: str
    one: str
    the: str
    bare: str
    image: str


@dataclass(frozen=True)
class Odds:
    """How often a language's templates take an optional part; from 0 to 1."""

    weather: float
    more_thoughts: float
    three_stanzas: float
    with_indefinite: float
    with_definite: float
    """Upper end of its share: below ``with_indefinite`` one form, below this the other, above it an adjective."""


class Language(ABC):
    """English or Spanish."""

    code: str
    odds: Odds
    shortest_trip_h: int

    def __init__(self) -> None:
        self.phrases = Phrases(self.code)
        table = self.phrases.table("topics")
        self.topics = tuple(self.topic(kind, name, image) for kind, row in table.items() for name, image in row.items())
        self.names = self.phrases.lines("stories.names")
        self.items = self.phrases.lines("sums.items")
        self.lexicon = self._lexicon()

    def pick(self, r: random.Random, key: str) -> str:
        """Gives one phrase of a list."""
        return self.phrases.pick(r, key)

    def contract(self, text: str) -> str:
        """Joins words that the language joins."""
        return text

    @abstractmethod
    def topic(self, kind: str, name: str, image: str) -> Topic:
        """Gives a topic of the list with its articles."""

    @abstractmethod
    def slots(self, r: random.Random, topic: Topic) -> dict[str, str]:
        """Gives what a story's phrases are filled with: a character, a friend, a place, and the topic's forms."""

    @abstractmethod
    def with_adjective(self, r: random.Random, topic: Topic) -> str:
        """Gives the topic with an adjective and the indefinite article."""

    @abstractmethod
    def fill(self, r: random.Random, text: str) -> str:
        """Fills the phrases of news with invented names, words and topics."""

    @abstractmethod
    def bare_sum(self, r: random.Random, a: int, b: int, sign: str) -> str:
        """Gives the question for a sum or difference without a story."""

    @abstractmethod
    def how_many(self, item: int) -> dict[str, str]:
        """Gives the words that agree with an item of the list."""

    @abstractmethod
    def compared(self, r: random.Random, more: str) -> str:
        """Gives the comparative as the question uses it."""

    def named(self, r: random.Random, topic: Topic) -> str:
        """Gives the topic as a user might write it."""
        if topic.kind == "view":
            name = topic.the
        else:
            k = r.random()
            if k < self.odds.with_indefinite:
                name = topic.one
            else:
                name = topic.the if k < self.odds.with_definite else self.with_adjective(r, topic)
        if r.random() < 0.3:
            name += self.pick(r, "stories.tails").format(
                x=self.pick(r, "stories.tail_clauses"), y=self.pick(r, "stories.places"), z=r.choice(self.topics).one
            )
        return name

    def word(self, r: random.Random) -> str:
        """Gives an invented word or one of the lexicon."""
        return invented_word(r) if r.random() < 0.4 else r.choice(self.lexicon)

    def invented_name(self, r: random.Random) -> str:
        """Gives a name that does not exist."""
        return capitalised(invented_word(r))

    def _lexicon(self) -> list[str]:
        """All lower-case words of the news, the facts and some of the stories."""
        keys = (
            "summaries.then",
            "summaries.facts",
            "stories.weather",
            "summaries.did",
            "summaries.when",
            "stories.end",
        )
        phrases = [phrase for key in keys for phrase in self.phrases.lines(key)]
        words = (word for phrase in phrases for word in phrase.replace(",", "").replace(".", "").split())
        return sorted({word for word in words if "{" not in word and word.islower()})
