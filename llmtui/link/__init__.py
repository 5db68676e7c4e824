"""Where events come from: the engine process, an event file, a pipe on stdin. Three classes of one shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.core.records import ProblemError


class LinkLost(ProblemError):
    """The other side is gone; the problem says what is known of why, with the engine's last words and its log."""


class ReadOnly(ProblemError):
    """Commands cannot be sent to a file or a pipe."""


class Link(Protocol):
    """A source of events, and for the engine process a sink of commands."""

    name: str
    """What a person calls it: "this machine", the file's name, "stdin"."""
    accepts_commands: bool
    is_live: bool
    """More events can come after those that are there now."""

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Gives events as they come, all that are there at once, until the source ends. Blocks: run it in a thread.

        Raises:
            LinkLost: the engine died.
        """
        ...

    def send(self, command: Command) -> None:
        """Sends a command; safe from any thread, never blocks for long.

        Raises:
            ReadOnly: this source takes none.
            LinkLost: the engine is gone.
        """
        ...

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Reads one finished trial with its text and timeline from disk; None if there is none. Blocks shortly."""
        ...

    def close(self) -> None:
        """Ends the source: the engine cancels, cleans up and exits within 2 s; a second call does nothing."""
        ...
