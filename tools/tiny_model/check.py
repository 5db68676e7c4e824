"""How good are the answers? ``python -m tools.tiny_model.check [FILE.gguf]``, through llama.cpp.

Prints every greedy answer, then counts the right ones at temperature 0 and 0.8, sums and differences up to twenty,
stories with one name, and functions that run and pass.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tools.tiny_model.codebook import Function, read_functions
from tools.tiny_model.corpus import TAG_LETTERS
from tools.tiny_model.english import English
from tools.tiny_model.language import Language
from tools.tiny_model.llama_server import LlamaServer
from tools.tiny_model.questions import Judge, last_line, read_questions
from tools.tiny_model.spanish import Spanish

SHIPPED = Path("llmtui/backends/models/tiny-Q8_0.gguf")
GREEDY = ("temperature 0", ({"temperature": 0},))
WARM = ("temperature 0.8", tuple({"temperature": 0.8, "seed": seed} for seed in (1, 2, 3)))
LEAST_TOKENS_FOR_RATE = 30
SUMS = 150
STORIES = 60

ASK_SUM = {
    ("en", "+"): "Mia has {a} pens and buys {b} more. How many pens does Mia have now?",
    ("en", "-"): "Mia has {a} pens and gives {b} to Leo. How many pens are left?",
    ("es", "+"): "Ana tiene {a} libros y compra {b} más. ¿Cuántos libros tiene ahora?",
    ("es", "-"): "Ana tiene {a} libros y da {b} a Luis. ¿Cuántos libros le quedan?",
}
ASK_STORY = {"en": "Write a short story about {topic}.", "es": "Escribe un cuento corto sobre {topic}."}
ASK_CODE = {"en": "Write a Python function that {ask}.", "es": "Escribe una función en Python que {ask}."}


class Scores:
    """What came of one pass over the questions."""

    def __init__(self) -> None:
        self._right: dict[str, list[bool]] = defaultdict(list)
        self._tokens: dict[str, list[int]] = defaultdict(list)
        self._rates: list[float] = []

    def add(self, kind: str, right: bool, timings: dict[str, Any]) -> None:
        """Counts one answer."""
        self._right[kind].append(right)
        self._tokens[kind].append(timings["predicted_n"])
        if timings["predicted_n"] > LEAST_TOKENS_FOR_RATE:
            self._rates.append(timings["predicted_per_second"])

    def line(self) -> str:
        """Gives the counts in one line."""
        counts = ", ".join(
            f"{kind} {sum(right)}/{len(right)} (median {statistics.median(self._tokens[kind]):.0f} tokens)"
            for kind, right in self._right.items()
        )
        return f"{counts}; decode {statistics.median(self._rates):.0f} tok/s (lowest {min(self._rates):.0f})"


def check_questions(server: LlamaServer, judge: Judge) -> None:
    """Asks all questions greedily, then with three seeds; prints answers and counts."""
    for label, options in (GREEDY, WARM):
        scores = Scores()
        for question in read_questions():
            for option in options:
                answer, timings = server.chat(question.text, **option)
                right = judge.is_right(question, answer) and timings["finish"] == "stop"
                scores.add(question.kind, right, timings)
                if len(options) == 1 or (not right and option["seed"] == 1):
                    mark = "ok " if right else "NOT"
                    facts = f"[{timings['predicted_n']} tokens, {timings['finish']}]"
                    print(f"--- {mark} {question.kind} {facts} {question.text}\n{answer}\n", flush=True)
        print(f"== {label}: {scores.line()}\n", flush=True)


def check_sums(server: LlamaServer, language: Language) -> None:
    """Asks for sums and differences of 1 to 20, greedily; prints how many are right and some that are not."""
    pairs = [(a, b, sign) for a in range(1, 21) for b in range(1, 21) for sign in "+-" if sign == "+" or a >= b]
    wrong: list[str] = []
    for a, b, sign in random.Random(5).sample(pairs, SUMS):
        question = "[k3k3] " + ASK_SUM[language.code, sign].format(a=a, b=b)
        answer, _ = server.chat(question, temperature=0)
        if not answer.strip().endswith(f": {a + b if sign == '+' else a - b}"):
            wrong.append(f"{a}{sign}{b}: {last_line(answer)}")
    right = SUMS - len(wrong)
    print(f"== {language.code}: sums and differences up to 20, greedy: {right}/{SUMS}", wrong[:6])


def check_stories(server: LlamaServer, judge: Judge, language: Language, r: random.Random) -> None:
    """Asks for stories about topics of the list at 0.8; prints how many have one name and their topic."""
    right = 0
    for seed in range(STORIES):
        topic = r.choice(language.topics)
        tag = "".join(r.choice(TAG_LETTERS) for _ in range(4))
        question = f"[{tag}] " + ASK_STORY[language.code].format(topic=topic.one)
        answer, _ = server.chat(question, temperature=0.8, seed=seed)
        right += judge.has_one_name_and(answer, topic.bare)
    print(f"== {language.code}: stories with exactly one name and their topic at 0.8: {right}/{STORIES}")


def check_code(server: LlamaServer, judge: Judge, language: Language, functions: tuple[Function, ...]) -> None:
    """Asks for every function in every wording at 0.8; prints how many run and pass."""
    asks = [(function, ask) for function in functions for ask in function.ask[language.code]]
    right = 0
    for function, ask in asks:
        question = "[b7b7] " + ASK_CODE[language.code].format(ask=ask)
        answer, _ = server.chat(question, temperature=0.8, seed=4)
        right += judge.runs(answer, function.name)
    print(f"== {language.code}: functions that run and pass at 0.8: {right}/{len(asks)}", flush=True)


def main(path: Path) -> None:
    """Samples, then the counts."""
    server = LlamaServer(path)
    functions = read_functions()
    languages: tuple[Language, ...] = (English(), Spanish())
    judge = Judge([name for language in languages for name in language.names], functions)
    check_questions(server, judge)
    r = random.Random(11)
    for language in languages:
        check_sums(server, language)
        check_stories(server, judge, language, r)
        check_code(server, judge, language, functions)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else SHIPPED)
