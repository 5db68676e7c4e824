"""The bytes of a regular file of a bounded size: a pipe would block, and a device may have no end."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotRegular(Exception):
    """It is a folder, a pipe or a device."""

    def __init__(self, *, is_folder: bool) -> None:
        super().__init__("folder" if is_folder else "not a regular file")
        self.is_folder = is_folder


class TooLarge(Exception):
    """It is larger than what would be read."""


def regular_bytes(path: Path, most_bytes: int) -> bytes:
    """Return what is in a file.

    Raises:
        FileNotFoundError: there is no file.
        OSError: it cannot be read.
        ValueError: the path holds a NUL.
        NotRegular: it is no regular file.
        TooLarge: it is larger than ``most_bytes``.
    """
    # Without O_NONBLOCK the opening of a pipe would block until something writes to it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise NotRegular(is_folder=stat.S_ISDIR(about.st_mode))
        if about.st_size > most_bytes:
            raise TooLarge
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(most_bytes + 1)
    finally:
        os.close(descriptor)
    if len(content) > most_bytes:
        raise TooLarge
    return content
