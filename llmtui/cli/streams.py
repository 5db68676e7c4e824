"""Standard streams that may be closed, full or unread: a failed write is remembered and costs nothing else."""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False  # in place of typing's, whose import would be most of the time of ``--version``
if TYPE_CHECKING:
    from typing import Final, TextIO

_STANDARD: Final = (0, 1, 2)


class GuardedOutput(io.RawIOBase):
    """Writes to a descriptor until that fails; later writes are dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.failed: OSError | None = None
        """Why nothing is written any more."""

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]
        """Write the bytes, or drop them; return how many were accepted."""
        view = memoryview(data).cast("B")
        if self.failed is None:
            try:
                return os.write(self._descriptor, view)
            except OSError as error:
                self.failed = error
        return len(view)


def guard_streams() -> None:
    """Open descriptors that were closed at the start, so that no file takes their number, and guard the two outputs."""
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor is this one
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout = _guarded(sys.stdout, 1)
    sys.stderr = _guarded(sys.stderr, 2)


def output_failed(stream: TextIO) -> OSError | None:
    """Return why output is lost, after writing what is buffered; None where none is."""
    stream.flush()
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.failed if isinstance(raw, GuardedOutput) else None


def is_output_lost(stream: TextIO) -> bool:
    """Return whether a guarded stream's output is lost although it had a reader."""
    failed = output_failed(stream)
    return failed is not None and not isinstance(failed, BrokenPipeError)


def _guarded(stream: TextIO | None, descriptor: int) -> TextIO:
    if stream is not None and (not isinstance(stream, io.TextIOWrapper) or (os.name == "nt" and stream.isatty())):
        return stream  # a test's, or the Windows console, which is no file of bytes
    encoding = "utf-8" if stream is None else stream.encoding
    guarded: io.RawIOBase = GuardedOutput(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(guarded),
        encoding=encoding,
        errors="replace",  # missing characters of an encoding must not fail
        line_buffering=guarded.isatty() or descriptor == 2,
    )
