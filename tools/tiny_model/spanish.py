"""Spanish grammar for the templates."""

from __future__ import annotations

import random
import re

from tools.tiny_model.language import Language, Odds, Topic
from tools.tiny_model.phrases import capitalised

GIRL = {"nino": "niña", "una": "una", "oo": "a", "el": "ella"}
BOY = {"nino": "niño", "una": "un", "oo": "o", "el": "él"}


class Spanish(Language):
    """Spanish."""

    code = "es"
    odds = Odds(weather=0.6, more_thoughts=0.5, three_stanzas=0.5, with_indefinite=0.6, with_definite=0.75)
    shortest_trip_h = 2

    def contract(self, text: str) -> str:
        """De + el → del, a + el → al (the pronoun "él" has an accent, so only the article is meant)."""
        return re.sub(r"\b([Dd])e el\b", r"\1el", re.sub(r"\b([Aa]) el\b", r"\1l", text))

    def topic(self, kind: str, name: str, image: str) -> Topic:
        """All names have their article in the list; views keep it where others get the indefinite one."""
        article, bare = name.split(" ", 1)
        one = name if kind == "view" else ("un " if article == "el" else "una ") + bare
        return Topic(kind, one, name, bare, image)

    def slots(self, r: random.Random, topic: Topic) -> dict[str, str]:
        """Adjectives and pronouns agree with the topic or the character."""
        character = r.randrange(len(self.names))
        masculine = topic.the.startswith("el ")
        friend = self.pick(r, "stories.friends")
        return {
            "n": self.names[character],
            **(GIRL if character < self.phrases.number("stories.girls") else BOY),
            "t": topic.the,
            "T": capitalised(topic.the),
            "b": topic.bare,
            "at": topic.one,
            "a": self._adjective(r, topic),
            "g": "o" if masculine else "a",
            "lo": "lo" if masculine else "la",
            "i": topic.image,
            "pl": self.pick(r, "stories.places"),
            "f": friend,
            "tf": ("el " if friend.startswith("un ") else "la ") + friend.split(" ", 1)[1],
        }

    def with_adjective(self, r: random.Random, topic: Topic) -> str:
        """The adjective follows the noun."""
        return f"{topic.one} {self._adjective(r, topic)}"

    def fill(self, r: random.Random, text: str) -> str:
        """Topics stand with their article."""
        filled = text.format(W=self.invented_name(r), w=self.word(r), t=r.choice(self.topics).the)
        return self.contract(filled)

    def bare_sum(self, r: random.Random, a: int, b: int, sign: str) -> str:
        """The sign's word is chosen before the question."""
        word = self.pick(r, "sums.plus" if sign == "+" else "sums.minus")
        return self.pick(r, "sums.ask.bare").format(a=a, b=b, s=word)

    def how_many(self, item: int) -> dict[str, str]:
        """The list has the feminine items first."""
        feminine = item < self.phrases.number("sums.feminine_items")
        return {"h": "Cuántas", "g": "a"} if feminine else {"h": "Cuántos", "g": "o"}

    def compared(self, r: random.Random, more: str) -> str:
        """In the masculine as often as in the feminine; "mayor" has one form."""
        return more if more == "mayor" or r.random() < 0.5 else more[:-1] + "o"

    def _adjective(self, r: random.Random, topic: Topic) -> str:
        """One that agrees with the topic; colours are for things and places."""
        adjectives = self.phrases.lines("stories.adjectives")
        chosen = r.choice(adjectives[:4] + adjectives[7:9] if topic.kind == "being" else adjectives)
        return chosen.replace("@", "o" if topic.the.startswith("el ") else "a")
