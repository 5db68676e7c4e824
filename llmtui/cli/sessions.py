"""Which session a word on the command line means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from llmtui.cli.startup import Refused, Startup, cannot_list
from llmtui.config import expanded
from llmtui.core.records import Problem
from llmtui.store.listing import SessionFolder, find_session, list_sessions
from llmtui.store.session_folder import JOURNAL
from llmtui.words import _
from llmtui.words.problems import whole_problem

_LAST: Final = re.compile(r"last(?:~(\d{1,9}))?")


def journal_of(of: Startup, word: str) -> Path:
    """Return the file of events that a word means.

    Args:
        of: settings and folders.
        word: ``last`` for the newest session, ``last~1`` for the one before it, a session's folder, a file of events,
            or a session's id.

    Raises:
        Refused: there is no such session, or the file is none.
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
    found = find_session(_listed(of), word)
    if found is not None:
        return found.journal
    raise Refused(_("{source} is neither a file nor a session in {folder}.").format(source=word, folder=of.results))


def check_journal(path: Path) -> None:
    """Look at how a file begins.

    Raises:
        Refused: it is not a session's journal, or cannot be read.
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
    """Return the journal of the newest session that can be read, or of one before it."""
    there = [one for one in _listed(of) if one.problem is None]
    if back < len(there):
        return there[back].journal
    raise Refused(_("There is no session {name}: {folder} has {n}.").format(name=word, folder=of.results, n=len(there)))
