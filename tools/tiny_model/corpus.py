"""The training corpus: conversations mixed from the two languages; ``python -m tools.tiny_model.corpus`` shows some.

Nothing is downloaded; every sentence comes from the phrases and the code book. The same seed gives the same documents.
"""

from __future__ import annotations

import random

from tools.tiny_model.codebook import Function, read_functions
from tools.tiny_model.coding import coding
from tools.tiny_model.english import English
from tools.tiny_model.language import Language, Pair
from tools.tiny_model.spanish import Spanish
from tools.tiny_model.stories import creativity
from tools.tiny_model.summaries import summary
from tools.tiny_model.sums import drill, reasoning
from tools.tiny_model.talk import about, chat
from tools.tiny_model.unknown import unknown

SHARES = {
    "creativity": 0.25,
    "reasoning": 0.22,
    "drill": 0.05,
    "coding": 0.12,
    "summary": 0.17,
    "unknown": 0.12,
    "about": 0.04,
    "chat": 0.03,
}
MAKERS = {
    "creativity": creativity,
    "reasoning": reasoning,
    "drill": drill,
    "summary": summary,
    "about": about,
    "chat": chat,
}
FROM_CODE_BOOK = {"coding": coding, "unknown": unknown}
SYSTEM = {
    "en": ("You are a helpful assistant.", "Answer in simple words.", "You are a concise assistant."),
    "es": ("Eres un asistente útil.", "Responde con palabras sencillas.", "Eres un asistente breve."),
}
TAG_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Corpus:
    """A source of conversations."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._languages: tuple[Language, ...] = (English(), Spanish())
        self._functions: tuple[Function, ...] = read_functions()

    def documents(self, count: int) -> list[str]:
        """Gives the next ``count`` documents."""
        return [self._document() for _ in range(count)]

    def _document(self) -> str:
        """One conversation: usually one exchange, sometimes a few, rarely with a system prompt."""
        r = self._random
        language = r.choice(self._languages)
        head = ""
        if r.random() < 0.06:
            head = f"<|im_start|>system\n{r.choice(SYSTEM[language.code])}<|im_end|>\n"
        k = r.random()
        exchanges = 1 if k < 0.9 else 2 if k < 0.97 else 4
        return head + "".join(_turn(*self._pair(language)) for _ in range(exchanges))

    def _pair(self, language: Language) -> Pair:
        """One question and answer; small changes of the question make the model less particular about its form."""
        r = self._random
        kind = r.choices(list(SHARES), list(SHARES.values()))[0]
        if kind in MAKERS:
            question, answer = MAKERS[kind](language, r)
        else:
            question, answer = FROM_CODE_BOOK[kind](language, r, self._functions)
        k = r.random()
        if k < 0.06:
            question = question[:1].lower() + question[1:]
        elif k < 0.12 and question.endswith("."):
            question = question[:-1]
        if r.random() < 0.6:
            question = f"[{_tag(r)}] {question}"
        return question, answer


def _tag(r: random.Random) -> str:
    """Four digits, as llmtui puts them before a prompt, or sometimes four letters and digits."""
    if r.random() < 0.7:
        return r.choice("123456789") + "".join(r.choice("0123456789") for _ in range(3))
    return "".join(r.choice(TAG_LETTERS) for _ in range(4))


def _turn(question: str, answer: str) -> str:
    """ChatML text of one exchange."""
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n"


def main() -> None:
    """Shows a few documents."""
    documents = Corpus().documents(2000)
    characters = sum(map(len, documents))
    print(f"{characters} characters in {len(documents)} documents, {len(set(documents))} different")
    for document in documents[:12]:
        print(document)


if __name__ == "__main__":
    main()
