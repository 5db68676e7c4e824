"""Requests for Python functions, answered from the code book."""

from __future__ import annotations

import random

from tools.tiny_model.codebook import Function
from tools.tiny_model.language import Language, Pair


def recited(language: Language, r: random.Random, function: Function) -> str:
    """Gives a function of the book with its explanation."""
    code = f"```python\n{function.written(language.code)}\n```"
    return f"{code}\n\n{function.why[language.code]} {language.pick(r, 'code.outro')}"


def coding(language: Language, r: random.Random, functions: tuple[Function, ...]) -> Pair:
    """Gives a request for one of the functions, and the function."""
    function = r.choice(functions)
    ask = language.pick(r, "code.ask").format(a=r.choice(function.ask[language.code]), n=function.name)
    question = ask + language.pick(r, "code.how")
    return question, language.pick(r, "code.intro") + "\n\n" + recited(language, r, function)
