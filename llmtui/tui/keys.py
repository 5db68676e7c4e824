"""Global keys. Every binding has an id, so that a user's keymap can change its key."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

from textual.app import App
from textual.binding import Binding
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from llmtui.words import _

_NAMED = frozenset(key.value for key in Keys) | frozenset(KEY_NAME_REPLACEMENTS.values())
_MODIFIERS = ("ctrl+", "shift+", "alt+", "super+", "hyper+", "meta+")
RENAMED: Final[Mapping[str, str]] = MappingProxyType(
    {"look_again": "history.refresh", "again": "run_again", "results.again": "results.run_again"}
)
"""Earlier name of a key in the keymap → its present name. Both are accepted in config.toml."""


def present_names(keymap: Mapping[str, str]) -> dict[str, str]:
    """Return a keymap with present names; a key given under both names keeps the one under the present name."""
    earlier = {RENAMED[name]: key for name, key in keymap.items() if name in RENAMED}
    return earlier | {name: key for name, key in keymap.items() if name not in RENAMED}


def apply_keymap(app: App[Any], keymap: Mapping[str, str]) -> tuple[str, ...]:
    """Use the user's keymap without keys that do not exist; return a sentence that names those keys, if any.

    An action all of whose keys are unknown keeps its usual key. Actions may have their earlier names.
    """
    usable: dict[str, str] = {}
    unknown: list[str] = []
    for action, keys in present_names(keymap).items():
        names = [name.strip() for name in keys.split(",") if name.strip()]
        known = [name for name in names if _is_key(name)]
        unknown += [name for name in names if name not in known]
        if known:
            usable[action] = ",".join(known)
    app.set_keymap(usable)
    sentence = _("The keymap names keys that do not exist: {keys}.")
    return (sentence.format(keys=", ".join(unknown)),) if unknown else ()


def _is_key(name: str) -> bool:
    """Return whether Textual knows a key of this name: a character, its name, or a key such as ``f6``."""
    while name.startswith(_MODIFIERS) and name not in _NAMED:
        name = name.partition("+")[2]
    if len(name) == 1 or name in _NAMED:
        return True
    with suppress(KeyError):
        return bool(unicodedata.lookup(name.replace("_", " ")))
    return False


def app_bindings() -> list[Binding]:
    """Return the key bindings that apply on every screen."""
    return [
        Binding(
            "q", "quit_or_ask", _("Quit"), id="quit", show=False, tooltip=_("Quit llmtui; asks first during a run")
        ),
        Binding(
            "ctrl+c",
            "copy_or_quit",
            _("Copy the selection, or quit"),
            id="leave",
            show=False,
            priority=True,
            system=True,
        ),
        Binding("f1", "help", _("Help"), id="help", show=False, tooltip=_("Explain this screen and its keys")),
        Binding("f2", "go('setup')", _("Setup"), id="setup", show=False, tooltip=_("Open Setup")),
        Binding("f3", "go('live')", _("Live"), id="live", show=False, tooltip=_("Open Live")),
        Binding("f4", "go('results')", _("Results"), id="results", show=False, tooltip=_("Open Results")),
        Binding("f5", "go('history')", _("History"), id="history", show=False, tooltip=_("Open History")),
        Binding(
            "f6", "toggle_dark", _("Light or dark"), id="dark", show=False, tooltip=_("Switch between light and dark")
        ),
        Binding("f7", "settings", _("Settings"), id="settings", show=False, tooltip=_("Open the settings")),
        Binding(
            "ctrl+z",
            "suspend_process",
            _("Suspend"),
            id="suspend",
            show=False,
            tooltip=_("Suspend llmtui; the shell's command fg continues it"),
        ),
        Binding("ctrl+r", "restart_engine", _("Restart process"), id="restart", show=False),
        Binding(
            "ctrl+p",
            "command_palette",
            _("Commands"),
            id="palette",
            show=False,
            priority=True,
            tooltip=_("Find a command by name"),
        ),
    ]
