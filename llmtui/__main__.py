"""The program's entry point: a bare ``llmtui`` and ``--version`` import neither Typer nor any other large module."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper


def main() -> int:
    """Run llmtui with the arguments of the command line; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # missing characters of an encoding such as cp1251 must not fail
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from llmtui import __version__

        print(f"llmtui {__version__}")
        return 0
    if not arguments:
        from llmtui.cli.exits import COMPLETION_VARIABLE

        if COMPLETION_VARIABLE not in os.environ:
            from llmtui.cli.screen import main as screens

            return screens()
    from llmtui.cli.app import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
