"""The interface of the app for its screens. The app imports the screens; they import only this."""

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
"""Names of the main screens."""


class Shell(Protocol):
    """The members of the app that screens use, besides those of every Textual app."""

    host: Host
    settings: Settings
    """The current settings, as they will be saved."""
    feed: Feed
    """Reader of the events of the engine, or of the watched file or pipe."""
    connection: ServerConnection
    read_only: bool
    """True if the app only watches a file or a pipe, so that nothing can be started."""

    @property
    def running(self) -> bool:
        """Whether a session of the engine is running."""

    def new_feed(self, open_link: Callable[[], Link]) -> Feed:
        """Return a ``Feed`` (reader of events) whose messages go to the visible screens."""

    def send(self, command: Command) -> bool:
        """Send a command to the engine; return whether it was sent."""

    def start(self, plan: Plan) -> None:
        """Start a session and switch to the Live screen."""

    def show(self, mode: Mode) -> None:
        """Switch to another main screen."""

    def run_again(self, plan: Plan | None) -> None:
        """Run a plan again, in another order."""

    def run_last(self) -> object:
        """Run the last session's plan again."""

    def remember(self, **changes: object) -> None:
        """Save changed settings; each keyword is the name of a field of ``Settings``."""

    def open_session(self, session_id: str, title: str) -> object:
        """Show the results of a saved session, with the given title."""


class ShellOf:
    """Descriptor through which a screen accesses the app: ``shell = ShellOf()`` in its class."""

    def __get__(self, screen: Screen[Any], owner: type[Screen[Any]]) -> Shell:
        """Return the app that shows the screen."""
        return cast("Shell", screen.app)
