"""What the screens need from outside: files, processes and settings come in through this door only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from llmtui.config import Settings
from llmtui.core.records import Problem
from llmtui.core.session import Session

if TYPE_CHECKING:  # the first paint needs none of these
    from llmtui.core.across import Earlier
    from llmtui.core.commands import SetServer
    from llmtui.core.estimate import PastSpeed
    from llmtui.core.plan import Plan
    from llmtui.core.prompts import PromptPack
    from llmtui.link import Link
    from llmtui.store.compared import ComparedSessions


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history."""

    session_id: str
    wall_ns: int
    """Start, nanoseconds since 1970 UTC."""
    models: tuple[str, ...]
    """Labels of the contenders."""
    trials: int
    """Finished trials."""
    rounds: int
    """Rounds of which at least one trial is finished."""
    finished: str | None = None
    """``complete``, ``cancelled``, ``failed``; None where the session was interrupted."""
    problem: str | None = None
    """Why it cannot be opened, in words; None if it can."""


class ExportFailed(Exception):
    """A file could not be written; the message is a sentence for the person, with what to do."""


class BadAddress(Exception):
    """What was typed is no server's address; the message is a sentence for the person, with what would be one."""


class Host(Protocol):
    """The program around the screens. Methods may block shortly: call those with files behind them from a worker."""

    settings: Settings
    """As read at the start; ``save`` changes the file, not this."""
    problems: tuple[str, ...]
    """Sentences about settings that were not used."""
    pack: PromptPack
    results_dir: str
    server_named: bool
    """The server stands on the command line: no other may stand in for it."""
    builtin_available: bool
    """The built-in server can be started: its library imports."""
    ollama_installed: bool
    """The ``ollama`` program is on this machine, running or not."""

    def server_of(self, address: str | None) -> SetServer:
        """Gives the server that an address means; None is the usual one.

        Raises:
            BadAddress: it cannot be read.
        """
        ...

    def past_speeds(self) -> Mapping[str, PastSpeed]:
        """Gives what earlier sessions on this machine measured, by the models' digests. Reads files."""
        ...

    def open_engine(self) -> Link:
        """Starts the measuring process.

        Raises:
            LinkLost: it cannot be started.
        """
        ...

    def open_session(self, session_id: str) -> Link:
        """Opens a saved session for reading.

        Raises:
            LinkLost: it is not there or cannot be read.
        """
        ...

    def sessions(self) -> tuple[SessionEntry, ...]:
        """Gives the saved sessions, the newest first."""
        ...

    def last_plan(self) -> Plan | None:
        """Gives the plan of the newest session; None before there was one. Reads files."""
        ...

    def earlier_session(self, session: Session) -> Earlier | None:
        """Gives the last session of the same plan before this one; None where there is none. Reads whole journals."""
        ...

    def compare(self, session_ids: Sequence[str]) -> tuple[ComparedSessions, ...]:
        """Return each later session compared with the oldest of them, with its words in ``words.comparing``.

        Reads files: call it from a worker.

        Args:
            session_ids: at least two, in any order.

        Raises:
            LinkLost: one is not there, cannot be read, or has no trial.
        """
        ...

    def save(self, changes: Mapping[str, object]) -> None:
        """Keeps changed settings: names of fields of Settings with their new values.

        Raises:
            SettingsError: the settings file cannot be changed.
        """
        ...

    def export_csv(self, session_id: str, target: str) -> str:
        """Copies a session's table to a file the person names (a folder, a name, ``~`` allowed); gives its full path.

        Raises:
            ExportFailed: with the reason.
        """
        ...


class ExitReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the app leaves to be said on the normal screen."""

    how: Literal["quit", "interrupted", "terminated"]
    """By ``q`` or the palette, by ctrl+c, by a signal of the system."""
    session: Session | None = None
    """The last session that ran or was watched; None if there was none."""
    folder: str | None = None
    """Where it is kept."""
    failures: tuple[str, ...] = ()
    """Tracebacks of faults of llmtui itself, which the screens survived."""
    silent: Problem | None = None
    """Why the server that was tried first is not the one that was talked to: the built-in one stood in for it."""
