"""Write the glossary: ``python tools/describe_glossary.py docs/glossary.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from llmtui.words import use_language
from llmtui.words.glossary import glossary, glossary_lines

HEAD = """# Glossary

The words of screens, reports and files, and what other tools call the same thing. Made from the program's own
table; F1 and then `g` shows it inside llmtui. Rules and sources: [method.md](method.md).
"""


def document() -> str:
    """Return the whole document as Markdown, in English."""
    use_language("en")
    return "\n".join((HEAD, *glossary_lines(glossary()), ""))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), "utf-8")
