"""The engine's event loop, and the thread that reads its commands."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from typing import Final

from llmtui.core.commands import Command, Shutdown
from llmtui.core.events import BadLine, decode_command
from llmtui.engine.commands import CommandRunner
from llmtui.engine.outbox import Outbox
from llmtui.engine.recorder import Recorder
from llmtui.engine.servers import OpenBackend, Servers, open_backend

_READ_BYTES: Final = 1 << 16
_RECORD_LIMIT_S: Final = 0.5
_SIGNALS: Final = ("SIGTERM", "SIGINT", "SIGHUP")


def serve(
    outbox: Outbox, commands_fd: int, *, on_end: Callable[[], None], open_one: OpenBackend = open_backend
) -> None:
    """Execute commands until a Shutdown command or the end of the input.

    Args:
        outbox: receives the events.
        commands_fd: descriptor to read commands from, one JSON line each.
        on_end: called, in any thread, as soon as the engine begins to end.
        open_one: opens a backend.
    """
    asyncio.run(_serve(outbox, commands_fd, on_end, open_one))


async def _serve(outbox: Outbox, commands_fd: int, on_end: Callable[[], None], open_one: OpenBackend) -> None:
    loop = asyncio.get_running_loop()

    def in_loop(call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: the engine has already ended
            loop.call_soon_threadsafe(call)

    servers = Servers(open_one)
    recorder = Recorder(outbox, secrets=servers.secrets)
    runner = CommandRunner(recorder, servers)
    runner.prepare()

    def end() -> None:
        on_end()
        in_loop(runner.shut_down)

    def take(command: Command) -> None:
        if isinstance(command, Shutdown):
            on_end()
        in_loop(lambda: runner.take(command))

    _end_by_signals(loop, end)
    reader = threading.Thread(
        target=read_commands,
        args=(commands_fd, take, lambda why: in_loop(lambda: runner.refuse(why)), end),
        name="commands",
        daemon=True,
    )
    reader.start()
    await runner.closed.wait()
    with suppress(NotInTime):
        recorder.mark().result(_RECORD_LIMIT_S)


def read_commands(
    fd: int, take: Callable[[Command], None], refuse: Callable[[str], None], ended: Callable[[], None]
) -> None:
    """Read commands until the end of the input. A last line without newline counts; a malformed one is refused.

    Args:
        fd: a pipe.
        take: called with each command.
        refuse: called with the reason for each line that is not a command.
        ended: called at the end of the input.
    """
    rest = b""
    while True:
        try:
            data = os.read(fd, _READ_BYTES)
        except OSError:
            data = b""
        *lines, rest = (rest + data).split(b"\n") if data else (rest, b"")
        for line in lines:
            if line.strip():
                try:
                    command = decode_command(line)
                except BadLine as error:
                    refuse(str(error))
                else:
                    take(command)
        if not data:
            ended()
            return


def _end_by_signals(loop: asyncio.AbstractEventLoop, end: Callable[[], None]) -> None:
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        if sys.platform == "win32":
            signal.signal(number, lambda *_: end())
        else:
            loop.add_signal_handler(number, end)
