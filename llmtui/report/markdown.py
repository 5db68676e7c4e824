"""A session as Markdown: conclusions, tables, conditions, and the formulas of the figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from llmtui.core.across import Earlier
from llmtui.core.session import Session
from llmtui.report.rows import Row
from llmtui.report.sections import Entry, Section, sections, title_of, when_of
from llmtui.words.verdicts import banners

_OWN: Final = re.compile(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)|~(?=~)|(?<=~)~|&(?=#?\w+;)")
"""Characters that have a meaning in Markdown or HTML at their position; ``_`` within a word has none."""


def markdown(session: Session, earlier: Earlier | None = None) -> str:
    """Return the whole report as Markdown.

    Args:
        session: the session.
        earlier: the previous session of the same plan, for the conclusion "Since last time".
    """
    parts = [
        f"# {as_text(title_of(session))}",
        f"{when_of(session)} · {_code(session.session_id)}",
        *map(as_text, banners(session)),
    ]
    for section in sections(session, earlier):
        parts.extend(_section(section))
    return "\n\n".join(part for part in parts if part) + "\n"


def write_markdown(session: Session, target: Path, earlier: Earlier | None = None) -> None:
    """Write the report to a file; its folder is created if necessary.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(markdown(session, earlier), "utf-8")


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    yield section.lead
    yield _table(section.rows)
    yield "\n".join(f"- {_entry(entry)}" for entry in section.entries)


def _entry(entry: Entry) -> str:
    strong = f"**{as_text(entry.strong)}**" if entry.strong else ""
    code = f" (`{entry.code}`)" if entry.code else ""
    return f"{strong}{code}: {as_text(entry.text)}" if strong else as_text(entry.text)


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(as_text(cell) for cell in line)} |" for line in lines)


def as_text(text: str) -> str:
    """Return the text on one line, with every character escaped that has a meaning in Markdown or HTML."""
    return " ".join(_OWN.sub(r"\\\g<0>", text).split())


def _code(text: str) -> str:
    """Return a name as inline code; backticks are replaced, so that the name cannot end the code."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"
