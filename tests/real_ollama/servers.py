"""Real Ollama servers as child processes: started on a free loopback port, stopped by pid with all their children."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from tools.build_ollama import Build

START_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0
ATTEMPTS = 3
"""The port that was free a moment ago may be taken by the time the server listens."""


class ServerFailed(Exception):
    """A server did not start; carries the end of its log."""


class RunningOllama:
    """One server that answers."""

    def __init__(self, version: str, url: str, process: psutil.Process) -> None:
        self.version = version
        self.url = url
        self.process = process


@contextlib.contextmanager
def running_ollama(build: Build, models: Path, home: Path) -> Iterator[RunningOllama]:
    """Run a server on a separate model store during a ``with`` statement.

    Args:
        build: the server.
        models: its model store, which it may change.
        home: a folder for its key and its log.

    Raises:
        ServerFailed: it ended at once, three times, or did not answer for a minute.
    """
    home.mkdir(parents=True, exist_ok=True)
    process, url = _start(build, models, home)
    try:
        yield RunningOllama(build.version, url, psutil.Process(process.pid))
    finally:
        _stop(process)


def _start(build: Build, models: Path, home: Path) -> tuple[subprocess.Popen[bytes], str]:
    log = home / "serve.log"
    for _ in range(ATTEMPTS):
        address = f"127.0.0.1:{_free_port()}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [build.binary, "serve"], stdout=output, stderr=output, env=_environment(address, models, home)
            )
        try:
            _wait_until_it_answers(process, address)
        except ServerFailed:
            _stop(process)
        else:
            return process, f"http://{address}"
    raise ServerFailed(f"Ollama {build.version} did not start; the end of its log:\n{log.read_text()[-2000:]}")


def _environment(address: str, models: Path, home: Path) -> dict[str, str]:
    # Nothing of the person's own Ollama settings: their server and their models are not ours.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OLLAMA_")}
    return inherited | {
        "HOME": str(home),
        "OLLAMA_HOST": address,
        "OLLAMA_MODELS": str(models),
        "OLLAMA_NO_CLOUD": "1",
        "OLLAMA_NUM_PARALLEL": "1",
    }


def _wait_until_it_answers(process: subprocess.Popen[bytes], address: str) -> None:
    deadline_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise ServerFailed(f"ended with status {process.returncode}")
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"http://{address}/api/version", trust_env=False)
            return
        time.sleep(0.05)
    raise ServerFailed(f"no answer within {START_LIMIT_S} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, then its remaining children."""
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(children, timeout=STOP_LIMIT_S)
    for child in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
