"""Short descriptions, greetings, and questions about the model itself."""

from __future__ import annotations

import random

from tools.tiny_model.language import Language, Pair
from tools.tiny_model.phrases import capitalised
from tools.tiny_model.stories import poem, story


def about(language: Language, r: random.Random) -> Pair:
    """Gives a short description of one of a few things, or facts about it."""
    table: dict[str, list[str]] = language.phrases.table("talk.about")
    name = r.choice(list(table))
    what, *acts = table[name]
    r.shuffle(acts)
    a, b, c = acts
    fields = {"t": name, "T": capitalised(name), "w": what, "a": a, "b": b, "c": c}
    fields |= {"A": capitalised(a), "B": capitalised(b)}
    if r.random() < 0.25:
        question = language.pick(r, "talk.facts_ask").format(t=name)
        return question, language.phrases.text("talk.facts").format(**fields)
    parts = ("definition", "acts", "also", "closing", "caveat")
    sentences = " ".join([language.pick(r, f"talk.{part}") for part in parts])
    question = language.pick(r, "talk.ask").format(t=name)
    return language.contract(question), language.contract(sentences.format(**fields))


def chat(language: Language, r: random.Random) -> Pair:
    """Gives greetings, questions about the model, and requests for anything at all."""
    k = r.random()
    x, y, z = (topic.one for topic in r.sample(language.topics, 3))
    if k < 0.65:
        what = (
            ("who_ask", "self", "runs_on", "can", "advice") if k < 0.4 else ("greeting_ask", "greeting", "self", "can")
        )
        question, *sentences = (language.pick(r, _key(part)).format(x=x, y=y, z=z) for part in what)
        return question, " ".join(sentences)
    topic = r.choice(language.topics)
    if k < 0.9:
        return language.pick(r, "talk.story_ask"), story(language, r, topic, r.choice((1, 1, 2)))
    return language.pick(r, "talk.poem_ask"), poem(language, r, topic)


def _key(part: str) -> str:
    return f"unknown.{part}" if part in ("self", "can", "advice") else f"talk.{part}"
