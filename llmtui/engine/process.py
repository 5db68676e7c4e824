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
"""Longest time that another thread can keep the measuring one waiting; a tenth of Python's default."""
_STOPPED: Final = 70
"""Exit code after an internal error in a thread that the engine cannot work without."""


def main(arguments: Sequence[str]) -> int:
    """Run the engine until it is told to end, or its stdin ends; return the exit code."""
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
    """Remove an empty log in case the parent was killed. Windows cannot remove an open file: the parent does it."""
    with suppress(OSError):
        if not log.stat().st_size:
            log.unlink()


def _reset_priority() -> None:
    """Reset the process priority: the screens that start the engine lower theirs, the engine's clock must not."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def start_deadline() -> None:
    """Start the deadline: the process ends after 1.8 s, in order or not."""
    deadline = threading.Timer(EXIT_LIMIT_S, _give_up)
    deadline.daemon = True
    deadline.start()


def _give_up() -> None:
    sys.stderr.write(f"not done {EXIT_LIMIT_S:g} s after the end of the commands: leaving\n")
    sys.stderr.flush()
    os._exit(0)


def _thread_failed(failure: threading.ExceptHookArgs, outbox: Outbox) -> None:
    """Report a failed thread: without a sampler the engine continues, without command or event thread it ends."""
    sys.excepthook(failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    sys.stderr.flush()
    if failure.thread is None or failure.thread.name != "sampler":
        os._exit(_STOPPED)
    problem = Problem(code="sampler_failed", detail=repr(failure.exc_value))
    outbox.put(encode(Noted(t_ns=time.perf_counter_ns(), level="error", problem=problem)))
