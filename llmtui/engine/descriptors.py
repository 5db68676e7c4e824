"""The process's standard descriptors. Events use a private one, so that no library's output gets between them."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

_LOG_NAME: Final = "llmtui-engine.log"


class Descriptors(msgspec.Struct, frozen=True):
    """Descriptors for commands and events. Child processes inherit neither."""

    commands: int
    events: int


def take_descriptors(log: Path | None) -> Descriptors:
    """Move stdin and stdout to private descriptors.

    Descriptors 1 and 2 then lead to the log, and 0 to the null device.

    Args:
        log: the log file; None: a file in the user's log folder.

    Raises:
        OSError: no log file can be written.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    taken = Descriptors(commands=os.dup(0), events=os.dup(1))
    log_fd = _open_log(log)
    null_fd = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null_fd, 0)
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    os.close(null_fd)
    os.close(log_fd)
    if sys.platform == "win32":
        import msvcrt

        for fd in (taken.commands, taken.events):
            msvcrt.setmode(fd, os.O_BINARY)
    return taken


def _open_log(log: Path | None) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if log is not None:
        return os.open(log, flags, 0o600)
    try:
        from platformdirs import user_log_path

        return os.open(user_log_path("llmtui", appauthor=False, ensure_exists=True) / _LOG_NAME, flags, 0o600)
    except (OSError, RuntimeError):  # not writable, or the user has no home folder
        return os.open(Path(tempfile.gettempdir()) / f"{os.getpid()}-{_LOG_NAME}", flags, 0o600)
