"""Lookup of the sessions that arguments on the command line refer to."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from llmtui.cli.startup import Refused, Startup, cannot_list
from llmtui.config import expanded
from llmtui.core.records import Problem
from llmtui.store.labels import read_label
from llmtui.store.listing import SessionFolder, find_session, list_sessions
from llmtui.store.session_folder import JOURNAL
from llmtui.words import _
from llmtui.words.problems import whole_problem

if TYPE_CHECKING:
    from llmtui.core.session import Session
    from llmtui.report.saved import Saved

_LAST: Final = re.compile(r"last(?:~([0-9]{1,9}))?")
_DATED: Final = re.compile(r"(.+)@(\d{4}-\d{2}-\d{2})")


def journal_of(of: Startup, word: str) -> Path:
    """Return the file of events (the journal) of the session that an argument refers to.

    Args:
        of: settings and folders.
        word: the argument. ``last`` is the newest session and ``last~1`` the one before it. It may also be a session's
            folder, a file of events, a session's id, or the name of a session or of a baseline. ``MODEL@2026-11-22`` is
            the newest session of that day with that model, and ``last@2026-11-22`` the newest session of that day with
            any model.

    Raises:
        Refused: there is no such session, or the file is not a journal.
    """
    back = _LAST.fullmatch(word)
    if back is not None:
        return _from_the_end(of, word, int(back[1] or 0))
    path = expanded(word)
    if path.is_dir():
        path /= JOURNAL
    if path.is_file():
        check_journal(path)
        return path
    listed = _listed(of)
    baseline = baselines(of).get(word)
    found = find_session(listed, word if baseline is None else baseline) or _named(listed, word) or _dated(listed, word)
    if found is not None:
        return found.journal
    if baseline is not None:
        raise Refused(
            _("The baseline {name} is the session {session}, which is not in {folder}. Set another one.").format(
                name=word, session=baseline, folder=of.results
            )
        )
    raise Refused(_("{source} is neither a file nor a session in {folder}.").format(source=word, folder=of.results))


def comparable(of: Startup, word: str) -> Session:
    """Return the session that an argument refers to, for a comparison.

    Raises:
        Refused: there is no such session, or it has no finished trial.
    """
    from llmtui.store.session_rows import comparable_session

    journal = journal_of(of, word)
    session = comparable_session(journal) or saved_session(journal).session
    if not session.rows:
        raise Refused(_("{session} has no finished trial: there is nothing to compare.").format(session=word))
    return session


def saved_session(journal: Path) -> Saved:
    """Return the session in a file of events; parts that cannot be read are reported on stderr.

    Raises:
        Refused: the file has no session, or cannot be read.
    """
    from llmtui.report.saved import NoSession, read_saved

    try:
        saved = read_saved(journal)
    except NoSession as error:
        raise Refused(whole_problem(Problem(code="not_events", args={"where": str(journal)}))) from error
    except OSError as error:
        problem = Problem(code="file_unreadable", args={"file": str(journal)}, detail=error.strerror)
        raise Refused(whole_problem(problem)) from error
    newer = [note.problem for note in saved.session.notes if note.problem.code == "newer_schema"]
    for problem in (*newer, *saved.problems):
        print(f"llmtui: {whole_problem(problem)}", file=sys.stderr)
    return saved


def baselines(of: Startup) -> dict[str, str]:
    """Return baseline name → name of its session's folder.

    Raises:
        Refused: the file of baselines cannot be read.
    """
    from llmtui.store.baselines import read_baselines

    try:
        return read_baselines(of.results)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        words = _("The baselines in {folder} cannot be read: {why}.")
        raise Refused(words.format(folder=of.results, why=said)) from error


def check_journal(path: Path) -> None:
    """Check that the beginning of a file is that of a journal.

    Raises:
        Refused: the file is not a session's journal, or cannot be read.
    """
    from llmtui.link.first_bytes import why_no_journal

    try:
        why = why_no_journal(path)
    except OSError as error:
        problem = Problem(code="file_unreadable", args={"file": str(path)}, detail=error.strerror)
        raise Refused(whole_problem(problem)) from error
    if why is not None:
        raise Refused(whole_problem(Problem(code=why, args={"where": str(path)})))


def _listed(of: Startup) -> tuple[SessionFolder, ...]:
    try:
        return list_sessions(of.results)
    except OSError as error:
        raise Refused(cannot_list(of.results, error)) from error


def _from_the_end(of: Startup, word: str, back: int) -> Path:
    """Return the journal of the newest session (``back`` is 0), or of the session ``back`` places before it."""
    from llmtui.store.begun import sessions_begun

    try:
        there = sessions_begun(of.results)
    except OSError as error:
        raise Refused(cannot_list(of.results, error)) from error
    if back < len(there):
        return there[back].journal
    raise Refused(
        _("There is no session {name}. Sessions in {folder}: {n}.").format(name=word, folder=of.results, n=len(there))
    )


def _named(listed: Sequence[SessionFolder], word: str) -> SessionFolder | None:
    """Return the newest session with this name; None if there is none."""
    return next((one for one in listed if read_label(one.path).name == word), None)


def _dated(listed: Sequence[SessionFolder], word: str) -> SessionFolder | None:
    """Return the newest session for ``MODEL@DATE``; None if the argument has another form or there is none.

    MODEL is a model's label, with or without the part after the colon.
    """
    found = _DATED.fullmatch(word)
    if found is None:
        return None
    name, day = found.groups()
    for one in listed:
        known = {part for label in one.models for part in (label, label.partition(":")[0])}
        if one.wall_ns is not None and name in (*known, "last"):
            began = datetime.fromtimestamp(one.wall_ns / 1e9).astimezone()
            if f"{began:%Y-%m-%d}" == day:
                return one
    return None
