"""Two ways of writing files: appending whole lines, and replacing a whole file through a temporary name."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
PRIVATE: Final = 0o600
"""Mode of files that contain prompts and answers."""
_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class LineAppender:
    """A file to which whole lines are appended, each by one write.

    A reader of the file sees a line as a whole or not at all. A line that was written only in part, or did not reach
    the disk, is removed. A fragment left by a power cut stays; what is appended next starts on a new line.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; create it if it is missing.

        Raises:
            OSError: the file cannot be opened for writing.
        """
        self.path = path
        self._torn = _ends_torn(path)
        self._fd = os.open(path, _APPEND, PRIVATE)

    def append(self, line: bytes, *, sync: bool = False) -> None:
        r"""Write one line, which must end with ``\n``.

        Args:
            line: the bytes, including the ``\n``.
            sync: return only when everything written is on the disk.

        Raises:
            OSError: the line could not be written, the disk failed, or the file was removed. The line is then not in
                the file.
        """
        if self._torn:
            line = b"\n" + line
        size = os.fstat(self._fd).st_size
        try:
            self._write(line)
            if sync:
                self._sync()
        except OSError:
            self._take_back(size)
            raise
        self._torn = False

    def _write(self, line: bytes) -> None:
        if os.write(self._fd, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _sync(self) -> None:
        os.fsync(self._fd)
        there, ours = self.path.stat(), os.fstat(self._fd)  # a removed file is lost when its last descriptor is closed
        if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path))

    def _take_back(self, size: int) -> None:
        try:
            os.ftruncate(self._fd, size)
        except OSError:  # devices cannot be truncated
            self._torn = True

    def drop_torn_end(self) -> None:
        """Remove an incomplete last line, so that readers do not report it as damaged."""
        if not self._torn:
            return
        data = self.path.read_bytes()
        os.ftruncate(self._fd, data.rfind(b"\n") + 1)
        self._torn = False

    @property
    def is_empty(self) -> bool:
        """Whether the file is still empty."""
        return os.fstat(self._fd).st_size == 0

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def replace_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Replace the content of a file. Readers see the old content or the new, even after a power cut.

    Args:
        path: the file.
        data: its new content.
        private: whether only the user may read it, like everything in a session's folder. If False, the user's umask
            decides.

    Raises:
        OSError: the file cannot be written; the old content is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(temporary, _NEW, PRIVATE if private else 0o666), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Write a folder's directory entries to disk, if the system can. Windows does it by itself."""
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
