"""English grammar for the templates."""

from __future__ import annotations

import random

from tools.tiny_model.language import Language, Odds, Topic
from tools.tiny_model.phrases import capitalised

GIRL = {"child": "girl", "s": "she", "S": "She", "o": "her", "p": "her", "P": "Her"}
BOY = {"child": "boy", "s": "he", "S": "He", "o": "him", "p": "his", "P": "His"}


class English(Language):
    """English."""

    code = "en"
    odds = Odds(weather=0.7, more_thoughts=0.6, three_stanzas=0.65, with_indefinite=0.55, with_definite=0.7)
    shortest_trip_h = 1

    def topic(self, kind: str, name: str, image: str) -> Topic:
        """Views have their article, if any, in the list ("the sea", "autumn")."""
        if kind == "view":
            return Topic(kind, name, name, name.removeprefix("the "), image)
        return Topic(kind, with_article(name), f"the {name}", name, image)

    def slots(self, r: random.Random, topic: Topic) -> dict[str, str]:
        """Colours are for things: beings get the other adjectives."""
        character = r.randrange(len(self.names))
        friend = self.pick(r, "stories.friends")
        adjectives = self.phrases.lines("stories.adjectives")
        adjective = r.choice(adjectives[:5] + adjectives[7:9] if topic.kind == "being" else adjectives)
        return {
            "n": self.names[character],
            **(GIRL if character < self.phrases.number("stories.girls") else BOY),
            "t": topic.the,
            "T": capitalised(topic.the),
            "b": topic.bare,
            "at": topic.one,
            "aat": with_article(f"{adjective} {topic.bare}"),
            "i": topic.image,
            "pl": self.pick(r, "stories.places"),
            "f": friend,
            "tf": "the " + friend.split(" ", 1)[1],
        }

    def with_adjective(self, r: random.Random, topic: Topic) -> str:
        """Any adjective will do."""
        return with_article(f"{self.pick(r, 'stories.adjectives')} {topic.bare}")

    def fill(self, r: random.Random, text: str) -> str:
        """Topics stand without their article."""
        return text.format(
            W=self.invented_name(r), V=self.invented_name(r), w=self.word(r), t=r.choice(self.topics).bare
        )

    def bare_sum(self, r: random.Random, a: int, b: int, sign: str) -> str:
        """The question is chosen before the sign's word."""
        ask = self.pick(r, "sums.ask.bare")
        return ask.format(a=a, b=b, s=self.pick(r, "sums.plus" if sign == "+" else "sums.minus"))

    def how_many(self, item: int) -> dict[str, str]:
        """Nothing agrees with nouns."""
        return {}

    def compared(self, r: random.Random, more: str) -> str:
        """Adjectives have one form."""
        return more


def with_article(name: str) -> str:
    """Gives the name after "a" or "an"."""
    return ("an " if name[0] in "aeiou" else "a ") + name
