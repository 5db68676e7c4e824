"""Word problems with numbers up to twenty, comparisons, sequences, syllogisms. The last line is the answer."""

from __future__ import annotations

import random
from collections.abc import Callable

from tools.tiny_model.language import Language, Pair
from tools.tiny_model.phrases import invented_word

Fields = dict[str, object]


def operands(r: random.Random) -> tuple[int, int, int, str]:
    """Gives two numbers up to 20, their sum or difference (0 to 40, never negative), and the sign."""
    a, b = r.randint(1, 20), r.randint(1, 20)
    if r.random() < 0.5:
        return a, b, a + b, "+"
    a, b = max(a, b), min(a, b)
    return a, b, a - b, "-"


class WordProblem:
    """One question in the making. Everything that any kind of question may need is chosen first."""

    def __init__(self, language: Language, r: random.Random) -> None:
        self.language = language
        self.r = r
        self.a, self.b, self.c, self.sign = operands(r)
        self.who, self.other = r.sample(language.phrases.lines("sums.people"), 2)
        item = r.randrange(len(language.items))
        self.item = language.items[item]
        self.agreement = language.how_many(item)

    def ask(self, kind: str, **fields: object) -> str:
        """Gives a question of a kind."""
        return self.language.pick(self.r, f"sums.ask.{kind}").format(
            **fields, **self.agreement, i=self.item, w=self.who
        )

    def steps(self, kind: str, **fields: object) -> list[str]:
        """Gives the steps of the explanation."""
        return [step.format(**fields) for step in self.language.phrases.lines(f"sums.steps.{kind}")]

    def pair(self, question: str, steps: list[str], answer: int | str) -> Pair:
        """Gives the question with a wish for the form, and the explanation with the answer in its last line."""
        question += self.language.pick(self.r, "sums.final")
        explanation = " ".join([self.language.pick(self.r, "sums.start"), *steps])
        return question, f"{explanation}\n\n{self.language.phrases.text('sums.answer').format(n=answer)}"

    def added_or_taken(self, question: str, what: str) -> Pair:
        """Gives the pair for the two operands; ``what`` is the counted thing or nothing."""
        kind = "more" if self.sign == "+" else "less"
        fields: Fields = {"a": self.a, "b": self.b, "c": self.c, "w": f" {what}" if what else ""}
        steps = self.steps(kind, **fields)
        check = self.language.pick(self.r, f"sums.check_{kind}").format(**fields)
        result = self.language.phrases.text("sums.result").format(**fields)
        return self.pair(question, [*steps, check, result], self.c)


def reasoning(language: Language, r: random.Random) -> Pair:
    """Gives a small problem of one of seven kinds."""
    k = r.random()
    problem = WordProblem(language, r)
    make = next(make for limit, make in KINDS if k < limit)
    return make(problem)


def drill(language: Language, r: random.Random) -> Pair:
    """Gives a list of sums and differences, so that every number fact is seen often."""
    rows = [operands(r) for _ in range(r.randint(3, 7))]
    question = language.pick(r, "sums.ask.drill") + "\n" + "\n".join(f"{a} {sign} {b}" for a, b, _, sign in rows)
    worked = "\n".join(f"{a} {sign} {b} = {c}" for a, b, c, sign in rows)
    answer = language.phrases.text("sums.answer").format(n=", ".join(str(c) for _, _, c, _ in rows))
    return question, f"{worked}\n\n{answer}"


def _with_items(p: WordProblem) -> Pair:
    question = p.ask("more" if p.sign == "+" else "less", o=p.other, a=p.a, b=p.b)
    return p.added_or_taken(question, p.item)


def _bare(p: WordProblem) -> Pair:
    return p.added_or_taken(p.language.bare_sum(p.r, p.a, p.b, p.sign), "")


def _hours(p: WordProblem) -> Pair:
    start, duration = p.r.randint(1, 12), p.r.randint(p.language.shortest_trip_h, 8)
    question = p.ask("hours", start=start, d=duration)
    fields: Fields = {"a": start, "b": duration, "c": start + duration}
    check = p.language.phrases.lines("sums.check_more")[0].format(**fields)
    result = p.language.phrases.text("sums.hours_result").format(**fields)
    return p.pair(question, [*p.steps("hours", **fields), check, result], start + duration)


def _groups(p: WordProblem) -> Pair:
    x, y = p.r.randint(2, 6), p.r.randint(2, 6)
    question = p.ask("groups", x=x, y=y)
    steps = p.steps("groups", x=x, y=y, i=p.item, sum=" + ".join([str(y)] * x), c=x * y)
    return p.pair(question, steps, x * y)


def _sequence(p: WordProblem) -> Pair:
    start, step = p.r.randint(1, 10), p.r.choice((1, 2, 3, 4, 5, 10))
    *shown, last, following = (start + step * i for i in range(5))
    question = p.ask("sequence", x=", ".join(map(str, [*shown, last])))
    return p.pair(question, p.steps("sequence", d=step, last=last, c=following), following)


def _comparison(p: WordProblem) -> Pair:
    x, y, z = p.r.sample(p.language.phrases.lines("sums.people"), 3)
    more, most, least = p.r.choice(p.language.phrases.rows("sums.comparisons"))
    highest = p.r.random() < 0.65
    answer = x if highest else z
    fields: Fields = {"x": x, "y": y, "z": z, "m": p.language.compared(p.r, more), "most": most if highest else least}
    question = p.language.phrases.text("sums.ask.comparison").format(**fields)
    return p.pair(question, p.steps("comparison", c=answer, **fields), answer)


def _syllogism(p: WordProblem) -> Pair:
    x, y, z = (invented_word(p.r) + "s" for _ in range(3))
    question = p.language.phrases.text("sums.ask.syllogism").format(x=x, y=y, z=z)
    question += p.language.pick(p.r, "sums.syllogism_tails")
    return p.pair(question, p.steps("syllogism", x=x, y=y, z=z), p.language.phrases.text("sums.yes"))


KINDS: tuple[tuple[float, Callable[[WordProblem], Pair]], ...] = (
    (0.5, _with_items),
    (0.62, _bare),
    (0.72, _hours),
    (0.80, _groups),
    (0.88, _sequence),
    (0.95, _comparison),
    (1.0, _syllogism),
)
"""Upper end of each kind's share."""
