"""Texts for people: translation, and the sentences shared by screens and reports.

The language is the environment's ``LANGUAGE``, as gettext has it; ``use_language`` sets it once at start. English is
the language of the source; other languages are catalogues under ``locale/``.
"""

from __future__ import annotations

import gettext as catalogues
import os
from functools import cache
from pathlib import Path

LOCALE_DIR = Path(__file__).parent / "locale"


def use_language(language: str) -> None:
    """Set the language ("en", "es") of all texts from now on, also in child processes."""
    os.environ["LANGUAGE"] = language


def _(text: str) -> str:
    """Return the text in the user's language, or unchanged where there is no translation."""
    # gettext stores the catalogue's own notes under the empty text.
    return _catalogue(os.environ.get("LANGUAGE", "")).gettext(text) if text else ""


def marked(text: str) -> str:
    """Mark a text for translation by tools/translate.py; ``_`` looks it up when it is shown."""
    return text


def plural(one: str, many: str, n: int) -> str:
    """Return the form of the text for ``n`` items; the number is not inserted."""
    return _catalogue(os.environ.get("LANGUAGE", "")).ngettext(one, many, n)


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    wanted = [part for part in language.split(":") if part]
    return catalogues.translation("llmtui", LOCALE_DIR, languages=wanted or ["en"], fallback=True)
