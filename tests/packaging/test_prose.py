"""The words of the code: no name and no docstring of the package keeps an old or a vague word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "llmtui"
OLD_IN_NAMES = frozenset({"question", "questions", "piece", "pieces", "anew", "nobody", "somebody", "who", "tests"})
"""A trial, prompt, chunk or contender has that name; ruff's D401 holds docstrings to the imperative."""
FOREIGN_NAMES = {
    "report/llama_bench.py": frozenset({"tests"}),  # llama-bench's own word for a row
}
OLD_IN_PROSE = re.compile(
    r"\b([Gg]ives|anew|so many|told apart|from off|in a chat|somebody|lies apart|becomes of|goes on with|"
    r"a (row|line|file|test|model|token|chunk) a (row|line|file|test|model|token|chunk|second))\b"
)


def names_of(module: ast.AST) -> Iterator[str]:
    """Yield the names that a module defines."""
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def words_of(name: str) -> set[str]:
    """Return the words of a name in snake_case or CamelCase, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def prose_of(module: ast.AST) -> Iterator[str]:
    """Yield the docstrings of a module, its classes, functions and attributes."""
    for node in ast.walk(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def old_names(source: str, foreign: frozenset[str] = frozenset()) -> set[str]:
    return {name for name in names_of(ast.parse(source)) if words_of(name) & OLD_IN_NAMES - foreign}


def old_prose(source: str) -> list[str]:
    return [text for text in prose_of(ast.parse(source)) if OLD_IN_PROSE.search(" ".join(text.split()))]


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix())
def test_names_and_docstrings_use_the_words_of_the_field(file: Path) -> None:
    source = file.read_text("utf-8")
    foreign = FOREIGN_NAMES.get(file.relative_to(PACKAGE).as_posix(), frozenset())
    assert old_names(source, foreign) == set()
    assert old_prose(source) == []


def test_old_words_are_found() -> None:
    assert old_names("def ask_question(pieces): tests = 1") == {"ask_question", "pieces", "tests"}
    assert old_names("class Chunk:\n    selftest: int = 0") == set()
    assert old_prose('def f():\n    """Gives a\n    row a\n    test."""') != []
    assert old_prose('def f():\n    """Return one row per trial."""') == []
