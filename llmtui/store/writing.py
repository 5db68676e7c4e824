"""Two ways in which files are written: by appending whole lines, and all at once by a temporary name."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class LineAppender:
    """A file to which whole lines are appended, each by one write.

    Another reader of the file sees a line as a whole or not at all, but for a power cut or a full disk. A line that was
    torn by one of those stays as it is: the next line starts on a new one.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, creates it where it is missing.

        Raises:
            OSError: it cannot be opened for writing.
        """
        self.path = path
        self._torn = _ends_torn(path)
        self._fd = os.open(path, _APPEND, 0o644)

    def append(self, line: bytes) -> None:
        r"""Writes one line; it brings its ``\n``.

        Raises:
            OSError: it could not be written, or only a part of it (the disk is full).
        """
        if self._torn:
            line = b"\n" + line
        written = os.write(self._fd, line)
        if written != len(line):
            self._torn = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._torn = False

    def sync(self) -> None:
        """Returns when everything written is on the disk.

        Raises:
            OSError: the disk failed.
        """
        os.fsync(self._fd)

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def replace_file(path: Path, data: bytes) -> None:
    """Writes the whole file: whoever reads it meets the old content or the new, also after a power cut.

    Raises:
        OSError: it cannot be written; the old content is still there.
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
    """Puts the names in a folder on the disk, where the system can (Windows does it by itself)."""
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
