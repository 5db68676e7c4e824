"""Sources of events: the engine process, an event file, or a pipe on stdin; one class implements ``Link`` for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from llmtui.core.commands import Command
from llmtui.core.events import Event, TrialFinished
from llmtui.core.records import ProblemError


class LinkLost(ProblemError):
    """The source of events ended unexpectedly; the problem has the reason and, for the engine, the end of its log."""


class ReadOnly(ProblemError):
    """Commands cannot be sent to a file or a pipe."""


class Link(Protocol):
    """A source of events. The engine process also accepts commands."""

    name: str
    """Name for the user: "this machine", the file's name, "stdin"."""
    accepts_commands: bool
    is_live: bool
    """Whether more events can arrive after those that already exist."""

    def batches(self) -> Iterator[tuple[Event, ...]]:
        """Yield batches of events as they arrive, until the source ends. This blocks, so it is run in a thread.

        Raises:
            LinkLost: the engine died, or the events cannot be read.
        """
        ...

    def send(self, command: Command) -> None:
        """Send a command. This is thread-safe and blocks only briefly.

        Raises:
            ReadOnly: this source accepts no commands.
            LinkLost: the engine has ended.
        """
        ...

    def trial(self, trial_id: str) -> TrialFinished | None:
        """Return a finished trial with its text and timeline from disk; None if there is none. This blocks briefly."""
        ...

    def close(self) -> None:
        """Close the source; a second call does nothing. The engine cancels its run, cleans up and exits within 2 s."""
        ...
