"""Services for the screens: opening links to sessions, listing sessions, saving settings and writing files.

Methods import what they need, so that the first screen appears sooner.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llmtui.cli.startup import Refused, Startup, builtin_available, cannot_write, server_of
from llmtui.config import (
    Settings,
    SettingsError,
    config_dir,
    config_path,
    expanded,
    find_prompt_pack,
    save_choices,
)
from llmtui.core.commands import Command, ResumeSession, SetServer
from llmtui.core.plan import Plan
from llmtui.core.prompts import PromptPack
from llmtui.core.records import AddressSource, Problem
from llmtui.core.session import Session
from llmtui.link import Link, LinkLost
from llmtui.tui.host import BadAddress, EditFailed, ExportFailed, FileIsThere, SessionEntry, SessionRefused
from llmtui.words import _
from llmtui.words.problems import problem_what, whole_problem

if TYPE_CHECKING:
    from llmtui.core.across import Earlier
    from llmtui.core.estimate import PastSpeed
    from llmtui.core.trend import FigureTrend
    from llmtui.store.catalogue import CatalogueEntry
    from llmtui.store.compared import ComparedSessions
    from llmtui.store.listing import SessionFolder


class Services:
    """The services that the screens use; the protocol in ``tui.host`` documents the methods."""

    def __init__(self, of: Startup) -> None:
        self.settings: Settings = of.settings
        self.pack: PromptPack = of.pack
        self.results_dir = str(of.results)
        self.settings_file = str(config_path() or "")
        self.server_named = of.server_named
        self.builtin_available = builtin_available()
        self.ollama_installed = shutil.which("ollama") is not None
        self.problems = of.problems
        self._api_key = of.api_key
        self._prompts, self._language = of.prompts, of.language

    def server_of(self, address: str | None) -> SetServer:
        """Return the server for an address.

        If it is the address in the settings, it counts as chosen by the user only if it was also given on the command
        line.
        """
        address_source: AddressSource = "search" if address is None else "user"
        if address is not None and address == self.settings.host and not self.server_named:
            address_source = "settings"
        try:
            return server_of(address, address_source)
        except Refused as error:
            raise BadAddress(str(error)) from error

    def past_speeds(self) -> Mapping[str, PastSpeed]:
        """Return model digest → figures of earlier sessions."""
        from llmtui.store.past_speeds import past_speeds

        return past_speeds(Path(self.results_dir))

    def edit_prompts(self) -> PromptPack:
        """Run the editor on the user's own prompts, and return the prompts read afterwards."""
        from llmtui.cli.editing import NoEditor, edit
        from llmtui.config.own_prompts import own_prompt_file

        path = own_prompt_file(self.pack, config_dir())
        try:
            edit(path, os.environ)
        except NoEditor as error:
            raise EditFailed(str(error)) from error
        self.pack = find_prompt_pack(self._prompts, Path.cwd(), config_dir(), self._language)
        return self.pack

    def open_engine(self) -> Link:
        """Start the engine process and return the link to it."""
        from llmtui.link.engine_process import EngineProcess

        try:
            return EngineProcess(api_key=self._api_key)
        except OSError as error:
            raise LinkLost(Problem(code="engine_not_started", detail=error.strerror)) from error

    def open_session(self, session_id: str) -> Link:
        """Return a connection (`link`) that delivers the events of a saved session."""
        from llmtui.link.event_file import EventFile

        return EventFile(self._folder(session_id).journal)

    def resume(self, session_id: str, *, accept_changes: bool = False) -> tuple[Command, ...]:
        """Return the commands that make an engine run the remaining trials of an interrupted session.

        If the engine replies ``CommandFailed`` with ``resume_changed``, try again with ``accept_changes`` if the user
        agrees.

        Raises:
            LinkLost: there is no such session, or its plan cannot be read.
        """
        from llmtui.cli.resume import plan_in, server_for

        folder = self._folder(session_id).path
        try:
            plan = plan_in(folder)
        except Refused as error:
            raise LinkLost(Problem(code="bad_journal", args={"folder": str(folder)}, detail=str(error))) from error
        server = server_for(plan, host=self.settings.host, key=self._api_key)
        return server, ResumeSession(folder=str(folder), accept_changes=accept_changes, ui_pid=os.getpid())

    def sessions(self) -> tuple[SessionEntry, ...]:
        """Return the saved sessions, newest first."""
        from llmtui.store.catalogue import catalogue

        return tuple(map(entry_of, catalogue(Path(self.results_dir))))

    def last_plan(self) -> Plan | None:
        """Return the plan of the newest session that was measured here."""
        from llmtui.store.earlier import last_plan

        return last_plan(Path(self.results_dir))

    def earlier_session(self, session: Session) -> Earlier | None:
        """Return the previous session of the same plan, with the day-to-day variation of such sessions."""
        from llmtui.store.earlier import earlier_session

        return earlier_session(Path(self.results_dir), session)

    def compare(self, session_ids: Sequence[str]) -> tuple[ComparedSessions, ...]:
        """Return the comparison of each later session with the oldest of the given ones."""
        from llmtui.store.compared import compare_saved

        sessions = self._comparable(session_ids)
        return compare_saved(Path(self.results_dir), sorted(sessions, key=lambda one: one.wall_ns))

    def trends(self, session_ids: Sequence[str]) -> tuple[FigureTrend, ...]:
        """Return speed and TTFT over several sessions; if only one is given, with all earlier ones of its plan."""
        from llmtui.core.trend import has_points, trend
        from llmtui.store.earlier import MOST_IN_TREND, sessions_before

        sessions = self._comparable(session_ids)
        if len(sessions) == 1:
            sessions += sessions_before(Path(self.results_dir), sessions[0], most=MOST_IN_TREND)
        found = (trend(sessions, figure) for figure in ("decode_tps", "ttft_ms"))
        return tuple(one for one in found if has_points(one))

    def _comparable(self, session_ids: Sequence[str]) -> list[Session]:
        """Return the sessions with their trials' figures, in the given order."""
        from llmtui.store.session_rows import read_comparable

        read: list[Session] = []
        for folder in map(self._folder, session_ids):
            session = read_comparable(folder.journal)
            if session is None or not session.rows:
                raise LinkLost(Problem(code="not_events", args={"where": str(folder.journal)}))
            read.append(session)
        return read

    def save(self, changes: Mapping[str, object]) -> None:
        """Save changed settings, given as setting name → value."""
        path = config_path()
        if path is None:
            raise SettingsError("no_home", key="HOME")
        save_choices(path, changes)

    def label_session(self, session_id: str, *, name: str, note: str) -> None:
        """Save a name and a note for a session."""
        from llmtui.store.labels import Label, write_label

        with _refusing():
            write_label(self._folder(session_id).path, Label(name=name, note=note))

    def delete_session(self, session_id: str) -> str:
        """Move a session to the trash; return its path there."""
        from llmtui.store.trash import throw_away

        with _refusing():
            return str(throw_away(self._folder(session_id).path))

    def restore_session(self, deleted: str) -> None:
        """Move a session back from the trash."""
        from llmtui.store.trash import take_back

        with _refusing():
            take_back(Path(deleted))

    def export(self, sessions: Sequence[str], form: str, target: str, *, replace: bool) -> str:
        """Write sessions in a format of ``llmtui report``; return the path of the file."""
        wanted = _free_place(target, replace=replace)
        flag = f"--table=llama-bench={wanted}" if form == "llama-bench" else f"--{form}={wanted}"
        self._report(*sessions, flag, *(["--force"] if replace else []))
        return str(wanted)

    def export_table(self, rows: Sequence[Sequence[str]], target: str, *, replace: bool) -> str:
        """Write a table as CSV; return the path of the file."""
        from llmtui.store.csv_cells import csv_line, text_cell
        from llmtui.store.writing import replace_file

        wanted = _free_place(target, replace=replace)
        try:
            wanted.parent.mkdir(parents=True, exist_ok=True)
            replace_file(wanted, b"".join(csv_line(map(text_cell, row)) for row in rows))
        except OSError as error:
            raise ExportFailed(cannot_write(wanted, error)) from error
        return str(wanted)

    def llama_bench(self, session: str) -> str:
        """Return a session's table in llama-bench's layout, for pasting."""
        return self._report(session, "--table=llama-bench")

    def _report(self, *words: str) -> str:
        """Run ``llmtui report`` in a separate process, because it would block the screens; return its output.

        Raises:
            ExportFailed: the report failed; the message is that of the process.
        """
        command = [sys.executable, "-P", "-m", "llmtui", "report", f"--results={self.results_dir}", *words]
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().removeprefix("llmtui: ")
            raise ExportFailed(said.splitlines()[-1] if said else _("The report could not be made."))
        return done.stdout.decode("utf-8", "replace")

    def _folder(self, session_id: str) -> SessionFolder:
        from llmtui.store.listing import find_session, list_sessions

        found = find_session(list_sessions(Path(self.results_dir)), session_id)
        if found is None:
            raise LinkLost(Problem(code="no_such_session", args={"session": session_id, "folder": self.results_dir}))
        return found


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn errors while changing a saved session into ``SessionRefused`` with a sentence."""
    from llmtui.store.trash import StillRunning

    try:
        yield
    except LinkLost as error:
        raise SessionRefused(whole_problem(error.problem)) from error
    except StillRunning as error:
        raise SessionRefused(still_running(str(error))) from error
    except OSError as error:
        raise SessionRefused(cannot_write(error.filename or "?", error)) from error


def still_running(name: str) -> str:
    """Return the message that a session cannot be deleted because it is still running."""
    return _("{name} is still running: stop it first, or wait until it has ended.").format(name=name)


def _free_place(target: str, *, replace: bool) -> Path:
    """Return the absolute path of the file to write.

    Raises:
        FileIsThere: the file exists, and ``replace`` is False.
    """
    wanted = expanded(target).absolute()
    if wanted.is_file() and not replace:
        raise FileIsThere(str(wanted))
    return wanted


def entry_of(one: CatalogueEntry) -> SessionEntry:
    """Return a saved session as the History screen shows it."""
    from llmtui.words.servers import servers_line

    folder = one.folder
    seen = folder.fingerprint
    return SessionEntry(
        # The folder's name is used, because a copied folder has the same session id.
        session_id=folder.path.name,
        wall_ns=folder.wall_ns or 0,
        models=folder.models,
        trials=folder.trials,
        ok=one.ok,
        finished=folder.finished,
        running=one.running,
        duration_s=folder.duration_s,
        server="" if seen is None else servers_line(seen),
        llmtui="" if seen is None else seen.llmtui,
        name=one.label.name,
        note=one.label.note,
        verdict=one.verdict,
        problem=None if folder.problem is None else problem_what(folder.problem),
    )
