"""The error for invalid settings: a code with arguments. ``words.settings`` has the sentences for the codes."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    # files
    "cannot_read", "cannot_write", "cannot_change", "not_a_file", "too_large", "not_utf8", "not_toml", "too_deep",
    "no_key", "no_home",
    # keys and their values
    "unknown_key", "bad_value", "bad_scheme", "bad_host", "not_table", "not_text", "empty", "not_one_line",
    # prompt files
    "no_header", "needs_format", "other_format", "missing", "needs_text", "needs_language", "no_prompts",
    "not_prompts", "bad_id", "same_id", "taken_id",
]  # fmt: skip


class SettingsError(ValueError):
    """An unusable value or text in a settings file, the environment, a flag or a prompt file.

    Attributes:
        reason: code of the reason.
        file: the file, or ``ENVIRONMENT``; empty for a value just typed.
        key: the setting, variable, flag, or dotted path in a prompt file; empty if the error is in the file as a whole.
        line: line in the file, from 1; None if the TOML parser reports none.
        facts: arguments for the sentence of the reason.
    """

    def __init__(self, reason: Reason, *, file: str = "", key: str = "", line: int | None = None, **facts: str) -> None:
        super().__init__(": ".join(part for part in (file, key, reason, *facts.values()) if part))
        self.reason: Reason = reason
        self.file = file
        self.key = key
        self.line = line
        self.facts = facts


ENVIRONMENT = "environment"
"""Used in place of a file's name if the value comes from an environment variable."""
