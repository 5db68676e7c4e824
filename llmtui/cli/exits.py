"""The program's name and exit codes, documented and equal for every command."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

NAME: Final = "llmtui"
COMPLETION_VARIABLE: Final = "_LLMTUI_COMPLETE"
"""Set by a shell that asks for completions."""


class Exit(IntEnum):
    """The exit codes of commands."""

    OK = 0
    """All trials are ok."""
    INTERNAL = 1
    """A defect of llmtui."""
    USAGE = 2
    """The command line or a file named on it is invalid."""
    FAILED = 3
    """Some trials failed; the others are kept."""
    NO_SERVER = 4
    """No model server answers."""
    LIMIT = 5
    """A limit of ``--fail-if`` is broken."""
    OPEN = 6
    """A limit is undecided; only with ``--strict``."""
    INTERRUPTED = 130
    """Ctrl+C or a signal; finished trials are kept."""
