"""``llmtui watch``: the Live and Results screens for a file, a saved session or a pipe."""

from __future__ import annotations

import os
import sys

from llmtui.cli.sessions import journal_of
from llmtui.cli.startup import Refused, Startup
from llmtui.link import Link
from llmtui.words import _

STDIN = "-"
PIPED = "llmtui run --events - | llmtui watch -"


def watch(of: Startup, source: str) -> int:
    """Show a session on the screens, read-only; return the exit code.

    Args:
        of: settings and folders.
        source: ``-`` for a pipe on stdin, or a session as on the command line (see ``sessions.journal_of``).

    Raises:
        Refused: there is no terminal, or no such session.
    """
    from llmtui.cli.screen import NO_TERMINAL, can_draw, farewell, give_way

    if not (sys.stdout.isatty() and can_draw(os.environ)):
        raise Refused(NO_TERMINAL)
    # Textual reads the keyboard from descriptor 0 as of its import, so the pipe is moved to another one before.
    link = _pipe() if source == STDIN else _file(of, source)
    from llmtui.cli.services import Services
    from llmtui.tui.app import WatchApp

    give_way()
    app = WatchApp(Services(of), link)
    report = app.run()
    return farewell(report, app.return_code)


def _pipe() -> Link:
    from llmtui.link.stdin_pipe import StdinPipe

    if sys.stdin.isatty():
        raise Refused(_("`llmtui watch -` reads events from a pipe: {example}").format(example=PIPED))
    try:
        keyboard = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise Refused(_("There is no terminal for keyboard input: {why}.").format(why=error.strerror)) from error
    pipe = os.dup(0)
    os.dup2(keyboard, 0)
    os.close(keyboard)
    return StdinPipe(pipe)


def _file(of: Startup, source: str) -> Link:
    from llmtui.link.event_file import EventFile

    return EventFile(journal_of(of, source))
