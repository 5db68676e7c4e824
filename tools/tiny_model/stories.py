"""Stories, poems and haiku about a topic of the list."""

from __future__ import annotations

import random

from tools.tiny_model.language import Language, Pair, Topic
from tools.tiny_model.phrases import capitalised


def story(language: Language, r: random.Random, topic: Topic, parts: int = 1) -> str:
    """Gives a story with one named character and pronouns afterwards.

    Args:
        language: of the text.
        r: the source of chance.
        topic: what it is about.
        parts: 1 for three paragraphs; each further one adds two.
    """
    slots = language.slots(r, topic)

    def sentences(*keys: str) -> list[str]:
        return [language.pick(r, f"stories.{key}") for key in keys]

    first = sentences("open", f"find.{topic.kind}", f"look.{topic.kind}")
    if r.random() < language.odds.weather:
        first[1:1] = sentences("weather")
    second = sentences("meet", "say", f"do.{topic.kind}")
    last = sentences("more") if r.random() < language.odds.more_thoughts else []
    last += sentences("turn", "end")
    paragraphs = [first, second]
    for _ in range(parts - 1):
        paragraphs.append(sentences("next", "weather", "more"))
        paragraphs.append(sentences("meet", "say", f"do.{topic.kind}"))
    paragraphs.append(last)
    return language.contract("\n\n".join(" ".join(paragraph) for paragraph in paragraphs).format(**slots))


def poem(language: Language, r: random.Random, topic: Topic) -> str:
    """Gives two or three stanzas of two couplets, with a title and sometimes the topic's image at the end."""
    couplets = r.sample(
        language.phrases.lines("stories.couplets"), 6 if r.random() < language.odds.three_stanzas else 4
    )
    lines = [capitalised(couplet.format(t=topic.the)) for couplet in couplets]
    stanzas = ["\n".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
    image = [f"{capitalised(topic.the)} {topic.image}."] if r.random() < 0.6 else []
    return language.contract("\n\n".join([f"**{capitalised(topic.the)}**", *stanzas, *image]))


def haiku(language: Language, r: random.Random, topic: Topic) -> str:
    """Gives three short lines."""
    first, second, third = (language.pick(r, f"stories.haiku.{line}") for line in ("first", "second", "third"))
    return f"{first} {topic.the},\n{second},\n{third}"


def creativity(language: Language, r: random.Random) -> Pair:
    """Gives a request for a story or a poem, and one."""
    topic = r.choice(language.topics)
    name = language.named(r, topic)
    how = language.pick(r, "stories.how") if r.random() < 0.4 else ""
    k = r.random()
    if k < 0.5:
        return _asked(language, r, "story", name) + how, story(language, r, topic)
    if k < 0.58:
        return _asked(language, r, "long_story", name) + how, story(language, r, topic, r.choice((2, 2, 3)))
    if k < 0.95:
        return _asked(language, r, "poem", name) + how, poem(language, r, topic)
    return language.pick(r, "stories.ask.haiku").format(n=name), haiku(language, r, topic)


def _asked(language: Language, r: random.Random, what: str, name: str) -> str:
    return language.contract(language.pick(r, f"stories.ask.{what}").format(n=name))
