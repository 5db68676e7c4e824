"""Sentences on invalid settings and prompt files, in the user's language; the errors are those of ``config.errors``."""

from __future__ import annotations

import difflib

from llmtui.config.errors import ENVIRONMENT, Reason, SettingsError
from llmtui.config.settings import Settings
from llmtui.core.choices import bounds_of
from llmtui.words import _
from llmtui.words.choices import refused


def settings_words(error: SettingsError) -> str:
    """Return the sentence on an invalid setting: file, line and key, what is wrong, and what would be valid."""
    file = _("environment") if error.file == ENVIRONMENT else error.file
    line = "" if error.line is None else _("line {n}").format(n=error.line)
    place = ", ".join(part for part in (file, line, error.key) if part)
    wrong = _wrong(error)
    ended = wrong if wrong.endswith("?") else f"{wrong}."
    return f"{place}: {ended}" if place else ended


def not_used(error: SettingsError) -> str:
    """Return two sentences: what is invalid about a setting, and that the setting or the whole file is not used."""
    whole_file = not error.key
    then = _("The settings file is not used.") if whole_file else _("It is not used.")
    return f"{settings_words(error)} {then}"


def known_reasons() -> tuple[str, ...]:
    """Return all reason codes of ``SettingsError`` that have a text."""
    return ("bad_value", "unknown_key", *_clauses())


def _wrong(error: SettingsError) -> str:
    facts = dict(error.facts)
    if error.reason == "bad_value":
        return refused(bounds_of(Settings)[facts["setting"]], facts["given"])
    if error.reason == "unknown_key":
        return _unknown_key(facts["name"], facts["known"])
    if "kind" in facts:
        facts["kind"] = _kinds()[facts["kind"]]
    return _clauses()[error.reason].format(**facts)


def _unknown_key(name: str, known: str) -> str:
    """Return the text on an unknown key, with the most similar known key or with all known ones."""
    near = difflib.get_close_matches(name, known.split(", "), n=1, cutoff=0.5)
    if near:
        return _("unknown key {name}; did you mean {near}?").format(name=repr(name), near=repr(near[0]))
    return _("unknown key {name}; known here: {known}").format(name=repr(name), known=known)


def _clauses() -> dict[Reason, str]:
    return {
        "bad_scheme": _("{given} begins with {scheme}://, which cannot be used; use http or https"),
        "bad_host": _("{given}: “{name}” is not a host name or address"),
        "not_toml": _("is not valid TOML: {why}"),
        "too_deep": _("is nested too deeply"),
        "not_utf8": _("is not UTF-8 text"),
        "not_a_file": _("is not a regular file; give a file, not a folder, a pipe or a device"),
        "too_large": _("is larger than {limit}"),
        "cannot_read": _("cannot be read: {why}"),
        "cannot_write": _("cannot be written: {why}"),
        "no_key": _("has no key in it"),
        "no_home": _("there is no home folder; choose a folder with --results, or set HOME"),
        "cannot_change": _("cannot be changed here; edit it by hand"),
        "not_table": _("must be a table, not {kind}"),
        "not_text": _("must be text in quotes, not {kind}"),
        "empty": _("is empty"),
        "not_one_line": _("must be one line without control characters"),
        "no_header": _("this table is missing; put [llmtui] with format = {format} at the top"),
        "needs_format": _("needs format = {format}"),
        "other_format": _("this version reads format = {format}; a newer one may read this file"),
        "missing": _("is missing but required"),
        "needs_text": _("needs text"),
        "needs_language": _("needs text in one of the languages {languages}"),
        "no_prompts": _("has no prompts; add one under [[{head}]]"),
        "not_prompts": _("must be tables that begin with [[{head}]], not {kind}"),
        "bad_id": _(
            "an id has 1 to 40 characters from a–z, 0–9, - and _ and begins with a letter or digit; {given} does not"
        ),
        "same_id": _("the id “{id}” is also used by {other}"),
        "taken_id": _("the id “{id}” belongs to a prompt in “{category}”; choose another"),
    }


def _kinds() -> dict[str, str]:
    return {
        "flag": _("true or false"),
        "text": _("text"),
        "whole": _("a whole number"),
        "number": _("a number"),
        "list": _("a list"),
        "table": _("a table"),
        "time": _("a date or time"),
    }
