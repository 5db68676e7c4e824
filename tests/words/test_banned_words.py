"""Words that a reader has to puzzle over are in no text: screens, help, reports, README and docs, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from llmtui.cli.app import cli
from llmtui.words import use_language
from tests.words.test_translations import TRANSLATE

ROOT = Path(__file__).parents[2]
PHRASES = (
    r"from off", r"told apart", r"tell(?:s|ing)? (?:\w+ ){0,3}apart", r"in a chat", r"anew", r"gives", r"so many",
    r"so far as", r"somebody", r"nobody", r"first (?:answer )?word", r"look again",
    r"go(?:es)? on with", r"becomes of", r"lies apart", r"of them remembered", r"watching took", r"processor time",
    r"time a token", r"stands", r"writing speed", r"column's head", r"wait for its end", r"people paste",
    r"cannot be told", r"say what holds", r"takes? (?:it|them) back", r"taken back", r"what is wrong in",
    r"another build now",
)  # fmt: skip
"""In no English text, README and docs among them."""
WORDS = (
    *PHRASES, r"(?<!self-)(?<!F )(?<!load )tests?", r"questions?", r"pieces?", r"desk", r"to be had",
    r"generation time", r"what holds", r"name (?:a|an|another|the) (?:file|folder|address|first|\.gguf)",
    r"there are(?=:)", r"not set(?=:)", r"kept by", r"broken by", r"without a form", r"several forms", r"one form",
    r"asked by default", r"is waited for", r"equal results differ", r"fail where",
)  # fmt: skip
"""In no text of the program either; documents may speak of tests of the code."""
SPANISH = (
    r"desde apagado", r"en un chat", r"no se distinguen?", r"primera palabra", r"mirar otra vez", r"no se puede decir",
    r"(?:la|las|una|unas|cada|de|tu|tus) preguntas?", r"trozos?", r"seguir probando", r"de ellos recordados",
    r"incorporad[oa]s?", r"stdout", r"órdenes", r"intercambio", r"veces más rápid[oa]s?", r"compilación(?:es)?",
    r"equipos?", r"razón de", r"pensar", r"pensando", r"pensaba", r"piensa", r"velocidad de escritura",
    r"se sostienen?", r"varias formas", r"\w+(?=\}? …$)", r"usted",
    r"(?:dé|repita|importe|libere|marque|vuelva|suba|omita|inicie|cópiela)",
    r"(?<!que )(?:indique|pulse|escriba|espere|descargue|elija|compruebe)",
)  # fmt: skip
"""In no Spanish text of the program; the last are the formal address, and llmtui says "tú"."""
DOCUMENTS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/glossary.md", "docs/servers.md",
             "docs/report.md", "docs/frames.md", "docs/prompts.md", "docs/compare.md", "docs/keys.md", "docs/method.md",
             "docs/plotext.md", "docs/several-machines.md", "docs/robustness.md",
             "docs/pictures/README.md")  # fmt: skip


def found(words: tuple[str, ...], text: str) -> list[str]:
    """The words of the list that a text contains."""
    return [hit for word in words for hit in re.findall(rf"\b{word}\b", text, re.IGNORECASE)]


def of_catalogue(language: str | None = None) -> Iterator[str]:
    """Every text of the program, or every translation of it."""
    messages: Any = TRANSLATE.collected() if language is None else TRANSLATE.read(language)
    for message in messages:
        texts = message.id if language is None else message.string
        if message.id:
            yield from texts if isinstance(texts, tuple | list) else (texts,)


def helps(command: Any, path: str = "llmtui") -> Iterator[tuple[str, str]]:
    """The help of a command and of all below it: (its path, a text)."""
    for one in [command, *command.params]:
        yield path, getattr(one, "help", None) or ""
    for name, below in getattr(command, "commands", {}).items():
        yield from helps(below, f"{path} {name}")


def test_the_list_finds_what_it_lists() -> None:
    assert found(WORDS, "A start from off gives 3 tests.") == ["from off", "gives", "tests"]
    assert found(WORDS, "The self-test latest F test") == []


def test_no_text_of_the_program_has_them() -> None:
    assert {text: hits for text in of_catalogue() if (hits := found(WORDS, text))} == {}


def test_no_spanish_text_has_them() -> None:
    assert {text: hits for text in of_catalogue("es") if (hits := found(SPANISH, text))} == {}


def test_no_help_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    use_language("en")
    assert [(path, hits) for path, text in helps(get_command(cli)) if (hits := found(WORDS, text))] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_has_them(name: str) -> None:
    if not (ROOT / name).exists():
        pytest.skip("the documents are not part of this copy of the source")
    lines = (ROOT / name).read_text("utf-8").splitlines()
    assert {line: hits for line in lines if (hits := found(PHRASES, line))} == {}
