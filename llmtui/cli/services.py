"""The program around the screens: opens links, lists sessions, saves settings and copies files.

Methods import what they need: nothing of it is needed before the first paint, and all of it takes time.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmtui.cli.startup import Refused, Startup, builtin_available, server_of
from llmtui.config import Settings, SettingsError, config_path, expanded, save_choices
from llmtui.core.commands import SetServer
from llmtui.core.plan import Plan
from llmtui.core.prompts import PromptPack
from llmtui.core.records import NamedBy, Problem
from llmtui.core.session import Session
from llmtui.link import Link, LinkLost
from llmtui.tui.host import BadAddress, ExportFailed, SessionEntry
from llmtui.words import _
from llmtui.words.problems import problem_what, whole_problem

if TYPE_CHECKING:
    from llmtui.core.across import Earlier
    from llmtui.core.estimate import PastSpeed
    from llmtui.store.compared import ComparedSessions
    from llmtui.store.listing import SessionFolder


class Services:
    """The app's host; tui.host documents its members."""

    def __init__(self, of: Startup) -> None:
        self.settings: Settings = of.settings
        self.pack: PromptPack = of.pack
        self.results_dir = str(of.results)
        self.server_named = of.server_named
        self.builtin_available = builtin_available()
        self.ollama_installed = shutil.which("ollama") is not None
        self.problems = of.problems
        self._api_key = of.api_key

    def server_of(self, address: str | None) -> SetServer:
        """Return the server for an address; that of the settings counts as the user's only where it was typed."""
        named_by: NamedBy = "nobody" if address is None else "person"
        if address is not None and address == self.settings.host and not self.server_named:
            named_by = "settings"
        try:
            return server_of(address, named_by)
        except Refused as error:
            raise BadAddress(str(error)) from error

    def past_speeds(self) -> Mapping[str, PastSpeed]:
        """Return figures of earlier sessions, by digest."""
        from llmtui.store.past_speeds import past_speeds

        return past_speeds(Path(self.results_dir))

    def open_engine(self) -> Link:
        """Start the engine."""
        from llmtui.link.engine_process import EngineProcess

        try:
            return EngineProcess(api_key=self._api_key)
        except OSError as error:
            raise LinkLost(Problem(code="engine_not_started", detail=error.strerror)) from error

    def open_session(self, session_id: str) -> Link:
        """Open a saved session."""
        from llmtui.link.event_file import EventFile

        return EventFile(self._folder(session_id).journal)

    def sessions(self) -> tuple[SessionEntry, ...]:
        """Return the saved sessions, newest first."""
        from llmtui.store.listing import list_sessions

        return tuple(_entry(folder) for folder in list_sessions(Path(self.results_dir)))

    def last_plan(self) -> Plan | None:
        """Return the plan of the newest session that was run."""
        from llmtui.store.earlier import last_plan

        return last_plan(Path(self.results_dir))

    def earlier_session(self, session: Session) -> Earlier | None:
        """Return the last session of the same plan, with the day-to-day noise of such sessions."""
        from llmtui.store.earlier import earlier_session

        return earlier_session(Path(self.results_dir), session)

    def compare(self, session_ids: Sequence[str]) -> tuple[ComparedSessions, ...]:
        """Return each later session compared with the oldest of them."""
        from llmtui.store.compared import compare_saved
        from llmtui.store.session_rows import read_comparable

        folders = [self._folder(one) for one in session_ids]
        read = [(one, read_comparable(one.journal)) for one in folders]
        for folder, session in read:
            if session is None or not session.rows:
                raise LinkLost(Problem(code="not_events", args={"where": str(folder.journal)}))
        sessions = [session for _folder, session in read if session is not None]
        return compare_saved(Path(self.results_dir), sorted(sessions, key=lambda one: one.wall_ns))

    def save(self, changes: Mapping[str, object]) -> None:
        """Save settings."""
        path = config_path()
        if path is None:
            raise SettingsError("no_home", key="HOME")
        save_choices(path, changes)

    def export_csv(self, session_id: str, target: str) -> str:
        """Copy trials.csv to a target chosen by the user; another existing file is not overwritten."""
        try:
            return str(copy_trials(self._folder(session_id).path, target))
        except LinkLost as error:
            raise ExportFailed(whole_problem(error.problem)) from error

    def _folder(self, session_id: str) -> SessionFolder:
        from llmtui.store.listing import find_session, list_sessions

        found = find_session(list_sessions(Path(self.results_dir)), session_id)
        if found is None:
            raise LinkLost(Problem(code="no_such_session", args={"session": session_id, "folder": self.results_dir}))
        return found


def copy_trials(session: Path, target: str) -> Path:
    """Copy a session's trials.csv; a folder as target gets a file named after the session.

    Args:
        session: the session's folder.
        target: a file or a folder; ``~`` is the home folder.

    Raises:
        ExportFailed: the file cannot be written.
    """
    from llmtui.store.session_folder import TRIALS
    from llmtui.store.writing import replace_file

    wanted = expanded(target).absolute()
    if wanted.is_dir():
        wanted = wanted / f"{session.name}.csv"
    if wanted.exists():
        raise ExportFailed(_("{path} already exists and was not changed. Choose another name.").format(path=wanted))
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        replace_file(wanted, (session / TRIALS).read_bytes())
    except OSError as error:
        words = _("{path} cannot be written: {why}. Choose another place.")
        raise ExportFailed(words.format(path=wanted, why=error.strerror)) from error
    return wanted


def _entry(folder: SessionFolder) -> SessionEntry:
    return SessionEntry(
        # Use the folder's name: a copied folder has the same session id.
        session_id=folder.path.name,
        wall_ns=folder.wall_ns or 0,
        models=folder.models,
        trials=folder.trials,
        rounds=folder.rounds,
        finished=folder.finished,
        problem=None if folder.problem is None else problem_what(folder.problem),
    )
