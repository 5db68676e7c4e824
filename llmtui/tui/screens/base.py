"""The common parts of every full screen: the line of places above, room for a banner, the keys below."""

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
    """A full screen of the program. Subclasses define ``compose_body`` and their place in ``PLACE``."""

    PLACE: ClassVar[str] = ""

    shell = ShellOf()
    banner = getters.query_one(Banner)

    inside: str = ""
    """The saved session that the screen shows; empty where the screen is a place itself."""

    @property
    def place(self) -> str:
        """The place of the first line that is marked: saved sessions are inside the history."""
        return "history" if self.inside else self.PLACE

    def compose(self) -> ComposeResult:
        """Yield the body between the places and the keys."""
        yield NavBar(self.place, inside=self.inside, read_only=self.shell.read_only)
        yield Banner()
        yield from self.compose_body()
        # The footer is twenty widgets: the body is painted before it.
        self.call_after_refresh(self.mount, KeyLine())

    def compose_body(self) -> ComposeResult:
        """Yield the widgets between the first line and the last."""
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
        """Update the screen, which has missed messages."""
        self.show_lost()

    def show_lost(self) -> None:
        """Show why the engine is gone, or remove that."""
        lost = self.shell.feed.lost
        if lost is not None:
            self.banner.tell(lost)
        elif self.banner.code == "link_lost":
            self.banner.hush()
