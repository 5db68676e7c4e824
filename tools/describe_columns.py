"""Put a table that explains all columns into a document: ``python tools/describe_columns.py docs/method.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from llmtui.core.measures import measures
from llmtui.words.measures import WORDS, file_names

BEGIN, END = "<!-- columns: begin -->", "<!-- columns: end -->"


def table() -> str:
    """Return the table of all figures as Markdown, in English."""
    lines = ["| column | in files | is | left out | source |", "|---|---|---|---|---|"]
    for one in measures():
        words = WORDS[one.id]
        title = f"{words.title}, {one.unit}" if one.unit else words.title
        lines.append(f"| {title} | `{file_names(one)}` | {words.formula} | {words.excluded} | {words.source} |")
    return "\n".join(lines)


def put_into(document: str) -> str:
    """Return the document with the table between its two marks.

    Raises:
        SystemExit: the document does not have both marks.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"The document has no lines {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Rewrite the document given on the command line; return the exit code."""
    path = Path(sys.argv[1])
    path.write_text(put_into(path.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
