"""The error of everything a person sets, as a code with its facts; ``words.settings`` has the sentences."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "bad_value",
    "unknown_key",
    "bad_scheme",
    "bad_host",
    "not_toml",
    "not_utf8",
    "not_a_file",
    "too_large",
    "cannot_read",
    "cannot_write",
    "cannot_change",
]


class SettingsError(ValueError):
    """A setting that cannot be used.

    Attributes:
        reason: what is wrong.
        file: the settings file, or ``ENVIRONMENT``; empty for a value just typed.
        key: the setting, the variable or the flag; empty for the file as a whole.
        line: its line in the file, from 1; None where there is none.
        setting: the name of the setting in ``Settings``.
        given: what was given instead of a usable value.
        detail: what the operating system or the TOML parser says.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        file: str = "",
        key: str = "",
        line: int | None = None,
        setting: str = "",
        given: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(": ".join(part for part in (file, key, reason, given or detail) if part))
        self.reason = reason
        self.file = file
        self.key = key
        self.line = line
        self.setting = setting or key
        self.given = given
        self.detail = detail


ENVIRONMENT = "environment"
"""In place of a file's name: the value is that of an environment variable."""
