"""Stand-in processes for a model's runner: the right command line and memory, and no other work."""

from __future__ import annotations

import subprocess
import sys

from llmtui.simulator.listing import blob_path
from llmtui.simulator.model import Dialect, SimulatedModel
from llmtui.simulator.options import LoadOptions

_PROGRAM = """
import sys, threading, time
size_bytes, load_s = int(sys.argv[1]), float(sys.argv[2])
def take():
    steps = 50
    for step in range(steps):
        held.append(bytearray(b"\\1") * (size_bytes // steps))
        time.sleep(load_s / steps)
held = []
threading.Thread(target=take, daemon=True).start()
sys.stdin.buffer.read()
"""
"""Allocates its memory in fifty steps while the model loads, and ends when its standard input ends, so also when the
simulator is killed."""


class StandInRunner:
    """One stand-in process, from construction until `stop`.

    Args:
        model: the model of the imitated runner.
        options: options in the command line.
        dialect: dialect of the command line.
        load_s: real seconds in which it allocates `stand_in_bytes` of anonymous memory.
    """

    def __init__(self, model: SimulatedModel, options: LoadOptions, dialect: Dialect, load_s: float) -> None:
        command = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(model.stand_in_bytes), f"{load_s:.3f}"]
        self._process = subprocess.Popen(
            [*command, *_runner_arguments(model, options, dialect)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the process and reap it."""
        self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def _runner_arguments(model: SimulatedModel, options: LoadOptions, dialect: Dialect) -> list[str]:
    path = blob_path(model)
    if dialect == "0.11.4":
        threads = ["--threads", str(options.num_thread or 2)]
        return ["runner", "--model", path, "--ctx-size", str(options.num_ctx), *threads, "--no-mmap", "--parallel", "1"]
    context = ["-c", str(options.num_ctx), "-np", "1", "--load-mode", "none"]
    return ["llama-server", "--model", path, "--host", "127.0.0.1", "--no-webui", "--offline", *context]
