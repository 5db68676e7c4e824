"""Translation of texts, and the sentences shared by screens and reports.

The environment variable ``LANGUAGE`` names the language, as for gettext; ``use_language`` sets it once at startup. The
source is in English; translations are catalogues under ``locale/``.
"""

from __future__ import annotations

import gettext as catalogues
import os
from functools import cache
from pathlib import Path

LOCALE_DIR = Path(__file__).parent / "locale"


def use_language(language: str) -> None:
    """Set the language ("en", "es") of all texts from now on, including those of child processes."""
    os.environ["LANGUAGE"] = language


def _(text: str) -> str:
    """Return the text in the user's language, or unchanged if there is no translation."""
    # gettext would return the catalogue's header for an empty text.
    return _catalogue(os.environ.get("LANGUAGE", "")).gettext(text) if text else ""


def marked(text: str) -> str:
    """Mark a text for translation by tools/translate.py, and return it unchanged; ``_`` translates it when shown."""
    return text


def plural(one: str, many: str, n: int) -> str:
    """Return the singular or plural form for ``n`` items, translated; the caller inserts the number."""
    return _catalogue(os.environ.get("LANGUAGE", "")).ngettext(one, many, n)


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    wanted = [part for part in language.split(":") if part]
    return catalogues.translation("llmtui", LOCALE_DIR, languages=wanted or ["en"], fallback=True)
