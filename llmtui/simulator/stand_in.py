"""Stand-ins for the processes in which Ollama runs models: the same command line and real memory, but no work."""

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
"""Program of the process: allocates its memory in fifty steps while the model loads.

It ends when its standard input ends, hence also if the simulator is killed.
"""


class StandInRunner:
    """One stand-in process, which runs from construction until `stop`.

    Args:
        model: the model that the imitated process would run.
        options: options in the command line.
        dialect: the imitated version of Ollama, which decides the form of the command line.
        load_s: real seconds in which it allocates `stand_in_bytes` of memory.
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
        """The process id."""
        return self._process.pid

    def stop(self) -> None:
        """Kill the process and wait for its end."""
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
