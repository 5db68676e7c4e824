"""Sentences about settings that cannot be used: a code of ``config.errors`` in the person's language."""

from __future__ import annotations

import difflib

from llmtui.config.errors import ENVIRONMENT, Reason, SettingsError
from llmtui.config.settings import Settings, lasting
from llmtui.core.choices import bounds_of
from llmtui.words import _
from llmtui.words.choices import refused


def settings_words(error: SettingsError) -> str:
    """Return the sentence: where it is, what is wrong, what would be right."""
    file = _("environment") if error.file == ENVIRONMENT else error.file
    line = "" if error.line is None else _("line {n}").format(n=error.line)
    place = ", ".join(part for part in (file, line, error.key) if part)
    return f"{place}: {_wrong(error)}." if place else f"{_wrong(error)}."


def not_used(error: SettingsError) -> str:
    """Return the sentence, and that the program goes on without the value or the file."""
    whole_file = not error.key
    then = _("The settings file is not used.") if whole_file else _("It is not used.")
    return f"{settings_words(error)} {then}"


def _wrong(error: SettingsError) -> str:
    if error.reason == "bad_value":
        return refused(bounds_of(Settings)[error.setting], error.given)
    if error.reason == "unknown_key":
        return unknown_key(error.key, tuple(lasting()))
    return _clauses()[error.reason].format(given=repr(error.given), detail=error.detail)


def _clauses() -> dict[Reason, str]:
    return {
        "bad_scheme": _("{given} begins with {detail}://, which cannot be used; write http or https"),
        "bad_host": _("{given}: “{detail}” is not a host name or address"),
        "not_toml": _("is not valid TOML: {detail}"),
        "not_utf8": _("is not UTF-8 text"),
        "not_a_file": _("is not a regular file"),
        "too_large": _("is larger than {detail}"),
        "cannot_read": _("cannot be read: {detail}"),
        "cannot_write": _("cannot be written: {detail}"),
        "cannot_change": _("cannot be changed here; edit it by hand"),
    }


def unknown_key(name: str, known: tuple[str, ...]) -> str:
    """Return the clause about a key that has no meaning, with the known key that looks most like it."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return _("unknown key {name}; did you mean {near}?").format(name=repr(name), near=repr(near[0]))
    return _("unknown key {name}; known here: {known}").format(name=repr(name), known=", ".join(known))
