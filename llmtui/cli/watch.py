"""``llmtui watch``: Live and Results over a file, a saved session or a pipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from llmtui.cli.frame import Frame, Refused, cannot_list
from llmtui.config import expanded
from llmtui.core.facts import Problem
from llmtui.link import Link
from llmtui.store.listing import find_session, list_sessions
from llmtui.store.session_folder import JOURNAL
from llmtui.words import _
from llmtui.words.problems import whole_problem

STDIN = "-"
PIPED = "llmtui run --events - | llmtui watch -"


def watch(of: Frame, source: str) -> int:
    """Shows a session read-only; gives the exit code.

    Args:
        of: settings and folders.
        source: ``-`` for a pipe on stdin, a journal, a session's folder, or a session's id.
    """
    from llmtui.cli.screen import NO_TERMINAL, can_draw, farewell, give_way

    if not (sys.stdout.isatty() and can_draw(os.environ)):
        raise Refused(NO_TERMINAL)
    # Textual takes the keyboard from descriptor 0 when it is imported: the pipe has to be out of the way before.
    link = _pipe() if source == STDIN else _file(of, source)
    from llmtui.cli.program import Program
    from llmtui.tui.app import WatchApp

    give_way()
    app = WatchApp(Program(of), link)
    report = app.run()
    return farewell(report, app.return_code)


def _pipe() -> Link:
    from llmtui.link.stdin_pipe import StdinPipe

    if sys.stdin.isatty():
        raise Refused(_("`llmtui watch -` reads events from a pipe: {example}").format(example=PIPED))
    try:
        keyboard = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise Refused(_("There is no terminal to take the keyboard from: {why}.").format(why=error.strerror)) from error
    pipe = os.dup(0)
    os.dup2(keyboard, 0)
    os.close(keyboard)
    return StdinPipe(pipe)


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


def _file(of: Frame, source: str) -> Link:
    from llmtui.link.event_file import EventFile

    path = expanded(source)
    if path.is_dir():
        path /= JOURNAL
    if path.is_file():
        check_journal(path)
        return EventFile(path)
    try:
        found = find_session(list_sessions(of.results), source)
    except OSError as error:
        raise Refused(cannot_list(of.results, error)) from error
    if found is not None:
        return EventFile(found.journal)
    raise Refused(_("{source} is neither a file nor a session in {folder}.").format(source=source, folder=of.results))
