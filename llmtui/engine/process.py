"""The engine as a process: reports EngineReady, reads commands, ends within two seconds of the end of its stdin.

Modules that take long to import are imported after ``EngineReady``.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from llmtui import __version__
from llmtui.core.events import SCHEMA, EngineReady, Noted, encode
from llmtui.core.records import Problem
from llmtui.engine.descriptors import take_descriptors
from llmtui.engine.outbox import Outbox

EXIT_LIMIT_S: Final = 1.8
_FLUSH_LIMIT_S: Final = 0.3
_SWITCH_INTERVAL_S: Final = 0.0005
"""Longest time in seconds for which another thread can delay the measuring one; a tenth of Python's default."""
_STOPPED: Final = 70
"""Exit code after an internal error in a thread that the engine needs."""


def main(arguments: Sequence[str]) -> int:
    """Run the engine until a Shutdown command or the end of its stdin; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="llmtui.engine", description="Started by llmtui; not meant to be used by hand."
    )
    parser.add_argument("--log", type=Path, help="where everything goes that is not an event")
    log: Path | None = parser.parse_args(arguments).log
    _reset_priority()
    descriptors = take_descriptors(log)
    outbox = Outbox(descriptors.events)
    outbox.put(encode(EngineReady(version=__version__, schema=SCHEMA, pid=os.getpid())))
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    threading.excepthook = lambda failure: _thread_failed(failure, outbox)

    from llmtui.engine.command_loop import serve

    serve(outbox, descriptors.commands, on_end=start_deadline)
    outbox.flush(_FLUSH_LIMIT_S)
    if log is not None:
        _drop_if_empty(log)
    return 0


def _drop_if_empty(log: Path) -> None:
    """Remove an empty log file, since a parent that was killed cannot do so.

    On Windows an open file cannot be removed, so the parent process removes it later.
    """
    with suppress(OSError):
        if not log.stat().st_size:
            log.unlink()


def _reset_priority() -> None:
    """Reset the process priority.

    The process of the screens lowers its own priority before it starts the engine, which would inherit it. The engine's
    clock needs the normal priority.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def start_deadline() -> None:
    """End the process in 1.8 s at the latest, even if it has not finished."""
    deadline = threading.Timer(EXIT_LIMIT_S, _give_up)
    deadline.daemon = True
    deadline.start()


def _give_up() -> None:
    sys.stderr.write(f"not done {EXIT_LIMIT_S:g} s after the end of the commands: leaving\n")
    sys.stderr.flush()
    os._exit(0)


def _thread_failed(failure: threading.ExceptHookArgs, outbox: Outbox) -> None:
    """Report a failed thread. The engine continues without its sampler, but ends if any other thread fails."""
    sys.excepthook(failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    sys.stderr.flush()
    if failure.thread is None or failure.thread.name != "sampler":
        os._exit(_STOPPED)
    problem = Problem(code="sampler_failed", detail=repr(failure.exc_value))
    outbox.put(encode(Noted(t_ns=time.perf_counter_ns(), level="error", problem=problem)))
