"""The minimal program that notes when bytes arrive: one socket, one loop and one clock, in a process of its own.

``python -m benchmarks.bare_reader PORT TOKENS MODEL`` sends one request and prints the arrival times in ns as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import time

HOST = "127.0.0.1"
READ_BYTES = 1 << 16
LINE_END = b"}\n"
"""The end of each line of the answer; on a busy machine several lines can arrive at once."""


def arrivals_ns(port: int, tokens: int, model: str) -> list[int]:
    """Return the arrival time of each line of the answer, in ns."""
    body = {
        "model": model, "messages": [{"role": "user", "content": "Count."}], "options": {"num_predict": tokens},
        "think": False,
    }  # fmt: skip
    content = json.dumps(body).encode()
    head = (
        f"POST /api/chat HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    stamps = []
    with socket.create_connection((HOST, port)) as connection:
        connection.sendall(head.encode() + content)
        while data := connection.recv(READ_BYTES):
            now_ns = time.perf_counter_ns()
            stamps += [now_ns] * data.count(LINE_END)
    return stamps


if __name__ == "__main__":
    sys.stdout.write(json.dumps(arrivals_ns(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
