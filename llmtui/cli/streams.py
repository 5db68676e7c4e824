"""Standard streams that may be closed, full or unread. A failed write is remembered and does not end the program."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False  # importing it from typing would take most of the time of ``--version``
if TYPE_CHECKING:
    from typing import Final, TextIO

_STANDARD: Final = (0, 1, 2)


class GuardedOutput(io.RawIOBase):
    """Writes to a file descriptor until a write fails; later writes are dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failed: OSError | None = None
        """The error of the first failed write; None if no write has failed."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Write the bytes, or drop them after a failed write; return the number of bytes accepted."""
        view = memoryview(data).cast("B")
        if self.failed is None:
            try:
                return os.write(self._descriptor, view)
            except OSError as error:
                self.failed = error
        return len(view)


def guard_streams() -> None:
    """Replace stdin, stdout and stderr so that none is closed and failed writes to the last two raise no error.

    A descriptor that was closed at startup is opened on the null device, so that no file that is opened later gets its
    number.
    """
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the system assigns the lowest free descriptor, which is this one
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout = _guarded(sys.stdout, 1)
    sys.stderr = _guarded(sys.stderr, 2)


def output_failed(stream: TextIO) -> OSError | None:
    """Flush a stream; return the error because of which output was lost, or None."""
    stream.flush()
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.failed if isinstance(raw, GuardedOutput) else None


def is_output_lost(stream: TextIO) -> bool:
    """Return whether output was lost for any reason except that its reader closed the pipe."""
    failed = output_failed(stream)
    return failed is not None and not isinstance(failed, BrokenPipeError)


def _guarded(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is not None and (not isinstance(stream, io.TextIOWrapper) or (os.name == "nt" and stream.isatty())):
        return stream  # a test's stream, or the Windows console, which does not accept bytes
    encoding = "utf-8" if stream is None else stream.encoding
    guarded: io.RawIOBase = GuardedOutput(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(guarded),
        encoding=encoding,
        errors="replace",  # characters that the encoding lacks must not raise an error
        line_buffering=guarded.isatty() or descriptor == 2,
    )
