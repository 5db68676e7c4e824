"""All settings: the choices for a run and those of the program itself, with the rules for their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from llmtui.config.access import without_login
from llmtui.config.address import builtin_place, normalise_host
from llmtui.config.errors import SettingsError
from llmtui.core.choices import BadChoice, Bounds, Choices, Value, accepted, bounds_of, from_text


class Settings(Choices, frozen=True, kw_only=True):
    """All settings: the choices for a run, and those of the program itself."""

    host: str | None = None
    """The server's address as typed; None: this machine. ``normalise_host`` interprets it."""
    servers: tuple[str, ...] | None = None
    """Addresses of servers used before, the most recent first."""
    results_dir: str | None = None
    language: Literal["auto", "en", "es"] = "auto"
    theme: str | None = None
    """Name of a Textual theme; None: the program's own."""
    theme_dark: str | None = None
    """The theme that F6 changes to from a light one; None: the program's own dark theme."""
    theme_light: str | None = None
    """The theme that F6 changes to from a dark one; None: the program's own light theme."""
    bell: bool = True
    keymap: dict[str, str] = msgspec.field(default_factory=dict)
    """Keys by the id of their action, such as ``{"pause": "ctrl+p,f6"}``."""


def lasting() -> dict[str, Bounds]:
    """Return the allowed values of all settings that the settings file and the environment may set, by name."""
    return {name: bounds for name, bounds in bounds_of(Settings).items() if not bounds.once}


def checked(bounds: Bounds, value: object, *, file: str = "", key: str = "", line: int | None = None) -> Value:
    """Return a valid value in the form in which ``Settings`` stores it.

    Args:
        bounds: the setting's bounds.
        value: the value, of its own type.
        file: the file or source, for the error.
        key: the setting's name in that file or source; empty: the setting's own name.
        line: the line in that file.

    Raises:
        SettingsError: the value has the wrong type, is out of bounds, or is not a valid host.
    """
    return _in_place(lambda: _usable(bounds, accepted(bounds, value)), file=file, key=key, line=line)


def read(bounds: Bounds, text: str, *, file: str = "", key: str = "") -> Value:
    """Return the value for a text from a variable or a flag. Arguments and errors are as in ``checked``."""
    return _in_place(lambda: _usable(bounds, from_text(bounds, text)), file=file, key=key, line=None)


def _in_place(value: Callable[[], Value], *, file: str, key: str, line: int | None) -> Value:
    try:
        return value()
    except BadChoice as error:
        name = error.bounds.name
        raise SettingsError(
            "bad_value", file=file, key=key or name, line=line, setting=name, given=error.given
        ) from None


def _usable(bounds: Bounds, value: Value) -> Value:
    if bounds.name == "host" and isinstance(value, str) and builtin_place(value) is None:
        try:
            normalise_host(value)
        except SettingsError:
            raise BadChoice(bounds, without_login(value)) from None
    return value
