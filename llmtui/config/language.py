"""The language of the program's texts and of the prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def pick_language(setting: str, env: Mapping[str, str], system_locale: str | None = None) -> Literal["en", "es"]:
    """Return the language of the program's texts and of the prompts.

    Args:
        setting: "en", "es", or "auto". The latter means the language of the locale, or English for any other locale.
        env: the environment; the first of LC_ALL, LC_MESSAGES and LANG that is set counts.
        system_locale: the system's name for its locale, such as "es_ES" or "Spanish_Spain", for systems that set none
            of these variables.
    """
    named = next((env[name] for name in _VARIABLES if env.get(name)), system_locale or "")
    wanted = named if setting == "auto" else setting
    head = wanted.replace("-", "_").replace(".", "_").replace("@", "_").split("_", 1)[0].lower()
    return "es" if head in {"es", "spanish"} else "en"
