"""The program's entry point. ``llmtui`` without arguments and ``--version`` start without importing Typer."""

from __future__ import annotations

import os
import sys

_INTERRUPTED = 130
_CANNOT_WRITE = 2


def main() -> int:
    """Run llmtui with the command-line arguments; return the exit code."""
    try:
        from llmtui.cli.streams import guard_streams

        guard_streams()
        code = _carry_out(sys.argv[1:])
    except KeyboardInterrupt:
        return _INTERRUPTED
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        code = end.code or 0
    if not _tells_lost_output():
        return code
    return code or _CANNOT_WRITE


def _carry_out(arguments: list[str]) -> int:
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


def _tells_lost_output() -> bool:
    """Report on stderr if output to stdout was lost; return whether it was."""
    from llmtui.cli.streams import is_output_lost, output_failed

    if not is_output_lost(sys.stdout):
        return False
    from llmtui.cli.startup import cannot_write

    failed = output_failed(sys.stdout)
    assert failed is not None
    print(f"llmtui: {cannot_write('stdout', failed)}", file=sys.stderr)
    return True


if __name__ == "__main__":
    sys.exit(main())
