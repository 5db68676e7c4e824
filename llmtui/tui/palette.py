"""The commands of the command palette."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.app import App, SystemCommand
from textual.screen import Screen

from llmtui.tui.shell import Shell
from llmtui.words import _


def palette_commands(app: App[Any], shell: Shell, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield the commands that are possible now; those of the current screen come first.

    Args:
        app: the app that runs the actions.
        shell: the same app, seen as the interface that the screens use.
        screen: the current screen.
    """

    def does(action: str) -> Any:  # noqa: ANN401  # what Textual calls
        return partial(app.run_action, action)

    yield from _screen_commands(app, screen)
    if not shell.read_only:
        yield SystemCommand(_("Setup"), _("Choose models, prompts and server"), lambda: shell.show("setup"))
    if shell.feed.session is not None:
        yield SystemCommand(_("Live"), _("Watch the run in progress"), lambda: shell.show("live"))
        yield SystemCommand(_("Results"), _("Compare the results"), lambda: shell.show("results"))
    yield SystemCommand(_("History"), _("Open an earlier session"), lambda: shell.show("history"))
    if shell.feed.ended and not shell.read_only:
        yield SystemCommand(_("Restart process"), _("Restart the measuring process"), does("restart_engine"))
    yield SystemCommand(_("Settings"), _("Language, theme, folders, limits, servers"), does("settings"))
    yield SystemCommand(_("Light or dark"), _("Switch between light and dark"), does("toggle_dark"))
    yield SystemCommand(_("Theme"), _("Choose the colours"), does("change_theme"))
    yield SystemCommand(_("Help"), _("Explain this screen and its keys"), does("help"))
    yield SystemCommand(_("Save screenshot"), _("As an SVG picture in the current folder"), app.deliver_screenshot)
    yield SystemCommand(_("Quit"), _("Quit llmtui"), does("quit"))


def _screen_commands(app: App[Any], screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Yield a command for each key of the screen and of the focused widget, including keys that the footer omits."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.description and active.node is not app and binding.action not in seen:
            seen.add(binding.action)
            key = app.get_key_display(binding)
            said = f"{key} · {binding.tooltip}" if binding.tooltip else key
            run = partial(app.run_action, binding.action, active.node)
            yield SystemCommand(binding.description, said, run)
