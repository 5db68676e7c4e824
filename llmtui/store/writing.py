"""Two ways of writing files: appending whole lines, and replacing a whole file through a temporary name."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class LineAppender:
    """A file to which whole lines are appended, each by one write.

    Except after a power cut or on a full disk, readers see a line as a whole or not at all. A line torn by one of those
    stays: the next one starts on a new line.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, and create it where it is missing.

        Raises:
            OSError: it cannot be opened for writing.
        """
        self.path = path
        self._torn = _ends_torn(path)
        self._fd = os.open(path, _APPEND, 0o644)

    def append(self, line: bytes) -> None:
        r"""Write one line, which includes its ``\n``.

        Raises:
            OSError: the line was not written, or only in part (the disk is full).
        """
        if self._torn:
            line = b"\n" + line
        written = os.write(self._fd, line)
        if written != len(line):
            self._torn = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._torn = False

    def sync(self) -> None:
        """Return when everything written is on disk.

        Raises:
            OSError: the disk failed.
        """
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def replace_file(path: Path, data: bytes) -> None:
    """Replace the whole file: readers see the old content or the new, also after a power cut.

    Raises:
        OSError: the file cannot be written; the old content is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to disk, where the system can (Windows does it by itself)."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _ends_torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False
