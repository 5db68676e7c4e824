"""Reading of regular files of limited size. Reading a pipe would block, and a device may have no end."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotRegular(Exception):
    """The path is a folder, a pipe or a device."""

    def __init__(self, *, is_folder: bool) -> None:
        super().__init__("folder" if is_folder else "not a regular file")
        self.is_folder = is_folder


class TooLarge(Exception):
    """The file is larger than the limit."""


def regular_bytes(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file.

    Raises:
        FileNotFoundError: there is no file.
        OSError: the file cannot be read.
        ValueError: the path contains a null character.
        NotRegular: the path is not a regular file.
        TooLarge: the file is larger than ``most_bytes``.
    """
    # Without O_NONBLOCK, opening a pipe would block until a program writes to it.
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
