"""Sources of events: the engine process, an event file, a pipe on stdin. Three classes of one shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.core.records import ProblemError


class LinkLost(ProblemError):
    """The source is gone; the problem has the known reason, with the engine's last words and its log."""


class ReadOnly(ProblemError):
    """Commands cannot be sent to a file or a pipe."""


class Link(Protocol):
    """A source of events, and for the engine process a sink of commands."""

    name: str
    """Name for the user: "this machine", the file's name, "stdin"."""
    accepts_commands: bool
    is_live: bool
    """Whether more events can come after those already there."""

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield batches of events as they come until the source ends. Blocks: run it in a thread.

        Raises:
            LinkLost: the engine died.
        """
        ...

    def send(self, command: Command) -> None:
        """Send a command; thread-safe, never blocks for long.

        Raises:
            ReadOnly: this source accepts none.
            LinkLost: the engine is gone.
        """
        ...

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial with its text and timeline from disk; None if there is none. Blocks briefly."""
        ...

    def close(self) -> None:
        """Close the source: the engine cancels, cleans up and exits within 2 s; a second call does nothing."""
        ...
