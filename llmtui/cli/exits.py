"""The program's name and its exit codes, which mean the same for every command."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

NAME: Final = "llmtui"
COMPLETION_VARIABLE: Final = "_LLMTUI_COMPLETE"
"""Environment variable that a shell sets when it asks for completions."""


class Exit(IntEnum):
    """The exit codes of all commands."""

    OK = 0
    """Success; for a run, no trial failed."""
    INTERNAL = 1
    """A defect of llmtui."""
    USAGE = 2
    """The command line, or a file named on it, is invalid."""
    FAILED = 3
    """Some trials failed; the others are saved."""
    NO_SERVER = 4
    """No model server responds."""
    LIMIT = 5
    """A limit given with ``--fail-if`` is broken."""
    OPEN = 6
    """With ``--strict``: the rounds do not decide whether a limit is kept."""
    INTERRUPTED = 130
    """The run was ended by Ctrl+C or a signal; finished trials are saved."""
