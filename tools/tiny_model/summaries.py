"""Paragraphs of three to five sentences; the answer repeats the first clause and says what the rest does."""

from __future__ import annotations

import random

from tools.tiny_model.language import Language, Pair
from tools.tiny_model.phrases import capitalised, invented_word

GAPS = (" ", "\n\n", "\n\n", "\n")


def summary(language: Language, r: random.Random) -> Pair:
    """Gives a request for a summary, and one."""
    clause = _clause(language, r)
    first = clause
    if r.random() < 0.3:
        first += ", " + language.pick(r, "summaries.tails")
    rest = [language.fill(r, x) for x in r.sample(language.phrases.lines("summaries.then"), r.randint(2, 4))]
    if r.random() < 0.25:
        rest.insert(r.randrange(len(rest)), language.pick(r, "summaries.facts") + ".")
    ask = language.pick(r, "summaries.ask")
    question = ask.format(x=" ".join([f"{first}.", *rest]), s=r.choice(GAPS))
    return question, language.pick(r, "summaries.intro") + clause + language.pick(r, "summaries.outro")


def _clause(language: Language, r: random.Random) -> str:
    """News, a fact, or words without sense, which can only be copied."""
    k = r.random()
    if k < 0.45:
        parts = (language.fill(r, language.pick(r, f"summaries.{part}")) for part in ("who", "did", "when"))
        return " ".join(part for part in parts if part)
    if k < 0.7:
        return language.pick(r, "summaries.facts")
    return capitalised(" ".join(_any_word(language, r) for _ in range(r.randint(6, 16))))


def _any_word(language: Language, r: random.Random) -> str:
    if r.random() < 0.12:
        return invented_word(r)
    if r.random() < 0.08:
        return language.invented_name(r)
    return str(r.randint(2, 2030)) if r.random() < 0.05 else r.choice(language.lexicon)
