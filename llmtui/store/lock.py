"""The writer's lock of a journal. The system releases it when its holder dies, so it can never be stale."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_FAR: Final = 1 << 30
"""Position of the locked byte in the file. Windows refuses to read a locked byte, so it is placed far after the pid."""


class JournalBusy(Exception):
    """Another process writes this journal."""

    def __init__(self, path: Path, pid: int | None) -> None:
        writer = "another process" if pid is None else f"process {pid}"
        super().__init__(f"{path} is being written by {writer}; wait until its run is over, or open it with `watch`")
        self.path = path
        self.pid = pid


class WriterLock:
    """The lock held while a journal is written.

    Its file contains the writer's pid, for users and for ``writer_pid``.
    """

    def __init__(self, path: Path) -> None:
        """Acquire the lock. The lock file of a dead process is reused.

        Raises:
            JournalBusy: a living process holds the lock.
            OSError: the lock file cannot be created.
        """
        self.path = path
        self._fd = _open_locked(path)
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Release the lock and remove its file; a second call does nothing."""
        if self._fd < 0:
            return
        if os.name == "nt":  # an open file cannot be removed on Windows
            os.close(self._fd)
            self.path.unlink(missing_ok=True)
        else:  # removed while still held: no process can lock a file that is about to vanish
            self.path.unlink(missing_ok=True)
            os.close(self._fd)
        self._fd = -1


def writer_pid(path: Path) -> int | None:
    """Return the pid of the living process that holds the lock; None if there is none."""
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _try_lock(fd) else _pid_in(fd)
    finally:
        os.close(fd)  # releases what _try_lock may have acquired


def _open_locked(path: Path) -> int:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _try_lock(fd):
            pid = _pid_in(fd)
            os.close(fd)
            raise JournalBusy(path, pid)
        if _still_named(fd, path):
            return fd
        os.close(fd)  # its holder removed it between our open and our lock


def _still_named(fd: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(fd)
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _pid_in(fd: int) -> int | None:
    os.lseek(fd, 0, os.SEEK_SET)
    text = os.read(fd, 32).strip()
    return int(text) if text.isdigit() else None


def _try_lock(fd: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, _FAR, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            os.lseek(fd, 0, os.SEEK_SET)
        else:
            try:
                import fcntl
            except ImportError:  # a system without such locks: there the user must prevent a second writer
                return True
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
