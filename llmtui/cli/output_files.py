"""Writing the output of a command to a file, or to stdout if the target is ``-``."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final

from llmtui.cli.startup import Refused, cannot_write
from llmtui.core.session import Session
from llmtui.store.on_disk import trials_on_disk, why_not_saved
from llmtui.words import _

STDOUT: Final = "-"


def can_be_written(wanted: Path, *, may_be_folder: bool) -> None:
    """Check that a file can be written, before any work is done for it.

    Args:
        wanted: the file.
        may_be_folder: whether an existing folder is allowed too.

    Raises:
        Refused: the target is not writable.
    """
    if wanted.is_dir() and not may_be_folder:
        raise Refused(cannot_write(wanted, OSError(errno.EISDIR, os.strerror(errno.EISDIR))))
    there = next(one for one in (wanted, *wanted.parents) if one.exists())
    if there != wanted and not there.is_dir():
        raise Refused(cannot_write(wanted, OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))))
    if not os.access(there, os.W_OK):
        raise Refused(cannot_write(wanted, OSError(errno.EACCES, os.strerror(errno.EACCES))))


def write_output(target: Path | None, content: bytes) -> None:
    """Write content to a file as a whole, or to stdout if the target is None; missing folders are created.

    Raises:
        Refused: the file cannot be written; an existing one is unchanged.
    """
    from llmtui.store.writing import replace_file

    if target is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            target.write_bytes(content)  # a device or a pipe is written to, not replaced
        else:
            replace_file(target, content)
    except OSError as error:
        raise Refused(cannot_write(target, error)) from error


def not_saved(session: Session, folder: Path | None) -> str | None:
    """Return a message that says how many trials are on disk and why not all; None if all are saved.

    Also None if the session has no folder.
    """
    if folder is None:
        return None
    why = why_not_saved(session)
    n = trials_on_disk(folder)
    if why is None and n >= len({row.trial.id for row in session.rows}):
        return None
    return _("Only {n} of {total} trials are saved in {path}: {why}.").format(
        n=n, total=len(session.rows), path=folder, why=why or os.strerror(errno.ENOENT)
    )
