"""The program's name, and its exit codes: documented, and the same for every command."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

NAME: Final = "llmtui"
COMPLETION_VARIABLE: Final = "_LLMTUI_COMPLETE"
"""Set by a shell that asks what completes a word."""


class Exit(IntEnum):
    """What a command's exit code says."""

    OK = 0
    """All trials are ok."""
    INTERNAL = 1
    """A defect of llmtui."""
    USAGE = 2
    """The command line or a file named on it cannot be used."""
    FAILED = 3
    """Some trials failed; the others are kept."""
    NO_SERVER = 4
    """No model server answers."""
    LIMIT = 5
    """A limit of ``--fail-if`` is broken."""
    OPEN = 6
    """Whether a limit holds cannot be told; only with ``--strict``."""
    INTERRUPTED = 130
    """Ctrl+c or a signal; what is finished is kept."""
