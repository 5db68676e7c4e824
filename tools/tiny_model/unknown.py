"""Questions that the model cannot answer, with an honest answer and sometimes something that it can do instead."""

from __future__ import annotations

import random

from tools.tiny_model.codebook import Function
from tools.tiny_model.coding import recited
from tools.tiny_model.language import Language, Pair
from tools.tiny_model.phrases import invented_word
from tools.tiny_model.stories import poem, story


def unknown(language: Language, r: random.Random, functions: tuple[Function, ...]) -> Pair:
    """Gives a question outside the lists, and an answer that says so."""
    k = r.random()
    topic, other = (_unknown_topic(language, r) for _ in range(2))
    if k < 0.45:
        ask = language.pick(r, "unknown.ask")
        return language.contract(ask.format(t=topic, u=other)), _declined(language, r)
    if k < 0.62:
        return language.pick(r, "unknown.tasks"), _declined(language, r)
    if k < 0.72:
        return _too_large_a_sum(language, r)
    if k < 0.84:
        return _other_function(language, r, functions)
    return _other_text(language, r, topic)


def _unknown_topic(language: Language, r: random.Random) -> str:
    return language.pick(r, "unknown.topics") if r.random() < 0.75 else invented_word(r)


def _declined(language: Language, r: random.Random) -> str:
    x, y, z = (topic.one for topic in r.sample(language.topics, 3))
    sentences = [language.pick(r, f"unknown.{part}") for part in ("self", "cannot", "advice", "can")]
    return " ".join(sentences[:3]) + " " + sentences[3].format(x=x, y=y, z=z)


def _too_large_a_sum(language: Language, r: random.Random) -> Pair:
    sign = language.pick(r, "unknown.sum_signs")
    ask = language.pick(r, "unknown.sum_ask")
    question = ask.format(
        a=r.randint(41, 999),
        b=r.randint(21, 999),
        s=sign,
        w=language.pick(r, "sums.people"),
        i=language.pick(r, "sums.items"),
    )
    question += language.pick(r, "sums.final")
    own, advice = (language.pick(r, f"unknown.{part}") for part in ("self", "advice"))
    return question, language.phrases.text("unknown.too_large").format(self=own, advice=advice)


def _other_function(language: Language, r: random.Random, functions: tuple[Function, ...]) -> Pair:
    function = r.choice(functions)
    ask = language.pick(r, "code.ask_unnamed").format(a=language.pick(r, "unknown.code"))
    question = ask + language.pick(r, "code.how")
    own = language.pick(r, "unknown.self")
    code = recited(language, r, function)
    return question, language.phrases.text("unknown.other_function").format(self=own, code=code)


def _other_text(language: Language, r: random.Random, topic: str) -> Pair:
    known = r.choice(language.topics)
    what, write = ("story", story) if r.random() < 0.5 else ("poem", poem)
    question = language.contract(language.pick(r, f"unknown.ask_{what}").format(t=topic))
    own = language.pick(r, "unknown.self")
    text = write(language, r, known)
    return question, language.phrases.text(f"unknown.other_{what}").format(self=own, one=known.one, text=text)
