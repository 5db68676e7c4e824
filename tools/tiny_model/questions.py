"""Questions for the finished model, and what makes an answer right."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tools.tiny_model.codebook import Function
from tools.tiny_model.phrases import FOLDER

CODE_FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
DEFINITION = re.compile(r"def ([^(]*)\(")
CAPITALISED = re.compile(r"[A-ZÁÉÍÓÚ]\w+")


@dataclass(frozen=True)
class Question:
    """A question, and what its answer must hold."""

    kind: str
    """Story, poem, sum, code, summary or unknown."""
    text: str
    want: str


def read_questions() -> tuple[Question, ...]:
    """Reads the questions."""
    rows = tomllib.loads((FOLDER / "questions.toml").read_text(encoding="utf-8"))["question"]
    return tuple(Question(**row) for row in rows)


class Judge:
    """Tells right answers from wrong ones. The model's Python runs in a process of its own."""

    def __init__(self, names: Collection[str], functions: Collection[Function]) -> None:
        """Takes the names that stories use, and the code book."""
        self._names = frozenset(names)
        self._functions = {function.name: function for function in functions}
        self._kinds: Mapping[str, Callable[[str, str], bool]] = {
            "sum": _ends_with,
            "code": self.runs,
            "story": self.has_one_name_and,
        }

    def is_right(self, question: Question, answer: str) -> bool:
        """Checks one answer by the rule of its kind; poems, summaries and refusals must hold the wanted words."""
        return self._kinds.get(question.kind, _holds)(answer, question.want)

    def runs(self, answer: str, name: str) -> bool:
        """The first function in the answer's code has this name and passes the code book's cases."""
        found = CODE_FENCE.search(answer)
        if found is None:
            return False
        defined = DEFINITION.search(found[1])
        return defined is not None and defined[1] == name and self._functions[name].passes(found[1])

    def has_one_name_and(self, answer: str, topic: str) -> bool:
        """The story names exactly one character, and its topic."""
        return len(set(CAPITALISED.findall(answer)) & self._names) == 1 and topic in answer.lower()


def last_line(answer: str) -> str:
    """Gives the last line that is not blank; empty for an empty answer."""
    return (answer.strip().splitlines() or [""])[-1].strip()


def _ends_with(answer: str, result: str) -> bool:
    return last_line(answer).lower() in (f"answer: {result}".lower(), f"respuesta: {result}".lower())


def _holds(answer: str, words: str) -> bool:
    return words.lower() in answer.lower()
