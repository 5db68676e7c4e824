"""A simulated server in a process of its own, started and controlled by its parent."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import msgspec

from llmtui.simulator.changes import Planned, ScriptedChange
from llmtui.simulator.jsontext import read_json
from llmtui.simulator.script import Script, encode_planned, encode_script
from llmtui.simulator.sendlog import SentRequest
from llmtui.simulator.server import LOOPBACK

_CONTROL_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 10.0


class RunningSimulator:
    """A simulated server that runs as a process.

    Attributes:
        port: its port, on loopback.
        pid: its process id.
        url: `http://127.0.0.1:PORT`.
    """

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid
        self.url = f"http://{LOOPBACK}:{port}"

    def send_log(self, since: int = 0) -> tuple[SentRequest, ...]:
        """Return the requests with a number above `since`, in order of arrival, including those in progress."""
        return msgspec.convert(read_json(self._control("GET", f"log?since={since}")), tuple[SentRequest, ...])

    def answers(self, since: int = 0) -> tuple[SentRequest, ...]:
        """Return those requests of the send log for which the server began to generate an answer."""
        return tuple(request for request in self.send_log(since) if request.truth is not None)

    def clear_log(self) -> None:
        """Remove finished requests from the send log; their numbers are not used again."""
        self._control("DELETE", "log")

    def state(self) -> dict[str, Any]:
        """Return the server's state: the models `loaded` and `loading`, and the counts `queued` and `trials`.

        A loaded model has the process id of its stand-in process, if there is one.
        """
        state: dict[str, Any] = json.loads(self._control("GET", "state"))
        return state

    def change(self, change: ScriptedChange | Planned) -> None:
        """Apply or plan a change; return when it has taken effect or is planned.

        Raises:
            ValueError: the server refused the change; the message says why.
        """
        planned = change if isinstance(change, Planned) else Planned(change=change)
        self._control("POST", "script", encode_planned(planned))

    def _control(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=_CONTROL_TIMEOUT_S)
        try:
            connection.request(method, f"/_sim/{path}", body)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise ValueError(f"the simulator refused {method} {path}: {content.decode(errors='replace')}")
        return content


@contextmanager
def running_simulator(
    script: Script, *, environment: Mapping[str, str] | None = None, stderr: IO[bytes] | None = None
) -> Iterator[RunningSimulator]:
    """Run a simulated server as a process during a `with` statement.

    Args:
        script: the server's script.
        environment: variables to add to this process's environment.
        stderr: file for its error output; None = this process's stderr.

    Raises:
        RuntimeError: the server did not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "llmtui.simulator", "--port", "0", "--script", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(encode_script(script) + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulator ended at once with status {process.wait()}")
        yield RunningSimulator(port=json.loads(line)["port"], pid=process.pid)
    finally:
        process.stdin.close()
        try:
            process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
