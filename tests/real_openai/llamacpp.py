"""llama.cpp's own server as a separate process, from the xllamacpp wheel, started as a user would.

``python tests/real_openai/llamacpp.py --model FILE [--alias NAME,NAME] [-c TOKENS]`` serves until stdin ends. The model
is on the command line, where tools that look for a model's process by name find it.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

START_LIMIT_S = 60.0
needs_llamacpp = pytest.mark.skipif(
    find_spec("xllamacpp") is None, reason="llama.cpp's server comes with xllamacpp: pip install -e '.[builtin]'"
)


class Served(NamedTuple):
    """A server that listens, and its process."""

    url: str
    pid: int
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def llamacpp_served(*words: str, cwd: Path | None = None, before: Sequence[str] = ()) -> Iterator[Served]:
    """Start the server with these arguments; its stdin, and so the server, is closed at the end.

    Args:
        words: arguments as above.
        cwd: the folder that a relative path in them starts from.
        before: a program and its arguments that start the server, such as ``setpriv --reuid 65534 …``.
    """
    process = subprocess.Popen(
        [*before, sys.executable, "-P", str(Path(__file__)), *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=cwd,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        line = process.stdout.readline()
        assert line, f"llama.cpp's server ended at once, with exit status {process.wait(START_LIMIT_S)}"
        told = json.loads(line)
        yield Served(told["address"], told["pid"], process)
    finally:
        process.stdin.close()
        process.wait(START_LIMIT_S)
        process.stdout.close()


def free_port() -> int:
    """Return a port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(words: Sequence[str]) -> None:
    """Serve one model until stdin ends."""
    import xllamacpp

    options = argparse.ArgumentParser()
    options.add_argument("-m", "--model", required=True)
    options.add_argument("-a", "--alias", default="")
    options.add_argument("-c", "--ctx-size", type=int, default=512)
    options.add_argument("--port", type=int, default=0)
    asked = options.parse_args(words)
    params = xllamacpp.CommonParams()
    params.model.path = asked.model
    params.model_alias = {name for name in asked.alias.split(",") if name}
    params.n_ctx = asked.ctx_size
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = asked.port
    params.ui = False
    params.offline = True
    params.fit_params = False
    params.cache_ram_mib = 0
    params.verbosity = 1
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    server = xllamacpp.Server(params)
    answers.write(json.dumps({"address": server.listening_address, "pid": os.getpid()}).encode() + b"\n")
    while os.read(0, 4096):
        time.sleep(0)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
