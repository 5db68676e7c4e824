"""The Python functions that the demo model can recite; ``python -m tools.tiny_model.codebook`` runs all of them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from typing import Any

from tools.tiny_model.phrases import FOLDER

LIMIT_S = 5.0
REACHED_END = "all cases passed"


@dataclass(frozen=True)
class Function:
    """One function, with its wording by language code."""

    name: str
    source: str
    """The code, with ``{doc}`` where the docstring's text goes."""
    ask: dict[str, list[str]]
    """Ways to go on after "Write a Python function that"."""
    doc: dict[str, str]
    why: dict[str, str]
    """The explanation after the code."""
    cases: list[tuple[list[Any], Any]]
    """Arguments and the result."""

    def written(self, language: str) -> str:
        """Gives the code with its docstring."""
        return self.source.replace("{doc}", self.doc[language])

    def passes(self, source: str) -> bool:
        """Runs a source in a Python process of its own and compares it with the cases."""
        tests = "".join(f"assert {self.name}(*{arguments!r}) == {want!r}\n" for arguments, want in self.cases)
        command = [sys.executable, "-I", "-c", f"{source}\n{tests}print({REACHED_END!r})"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=False, text=True)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0 and done.stdout.endswith(REACHED_END + "\n")


def read_functions() -> tuple[Function, ...]:
    """Reads the code book."""
    rows = tomllib.loads((FOLDER / "functions.toml").read_text(encoding="utf-8"))["function"]
    return tuple(
        Function(
            name=row["name"],
            source=row["source"],
            ask={"en": row["ask_en"], "es": row["ask_es"]},
            doc={"en": row["doc_en"], "es": row["doc_es"]},
            why={"en": row["why_en"], "es": row["why_es"]},
            cases=[(arguments, want) for arguments, want in row["cases"]],
        )
        for row in rows
    )


def main() -> int:
    """Runs every function against its cases and says which fail."""
    functions = read_functions()
    failed = [f.name for f in functions if not f.passes(f.written("en"))]
    print(f"{len(functions) - len(failed)} of {len(functions)} functions pass", *failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
