"""What the app asks of the terminal and the system beside drawing: window title, signals that mean "end"."""

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
LAST_WAIT_S = 5.0
"""After a closed terminal: how long the orderly end may take, the engine's 2 s among it."""


def title_sequence(title: str) -> str:
    """Gives the sequence that sets a window's title; control characters are left out of it."""
    return f"\x1b]2;{''.join(char for char in title if char.isprintable())}\x07"


def on_end_signals(end: Callable[[], None]) -> None:
    """Calls ``end`` in the running loop on a polite kill or a closed terminal, where the system has such signals."""
    loop = asyncio.get_running_loop()

    def hung_up(_signal: int, _frame: FrameType | None) -> None:
        _leave_the_terminal()
        loop.call_soon_threadsafe(end)

    with suppress(AttributeError, NotImplementedError, ValueError, RuntimeError):
        loop.add_signal_handler(signal.SIGTERM, end)
        # Not the loop's kind of handler: that one runs later than Textual's for SIGCONT, which comes with SIGHUP.
        signal.signal(signal.SIGHUP, hung_up)


def _leave_the_terminal() -> None:
    """Makes an orderly end possible where the terminal is gone.

    The kernel sends SIGCONT after SIGHUP, and Textual would enter the screen again. Textual's writer dies of the first
    write to a closed terminal and then blocks whoever writes, so writes go nowhere from now on. Should it have died
    before, the process ends by itself after a while; the engine sees the end of its input in either case.
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
