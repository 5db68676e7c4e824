"""What the screens need from the app. The app imports its screens; they know only this interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, cast

from textual.screen import Screen

from llmtui.config import Settings
from llmtui.core.commands import Command
from llmtui.core.plan import Plan
from llmtui.link import Link
from llmtui.tui.connection import ServerConnection
from llmtui.tui.feed import Feed
from llmtui.tui.host import Host

Mode = Literal["setup", "live", "results", "history"]
"""The full screens."""


class Shell(Protocol):
    """The app as seen by a screen, beside what every Textual app has."""

    host: Host
    settings: Settings
    """The last choices, as they will be saved."""
    feed: Feed
    """The followed source."""
    connection: ServerConnection
    read_only: bool
    """Nothing can be started: a file or a pipe is watched."""

    @property
    def running(self) -> bool:
        """Whether a session of the engine is running."""

    def new_feed(self, open_link: Callable[[], Link]) -> Feed:
        """Return a feed whose messages go to the screens on show."""

    def send(self, command: Command) -> bool:
        """Send a command to the engine; return whether it was sent."""

    def start(self, plan: Plan) -> None:
        """Start a session and show it."""

    def show(self, mode: Mode) -> None:
        """Go to a full screen."""

    def run_again(self, plan: Plan | None) -> None:
        """Run a plan once more, in another order."""

    def run_last(self) -> object:
        """Run the last session's plan once more."""

    def remember(self, **changes: object) -> None:
        """Save choices in the settings file."""

    def open_session(self, session_id: str, title: str) -> object:
        """Show a saved session under a title."""


class ShellOf:
    """Access from a screen to the app: ``shell = ShellOf()`` in its class."""

    def __get__(self, screen: Screen[Any], owner: type[Screen[Any]]) -> Shell:
        """Return the app that shows the screen."""
        return cast("Shell", screen.app)
