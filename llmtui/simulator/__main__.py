"""`python -m llmtui.simulator`: run a simulated server until its standard input ends."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path

from llmtui.simulator import scenarios
from llmtui.simulator.options import ApiError
from llmtui.simulator.script import Script, decode_script
from llmtui.simulator.server import SimulatorListener

_USAGE_ERROR = 2
_READ_BYTES = 65_536


def main() -> int:
    """Run the server; return the exit status.

    When the server listens, one JSON line with its port and process id is printed. The status is 0, or 2 with a
    sentence on stderr if the server could not start.
    """
    arguments = _parser().parse_args()
    try:
        script = _read_script(arguments.script, arguments.scenario)
        asyncio.run(_run(script, arguments.port))
    except (OSError, ValueError, ApiError) as error:
        sys.stderr.write(f"llmtui.simulator: {error}\n")
        return _USAGE_ERROR
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m llmtui.simulator",
        description="A scripted Ollama server with known timings, on loopback. It ends when its standard input ends.",
    )
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 (default) takes a free one")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--script", metavar="FILE|-", help="JSON file, or - for one line of JSON on standard input")
    source.add_argument("--scenario", choices=sorted(scenarios.SCENARIOS), default="fast", help="a ready-made script")
    return parser


def _read_script(path: str | None, scenario: str) -> Script:
    if path is None:
        return scenarios.SCENARIOS[scenario]()
    text = _read_line() if path == "-" else Path(path).read_bytes()
    try:
        return decode_script(text)
    except ValueError as error:
        where = "the script on standard input" if path == "-" else path
        raise ValueError(f"{where} is not a script: {error}") from error


def _read_line() -> bytes:
    # Unbuffered, so that the bytes after the line remain for the thread that waits for the end of input.
    line = bytearray()
    while not line.endswith(b"\n") and (chunk := os.read(0, 1)):
        line += chunk
    return bytes(line)


async def _run(script: Script, port: int) -> None:
    listener = SimulatorListener(script, port=port, blocking_waits=True)
    await listener.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":  # on Windows, the loop has no signal handlers; the end of input stops it there
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
    threading.Thread(target=_wait_for_end_of_input, args=(loop, ended), daemon=True).start()
    ready = {"ready": True, "port": listener.port, "pid": os.getpid()}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    # Objects that exist now live as long as the process, so the garbage collector need not look at them.
    gc.collect()
    gc.freeze()
    try:
        await ended.wait()
    finally:
        await listener.stop()


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    while os.read(0, _READ_BYTES):
        pass
    loop.call_soon_threadsafe(ended.set)


if __name__ == "__main__":
    sys.exit(main())
