"""What the screens need from outside: files, processes and settings come only through this interface."""

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
    from llmtui.core.pairs import PairVerdict
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
    ok: int = 0
    """Trials with a complete answer."""
    finished: str | None = None
    """``complete``, ``cancelled``, ``failed``; None while it runs and where it was interrupted."""
    running: bool = False
    """Its journal is being written, by this program or another."""
    duration_s: float | None = None
    """From its first line to its last; None where it did not end in order."""
    server: str = ""
    """Name and version; empty where they are not known."""
    llmtui: str = ""
    """Version of the program that ran it; empty for an imported session."""
    name: str = ""
    """Name given by the user."""
    note: str = ""
    verdict: PairVerdict | None = None
    """On the fastest model and the next one, in the order of ``models``."""
    problem: str | None = None
    """Why it cannot be opened, in words; None if it can."""


class ExportFailed(Exception):
    """A file could not be written; the message is a sentence for the user, with what to do."""


class FileIsThere(Exception):
    """A file has that name already; the message is its full path."""


class SessionRefused(Exception):
    """A saved session cannot be changed; the message is a sentence for the user."""


class BadAddress(Exception):
    """The text is no server's address; the message is a sentence for the user, with a valid example."""


class EditFailed(Exception):
    """The editor could not be started; the message is a sentence for the person, with what to do."""


class Host(Protocol):
    """The program around the screens. Methods may block briefly: call those that read files from a worker."""

    settings: Settings
    """As read at the start; ``save`` changes the file, not this."""
    problems: tuple[str, ...]
    """Sentences about settings that were not used."""
    pack: PromptPack
    results_dir: str
    settings_file: str
    """Path of the settings file; empty where there is no home folder."""
    server_named: bool
    """The server is on the command line: no other may replace it."""
    builtin_available: bool
    """The built-in server can be started: its library imports."""
    ollama_installed: bool
    """The ``ollama`` program is on this machine, running or not."""

    def server_of(self, address: str | None) -> SetServer:
        """Return the server for an address; None is the default one.

        Raises:
            BadAddress: the address is malformed.
        """
        ...

    def past_speeds(self) -> Mapping[str, PastSpeed]:
        """Return figures of earlier sessions on this machine, by the models' digests. Reads files."""
        ...

    def edit_prompts(self) -> PromptPack:
        """Open the person's own prompts in their editor, which takes the terminal; return what is in force after it.

        Raises:
            SettingsError: the file cannot be used; the prompts stay as they were.
            EditFailed: there is no editor.
        """
        ...

    def open_engine(self) -> Link:
        """Start the measuring process.

        Raises:
            LinkLost: the process cannot be started.
        """
        ...

    def open_session(self, session_id: str) -> Link:
        """Open a saved session for reading.

        Raises:
            LinkLost: the session is missing or unreadable.
        """
        ...

    def sessions(self) -> tuple[SessionEntry, ...]:
        """Return the saved sessions, newest first."""
        ...

    def last_plan(self) -> Plan | None:
        """Return the plan of the newest session; None where there is none. Reads files."""
        ...

    def earlier_session(self, session: Session) -> Earlier | None:
        """Return the last session of the same plan before this one; None where there is none. Reads whole journals."""
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
        """Save changed settings: names of fields of Settings with their new values.

        Raises:
            SettingsError: the settings file cannot be changed.
        """
        ...

    def label_session(self, session_id: str, *, name: str, note: str) -> None:
        """Keep a session's name and note. Writes a file.

        Raises:
            SessionRefused: it is not there, or cannot be written.
        """
        ...

    def delete_session(self, session_id: str) -> str:
        """Move a session to the trash; return what ``restore_session`` takes. Moves a folder.

        Raises:
            SessionRefused: it is running, is not there, or cannot be moved.
        """
        ...

    def restore_session(self, deleted: str) -> None:
        """Take a session back from the trash. Moves a folder.

        Raises:
            SessionRefused: it is not in the trash any more, or cannot be moved.
        """
        ...

    def export(self, sessions: Sequence[str], form: str, target: str, *, replace: bool) -> str:
        """Write sessions to a file in a form of ``llmtui report``; return the file's full path. Takes seconds.

        Args:
            sessions: names of sessions, or paths of their journals.
            form: a flag of the command, without the dashes.
            target: a file; ``~`` is the home folder.
            replace: write over a file that is there.

        Raises:
            FileIsThere: it is there, and is not to be replaced.
            ExportFailed: with the reason.
        """
        ...

    def export_table(self, rows: Sequence[Sequence[str]], target: str, *, replace: bool) -> str:
        """Write a table as on the screen to a CSV file, head first; return the file's full path.

        Raises:
            FileIsThere: it is there, and is not to be replaced.
            ExportFailed: with the reason.
        """
        ...

    def llama_bench(self, session: str) -> str:
        """Return the table for forums and issues. Takes a second.

        Raises:
            ExportFailed: with the reason.
        """
        ...


class ExitReport(msgspec.Struct, frozen=True, kw_only=True):
    """The app's report for the normal screen."""

    how: Literal["quit", "interrupted", "terminated"]
    """Ended by ``q`` or the palette, by Ctrl+C, or by a signal of the system."""
    session: Session | None = None
    """The last session that ran or was watched; None if there was none."""
    folder: str | None = None
    """Its folder."""
    failures: tuple[str, ...] = ()
    """Tracebacks of internal faults that the screens survived."""
    silent: Problem | None = None
    """Why the server tried first was not used: the built-in one replaced it."""
