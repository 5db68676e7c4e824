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
        Binding("ctrl+c", "copy_or_quit", _("Copy or leave"), id="leave", show=False, priority=True, system=True),
        Binding("f1", "help", _("Help"), id="help", show=False, tooltip=_("What this screen does, and its keys")),
        Binding("f2", "go('setup')", _("Setup"), id="setup", show=False),
        Binding("f3", "go('live')", _("Live"), id="live", show=False),
        Binding("f4", "go('results')", _("Results"), id="results", show=False),
        Binding("f5", "go('history')", _("History"), id="history", show=False),
        Binding("f6", "toggle_dark", _("Light or dark"), id="dark", show=False),
        Binding("f7", "settings", _("Settings"), id="settings", show=False),
        Binding("ctrl+z", "suspend_process", _("To the shell"), id="suspend", show=False, tooltip=_("fg returns")),
        Binding("ctrl+r", "restart_engine", _("Restart engine"), id="restart", show=False),
        Binding("ctrl+p", "command_palette", _("Commands"), id="palette", show=False, priority=True),
    ]
