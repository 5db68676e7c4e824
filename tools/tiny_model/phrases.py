"""The sentences that everything is put together from: TOML files beside this module, one folder a language."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("phrases")


class Phrases:
    """A language's phrases, by keys such as ``stories.find.thing``: file, table, name."""

    def __init__(self, language: str) -> None:
        self._all = {
            path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in (FOLDER / language).glob("*.toml")
        }

    def lines(self, key: str) -> list[str]:
        """Gives a list of phrases."""
        found: list[str] = self._found(key)
        return found

    def text(self, key: str) -> str:
        """Gives a single phrase."""
        found: str = self._found(key)
        return found

    def number(self, key: str) -> int:
        """Gives a number."""
        found: int = self._found(key)
        return found

    def rows(self, key: str) -> list[list[str]]:
        """Gives a list of rows."""
        found: list[list[str]] = self._found(key)
        return found

    def table(self, key: str) -> dict[str, Any]:
        """Gives a table, in the order of the file."""
        found: dict[str, Any] = self._found(key)
        return found

    def pick(self, r: random.Random, key: str) -> str:
        """Gives one phrase of a list."""
        return r.choice(self.lines(key))

    def _found(self, key: str) -> Any:  # noqa: ANN401  # TOML has many types; the callers name them
        found: Any = self._all
        for part in key.split("."):
            found = found[part]
        return found


def capitalised(text: str) -> str:
    """Gives the text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def invented_word(r: random.Random) -> str:
    """Gives a pronounceable word that does not exist, so that copying has to be learned rather than remembered."""
    syllables = r.choice((2, 2, 3))
    return "".join(
        r.choice("bcdfglmnprstvz") + r.choice("aeiou") + r.choice(("", "", "n", "r", "l", "s"))
        for _ in range(syllables)
    )
