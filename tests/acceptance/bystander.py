"""A client that does little but ask a simulated server of its own and look at the clock, beside what is measured.

How far its times are off is what this machine, at this time, does to any program that also computes something: on a
quiet one a third of a millisecond. As a program (``python -m tests.acceptance.bystander PORT``) it is that client,
until its stdin ends.
"""

from __future__ import annotations

import json
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from llmtui.simulator import Script, ScriptedAnswer, SimulatedModel
from llmtui.simulator.process import running_simulator
from llmtui.simulator.server import LOOPBACK

PAUSE_S = 0.1
COMPUTES_S = 0.015
"""Before each request: a process that never computes is woken before all others, which would flatter the machine."""
_BODY = json.dumps({"model": "beside:1b", "messages": [{"role": "user", "content": "Why?"}]}).encode()
_HEAD = b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_END = b"0\r\n\r\n"


class Bystander:
    """What the client saw; filled when it is over."""

    def __init__(self) -> None:
        self.off_ms: list[float] = []
        """How far each of its TTFTs was from the truth, sorted."""

    @property
    def median_ms(self) -> float:
        """Off by so much in the median."""
        return statistics.median(self.off_ms)

    @property
    def nearly_all_ms(self) -> float:
        """Off by no more in 95 %."""
        return self.off_ms[len(self.off_ms) * 95 // 100]

    def __str__(self) -> str:
        return (
            f"a bystander's TTFT was off by {self.median_ms:.3f} ms in the median, {self.nearly_all_ms:.3f} in 95 %, "
            f"of {len(self.off_ms)}"
        )


@contextmanager
def bystander() -> Iterator[Bystander]:
    """Let the client send requests during the ``with`` block."""
    seen = Bystander()
    model = SimulatedModel(name="beside:1b", load_s=0.0, decode_tps=200.0, answers=(ScriptedAnswer(tokens=3),))
    with running_simulator(Script(models=(model,))) as server:
        client = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.bystander", str(server.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield seen
        finally:
            told, _ = client.communicate(timeout=20)
        truths = [truth.ttft_ns for truth in server.answers()]
    ttfts_ns: list[int] = json.loads(told)
    assert len(ttfts_ns) == len(truths)
    seen.off_ms = sorted(
        abs(ttft_ns - truth_ns) / 1e6 for ttft_ns, truth_ns in zip(ttfts_ns, truths, strict=True) if truth_ns
    )


def main() -> None:
    """Send requests until stdin ends; print the TTFTs that it saw, in nanoseconds."""
    ttfts_ns: list[int] = []
    with socket.create_connection((LOOPBACK, int(sys.argv[1]))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
            until_ns = time.perf_counter_ns() + round(COMPUTES_S * 1e9)
            while time.perf_counter_ns() < until_ns:
                pass
            asked_ns = time.perf_counter_ns()
            connection.sendall(_HEAD % len(_BODY) + _BODY)
            said = connection.recv(65536)
            ttfts_ns.append(time.perf_counter_ns() - asked_ns)
            while not said.endswith(_END):
                said += connection.recv(65536)
    sys.stdout.write(json.dumps(ttfts_ns))


if __name__ == "__main__":
    main()
