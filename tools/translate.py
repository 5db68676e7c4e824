"""Bring the translation catalogues up to date with the source: ``python tools/translate.py [--missing]``.

Collects every text in ``_()``, ``marked()``, ``plural()`` or ``counted()`` below ``llmtui/``. New texts are added to
each language's ``.po`` untranslated, texts that no longer exist are removed, and ``.mo`` is compiled. ``--missing``
lists the texts without a translation. The exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "llmtui"
LOCALE = SOURCE / "words" / "locale"
DOMAIN = "llmtui"
NO_DATE = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
"""Date in every compiled catalogue: the format wants one."""
CHANGING = tuple(
    f'"{name}'.encode()
    for name in (
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Report-Msgid",
        "Generated-By",
        "Language-Team",
    )
)
"""Header lines to leave out: they say nothing, or change with every run."""
KEYWORDS = {"_": 1, "marked": 1, "plural": 2, "counted": 2}
"""Function → how many of its first arguments are texts."""


def collected() -> Catalog:
    """Return all texts of the source, each with the names of its files."""
    catalogue = Catalog(domain=DOMAIN, project=DOMAIN, version="", copyright_holder="The llmtui authors")
    for file in sorted(SOURCE.rglob("*.py")):
        for message in texts_in(file.read_text("utf-8")):
            # Without line numbers, which would change with every edit of the source.
            catalogue.add(message, None, [(file.relative_to(ROOT).as_posix(), None)])
    return catalogue


def texts_in(source: str) -> Iterator[str | tuple[str, str]]:
    """Yield the texts of a module in order, including those within f-strings, which babel's extractor misses."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
        wanted = KEYWORDS.get(call.func.id, 0) if isinstance(call.func, ast.Name) else 0
        texts = [part.value for part in call.args[:wanted] if isinstance(part, ast.Constant)]
        match [text for text in texts if isinstance(text, str)]:
            case [text]:
                yield text
            case [one, many]:
                yield one, many


def languages() -> list[str]:
    """Return the languages that have a catalogue."""
    return sorted(folder.name for folder in LOCALE.iterdir() if (folder / "LC_MESSAGES").is_dir())


def po_path(language: str) -> Path:
    """Return the path of a language's ``.po`` file."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """Return a language's catalogue."""
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def compiled(catalogue: Catalog) -> bytes:
    """Return the catalogue in gettext's binary format; equal content makes equal bytes."""
    catalogue.creation_date = catalogue.revision_date = NO_DATE
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def as_po(catalogue: Catalog) -> bytes:
    """Return the catalogue in ``.po`` format; equal content makes equal bytes."""
    out = io.BytesIO()
    write_po(out, catalogue, width=118, sort_output=True, ignore_obsolete=True, include_lineno=False)
    lines = out.getvalue().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(CHANGING))


def missing(catalogue: Catalog) -> list[str]:
    """Return the texts that have no translation."""
    found: list[str] = []
    for message in catalogue:
        texts = message.string if isinstance(message.string, list | tuple) else [message.string]
        if message.id and (message.fuzzy or not all(texts)):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found


def update(language: str) -> list[str]:
    """Rewrite a language's ``.po`` and ``.mo``; return the texts that have no translation."""
    catalogue = read(language)
    catalogue.update(collected(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    po_path(language).write_bytes(as_po(catalogue))
    fresh = read(language)
    po_path(language).with_suffix(".mo").write_bytes(compiled(fresh))
    return missing(fresh)


def main() -> int:
    """Update every language; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--missing", action="store_true", help="list the texts without a translation")
    listing = parser.parse_args().missing
    complete = True
    for language in languages():
        without = update(language)
        complete &= not without
        print(f"{language}: {len(without)} texts without a translation", file=sys.stderr)
        if listing:
            print("\n".join(without))
    return 0 if complete else 1


if __name__ == "__main__":
    raise SystemExit(main())
