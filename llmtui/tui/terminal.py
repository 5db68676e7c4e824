"""What the app asks of the terminal and the system beside drawing: window title, bell, signals that mean "end"."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress

SAVE_TITLE = "\x1b[22;2t"
RESTORE_TITLE = "\x1b[23;2t"


def title_sequence(title: str) -> str:
    """Gives the sequence that sets a window's title; control characters are left out of it."""
    return f"\x1b]2;{''.join(char for char in title if char.isprintable())}\x07"


def on_end_signals(end: Callable[[], None]) -> None:
    """Calls ``end`` in the running loop on a polite kill or a closed terminal, where the system has such signals."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError, ValueError, RuntimeError):
            loop.add_signal_handler(getattr(signal, name), end)
