"""``llmtui`` without a command: the full-screen program, and the summary that is printed when it has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmtui.cli.exits import Exit
from llmtui.cli.startup import Refused, Startup, load_startup
from llmtui.store.session_folder import TRIALS
from llmtui.words import _
from llmtui.words.problems import problem_what

if TYPE_CHECKING:
    from llmtui.tui.host import ExitReport

NO_TERMINAL = (
    "llmtui needs a terminal for its screens, of a kind that TERM names and that is not dumb; without one, "
    "`llmtui run` measures and prints the table."
)


def main() -> int:
    """Run the screens without any flags; return the exit code."""
    try:
        return show(load_startup({}))
    except Refused as error:
        print(f"llmtui: {error}", file=sys.stderr)
        return error.code


def show(of: Startup) -> int:
    """Run the screens; return the exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty() and can_draw(os.environ)):
        print(NO_TERMINAL, file=sys.stderr)
        return Exit.USAGE
    from llmtui.cli.services import Services
    from llmtui.tui.app import LlmtuiApp

    give_way()
    app = LlmtuiApp(Services(of))
    report = app.run()
    return farewell(report, app.return_code)


def can_draw(env: Mapping[str, str]) -> bool:
    """Return whether the terminal can show screens; one without a name or named "dumb" cannot move the cursor."""
    return sys.platform == "win32" or env.get("TERM", "") not in ("", "dumb")


def give_way() -> None:
    """Lower the priority of this process, which draws, so that it does not take CPU time from a model (Linux only).

    The engine is a child process and resets its own priority.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def farewell(report: ExitReport | None, app_code: int | None) -> int:
    """After the screens have closed, print the last session's table and where it was saved; return the exit code."""
    if report is None:
        return app_code or Exit.INTERNAL
    for traceback in report.failures:
        print(traceback, file=sys.stderr)
    if report.silent is not None:
        print(problem_what(report.silent), _("The built-in server was used instead."), file=sys.stderr)
    session = report.session
    if session is not None and session.rows:
        from llmtui.report.terminal import print_result

        print_result(session, sys.stdout, verdicts=False)
        if report.folder is not None:
            print("\n" + _("Saved: {path}").format(path=Path(report.folder) / TRIALS))
    return Exit.INTERRUPTED if report.how == "terminated" else Exit.OK
