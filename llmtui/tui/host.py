"""The interface through which the screens use files, processes and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from llmtui.config import Settings
from llmtui.core.records import Problem
from llmtui.core.session import Session

if TYPE_CHECKING:  # the first paint needs none of these
    from llmtui.core.across import Earlier
    from llmtui.core.commands import Command, SetServer
    from llmtui.core.estimate import PastSpeed
    from llmtui.core.pairs import PairVerdict
    from llmtui.core.plan import Plan
    from llmtui.core.prompts import PromptPack
    from llmtui.core.trend import FigureTrend
    from llmtui.link import Link
    from llmtui.store.compared import ComparedSessions


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One saved session, as listed on the History screen."""

    session_id: str
    wall_ns: int
    """Time of the start, in nanoseconds since 1970 UTC."""
    models: tuple[str, ...]
    """Labels of the contenders."""
    trials: int
    """Number of finished trials."""
    ok: int = 0
    """Number of trials with a complete answer."""
    finished: str | None = None
    """``complete``, ``cancelled`` or ``failed``; None while the session runs or if it was interrupted."""
    running: bool = False
    """Whether the session's journal is being written, by this program or another."""
    duration_s: float | None = None
    """Seconds from the first to the last line of the session's journal; None if the session was interrupted."""
    server: str = ""
    """Name and version of the server; empty if unknown."""
    llmtui: str = ""
    """Version of llmtui that ran the session; empty for an imported session."""
    name: str = ""
    """Name that the user gave the session; may be empty."""
    note: str = ""
    verdict: PairVerdict | None = None
    """The speed verdict on the two fastest models; its contenders are indices of ``models``."""
    problem: str | None = None
    """Why the session cannot be opened, in words; None if it can."""


class ExportFailed(Exception):
    """A file could not be written. The message is a sentence for the user, with what to do."""


class FileIsThere(Exception):
    """The target file exists already. The message is its full path."""


class SessionRefused(Exception):
    """A saved session could not be changed. The message is a sentence for the user."""


class BadAddress(Exception):
    """The text is not a server address. The message is a sentence for the user, with a valid example."""


class EditFailed(Exception):
    """The editor could not be started. The message is a sentence for the user, with what to do."""


class Host(Protocol):
    """What the screens need from the program. Methods that read or write files block: run them in a worker."""

    settings: Settings
    """The settings as read at startup; ``save`` changes the file, not this attribute."""
    problems: tuple[str, ...]
    """Sentences for the user about settings that are ignored."""
    pack: PromptPack
    results_dir: str
    settings_file: str
    """Path of the settings file; empty if there is no home folder."""
    server_named: bool
    """Whether the server was named on the command line; if so, it is not replaced automatically."""
    builtin_available: bool
    """Whether the built-in server can be started, that is, whether its library can be imported."""
    ollama_installed: bool
    """Whether the ``ollama`` program is installed on this machine, running or not."""

    def server_of(self, address: str | None) -> SetServer:
        """Return the server for an address, or the default server if the address is None.

        Raises:
            BadAddress: the address is malformed.
        """
        ...

    def past_speeds(self) -> Mapping[str, PastSpeed]:
        """Return the speeds of earlier sessions on this machine, by model digest. Reads files."""
        ...

    def edit_prompts(self) -> PromptPack:
        """Open the user's prompts file in their editor, which takes over the terminal; return the new prompts.

        Raises:
            SettingsError: the edited file is invalid; the prompts in use stay as they were.
            EditFailed: no editor could be started.
        """
        ...

    def open_engine(self) -> Link:
        """Start the engine (the measuring process) and return the link to it.

        Raises:
            LinkLost: the process cannot be started.
        """
        ...

    def open_session(self, session_id: str) -> Link:
        """Open a saved session for reading, and return the link to it.

        Raises:
            LinkLost: the session is missing or unreadable.
        """
        ...

    def resume(self, session_id: str, *, accept_changes: bool = False) -> tuple[Command, ...]:
        """Return, in order, the commands with which an engine runs the remaining trials of an interrupted session.

        If the engine replies ``CommandFailed`` with ``resume_changed``, ask the user; to go on, resume with
        ``accept_changes``. Reads files.

        Raises:
            LinkLost: there is no such session, or its plan cannot be read.
        """
        ...

    def sessions(self) -> tuple[SessionEntry, ...]:
        """Return the saved sessions, newest first."""
        ...

    def last_plan(self) -> Plan | None:
        """Return the plan of the newest session, or None if there is no session. Reads files."""
        ...

    def earlier_session(self, session: Session) -> Earlier | None:
        """Return the previous session with the same plan, or None if there is none. Reads whole journals."""
        ...

    def compare(self, session_ids: Sequence[str]) -> tuple[ComparedSessions, ...]:
        """Return the comparisons of the given sessions: each later one with the oldest.

        Reads files: call it from a worker. The wording of the result is in ``words.comparing``.

        Args:
            session_ids: at least two, in any order.

        Raises:
            LinkLost: a session is missing, cannot be read, or has no trial.
        """
        ...

    def trends(self, session_ids: Sequence[str]) -> tuple[FigureTrend, ...]:
        """Return speed and TTFT over several sessions of one plan, without figures that no session has.

        Reads files: call it from a worker. The rows to show are in ``words.trending``.

        Args:
            session_ids: several sessions; or one, to which all earlier ones of its plan are added.

        Raises:
            LinkLost: a session is missing, cannot be read, or has no trial.
        """
        ...

    def save(self, changes: Mapping[str, object]) -> None:
        """Save changed settings, given as fields of Settings with their new values.

        Raises:
            SettingsError: the settings file cannot be changed.
        """
        ...

    def label_session(self, session_id: str, *, name: str, note: str) -> None:
        """Save a session's name and note. Writes a file.

        Raises:
            SessionRefused: the session is missing, or cannot be written.
        """
        ...

    def delete_session(self, session_id: str) -> str:
        """Move a session's folder to the trash; return the argument for ``restore_session``.

        Raises:
            SessionRefused: the session is running, is missing, or cannot be moved.
        """
        ...

    def restore_session(self, deleted: str) -> None:
        """Move a session's folder back from the trash.

        Args:
            deleted: the return value of ``delete_session``.

        Raises:
            SessionRefused: the session is no longer in the trash, or cannot be moved.
        """
        ...

    def export(self, sessions: Sequence[str], form: str, target: str, *, replace: bool) -> str:
        """Write sessions to a file in a format of ``llmtui report``; return the file's full path. Takes seconds.

        Args:
            sessions: names of sessions, or paths of their journals.
            form: the format's command-line flag, without the dashes.
            target: path of the file; ``~`` is the home folder.
            replace: overwrite the file if it exists.

        Raises:
            FileIsThere: the file exists and ``replace`` is False.
            ExportFailed: the file could not be written.
        """
        ...

    def export_table(self, rows: Sequence[Sequence[str]], target: str, *, replace: bool) -> str:
        """Write a table shown on the screen to a CSV file, header first; return the file's full path.

        Raises:
            FileIsThere: the file exists and ``replace`` is False.
            ExportFailed: the file could not be written.
        """
        ...

    def llama_bench(self, session: str) -> str:
        """Return a session's table in the format of llama-bench, for forums and issues. Takes a second.

        Raises:
            ExportFailed: the table could not be made.
        """
        ...


class ExitReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the app, for the messages that are printed after it has ended."""

    how: Literal["quit", "interrupted", "terminated"]
    """What ended the app: the user's command to quit, Ctrl+C without a question, or a signal from the system."""
    session: Session | None = None
    """The last session that ran or was watched; None if there was none."""
    folder: str | None = None
    """The folder of ``session``."""
    failures: tuple[str, ...] = ()
    """Tracebacks of internal errors that did not end the app."""
    silent: Problem | None = None
    """Why the default server did not answer, if the built-in server replaced it."""
