"""Write the glossary: ``python tools/describe_glossary.py docs/glossary.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from llmtui.words import use_language
from llmtui.words.glossary import glossary, glossary_lines

HEAD = """# Glossary

The terms used in screens, reports and files, and what other tools call the same things. This page is generated from
the program's own table; inside llmtui, press F1 and then `g` to see it. Rules and sources: [method.md](method.md).
"""


def document() -> str:
    """Return the whole document as Markdown, in English."""
    use_language("en")
    return "\n".join((HEAD, *glossary_lines(glossary()), ""))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), "utf-8")
