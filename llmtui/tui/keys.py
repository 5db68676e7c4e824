"""Global keys. Every binding has an id, so that a user's keymap can change its key."""

from __future__ import annotations

from textual.binding import Binding

from llmtui.words import _


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
        Binding("ctrl+r", "restart_engine", _("Restart engine"), id="restart", show=False),
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
