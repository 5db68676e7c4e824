"""The common parts of every main screen: the navigation line, a line for problems, and the line of keys."""

from __future__ import annotations

from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.screen import Screen

from llmtui.tui.feed import FeedEnded, Replied, SessionChanged
from llmtui.tui.shell import ShellOf
from llmtui.tui.widgets.banner import Banner
from llmtui.tui.widgets.key_line import KeyLine
from llmtui.tui.widgets.nav_bar import NavBar


class BaseScreen(Screen[None]):
    """Base class of the main screens. Subclasses define ``compose_body``, and their name in ``PLACE``."""

    PLACE: ClassVar[str] = ""

    shell = ShellOf()
    banner = getters.query_one(Banner)

    inside: str = ""
    """Title of the saved session that the screen shows; empty for the main screens themselves."""

    @property
    def place(self) -> str:
        """The entry to mark in the navigation line: for a saved session, it is History."""
        return "history" if self.inside else self.PLACE

    def compose(self) -> ComposeResult:
        """Yield the navigation line, the line for problems and the body; the keys are added after the first paint."""
        yield NavBar(self.place, inside=self.inside, read_only=self.shell.read_only)
        yield Banner()
        yield from self.compose_body()
        # The footer has about twenty widgets, so it is added after the body has been painted.
        self.call_after_refresh(self.mount, KeyLine())

    def compose_body(self) -> ComposeResult:
        """Yield the widgets between the first and the last line."""
        yield from ()

    @on(FeedEnded)
    def _feed_ended(self, message: FeedEnded) -> None:
        if message.feed is self.shell.feed:
            self.show_lost()

    @on(SessionChanged)
    @on(Replied)
    def _feed_lives(self, message: SessionChanged | Replied) -> None:
        if message.feed is self.shell.feed and not message.feed.ended:
            self.show_lost()

    def on_screen_resume(self) -> None:
        """Update the screen, which receives no messages while another one is shown."""
        self.show_lost()

    def show_lost(self) -> None:
        """Show why the engine was lost; after it was restarted, remove that message."""
        lost = self.shell.feed.lost
        if lost is not None:
            self.banner.tell(lost)
        elif self.banner.code == "link_lost":
            self.banner.hush()
