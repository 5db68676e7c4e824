"""Use of the terminal and the system other than drawing: the window title, and signals that end the program."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from types import FrameType

SAVE_TITLE = "\x1b[22;2t"
RESTORE_TITLE = "\x1b[23;2t"
LOOK_S = 1.0
"""Time between two looks whether the terminal is still there, in seconds."""
LAST_WAIT_S = 5.0
"""Time limit in seconds of a clean shutdown after the terminal was closed, including 2 s for the engine."""


def title_sequence(title: str) -> str:
    """Return the control sequence that sets the window title; non-printable characters are removed."""
    return f"\x1b]2;{''.join(char for char in title if char.isprintable())}\x07"


def on_end_signals(end: Callable[[], None]) -> None:
    """Call ``end`` in the running loop on SIGTERM or SIGHUP (closed terminal), if the system has these signals."""
    loop = asyncio.get_running_loop()

    def hung_up(_signal: int, _frame: FrameType | None) -> None:
        _leave_the_terminal()
        loop.call_soon_threadsafe(end)

    with suppress(AttributeError, NotImplementedError, ValueError, RuntimeError):
        loop.add_signal_handler(signal.SIGTERM, end)
        # Not a loop handler: it would run after Textual's handler of SIGCONT, which the kernel sends with SIGHUP.
        signal.signal(signal.SIGHUP, hung_up)
    if os.name == "posix" and os.isatty(0):
        _watch_the_terminal(loop, lambda: hung_up(0, None))


def _watch_the_terminal(loop: asyncio.AbstractEventLoop, hung_up: Callable[[], None]) -> None:
    """Call ``hung_up`` if the terminal is closed without a signal: under ``nohup``, or as no controlling terminal."""

    def look() -> None:
        if os.isatty(0):
            loop.call_later(LOOK_S, look)
        else:
            hung_up()

    look()


def _leave_the_terminal() -> None:
    """Make a clean shutdown possible after the terminal was closed.

    The kernel sends SIGCONT after SIGHUP, and Textual would then take over the terminal again. Textual's writer
    fails at the first write to a closed terminal and then blocks all writers, so from now on all output is discarded.
    If the writer has already failed, a timer ends the process after ``LAST_WAIT_S``. In either case the engine stops,
    since its input ends.
    """
    signal.signal(signal.SIGCONT, lambda _signal, _frame: None)
    if os.isatty(0):
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    last = Timer(LAST_WAIT_S, os._exit, (128 + signal.SIGHUP,))
    last.daemon = True
    last.start()
