"""A relay on loopback that passes bytes between a client and a server, and notes when each part of a response arrived.

It uses no code of llmtui, so it is an independent record of the transmitted bytes.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_TEXT_KEYS = ("content", "reasoning", "reasoning_content", "thinking")


@dataclass
class Exchange:
    """One request and its response: when it was sent, and the response's parts with their arrival times in ns."""

    sent_ns: int = 0
    request: bytes = b""
    parts: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def wanted(self) -> int | None:
        """Token limit of the request; None if it has none."""
        found = re.search(rb'"max_(?:completion_)?tokens":\s*(\d+)', self.request)
        return int(found.group(1)) if found else None

    def _events(self) -> list[tuple[int, dict[str, object]]]:
        """Return each complete ``data:`` line with the time at which its last byte arrived."""
        events: list[tuple[int, dict[str, object]]] = []
        waiting = b""
        for t_ns, part in self.parts:
            *lines, waiting = (waiting + part).split(b"\n")
            data = [line[5:].strip() for line in lines if line.startswith(b"data:")]
            events += [(t_ns, json.loads(one)) for one in data if one != b"[DONE]"]
        return events

    def texts_ns(self) -> list[int]:
        """Return the arrival time of each event with text, in ns."""
        times = []
        for t_ns, event in self._events():
            choices = event.get("choices") or []
            assert isinstance(choices, list)
            if choices and any((choices[0].get("delta") or {}).get(key) for key in _TEXT_KEYS):
                times.append(t_ns)
        return times

    @property
    def ttft_ms(self) -> float:
        """Time from the request to the first text, in ms."""
        return (self.texts_ns()[0] - self.sent_ns) / 1e6

    @property
    def decode_tps(self) -> float | None:
        """(tokens − 1) ÷ (finish reason − first text), in tokens per second; None if the server sent no count."""
        texts, tokens, finished_ns = self.texts_ns(), None, None
        for t_ns, event in self._events():
            usage, choices = event.get("usage"), event.get("choices")
            if isinstance(usage, dict):
                tokens = usage.get("completion_tokens")
            if isinstance(choices, list) and choices and choices[0].get("finish_reason"):
                finished_ns = t_ns
        if not tokens or finished_ns is None or finished_ns <= texts[0]:
            return None
        return (int(tokens) - 1) / ((finished_ns - texts[0]) / 1e9)


class Relay:
    """Listens on a free loopback port during a ``with`` statement."""

    def __init__(self, upstream: str) -> None:
        """Prepare a relay to a server's address, such as ``http://127.0.0.1:8000``."""
        parts = urlsplit(upstream)
        self._upstream = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The relay's own address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Start to accept connections."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop accepting connections; open ones end by themselves."""
        self._listener.close()

    def answers(self) -> list[Exchange]:
        """Return the chat requests whose response has text, in the order in which they were sent."""
        with self._lock:
            asked = [one for one in self._exchanges if b"/chat/completions" in one.request and one.texts_ns()]
        return sorted(asked, key=lambda one: one.sent_ns)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(self._upstream)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        current = [Exchange()]
        backwards = threading.Thread(target=self._answers, args=(server, client, current), daemon=True)
        backwards.start()
        while data := _received(client):
            if current[0].parts or not current[0].request:  # a new exchange, also on a connection that is used again
                current[0] = Exchange(sent_ns=time.perf_counter_ns())
                with self._lock:
                    self._exchanges.append(current[0])
            current[0].request += data
            server.sendall(data)
        server.close()

    def _answers(self, server: socket.socket, client: socket.socket, current: list[Exchange]) -> None:
        while data := _received(server):
            current[0].parts.append((time.perf_counter_ns(), data))
            try:
                client.sendall(data)
            except OSError:
                break
        client.close()


def _received(one: socket.socket) -> bytes:
    try:
        return one.recv(65536)
    except OSError:
        return b""
