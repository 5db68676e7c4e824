"""What the documents say, cut into chunks that can be checked."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = (
    *sorted(path for path in ROOT.glob("*.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md")),
)

_FENCED = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def commands(heading: str) -> list[str]:
    """Return the lines of the shell blocks under a heading of the README."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return [line for block in _FENCED.findall(section) for line in block.splitlines()]


def table_rows(first_cell_of_head: str, document: str = README) -> list[list[str]]:
    """Return the rows of the table whose head begins with a cell, without that head."""
    lines = iter(document.splitlines())
    for line in lines:
        if _cells(line)[:1] == [first_cell_of_head] and line.startswith("|"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append(_cells(line))
    return rows


def links(path: Path) -> list[str]:
    """Return the targets of a document's links and pictures."""
    return _LINK.findall(path.read_text("utf-8"))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
