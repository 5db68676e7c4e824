"""A plain HTTP client for the tests: what a server said, line by line, and when each line came."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

NUM_CTX = 1024
LIMIT_S = 60.0

Value = TypeVar("Value")
Line = dict[str, Any]


class Answer:
    """One streamed answer. Keys of a line are in the order in which they came."""

    def __init__(self, status: int, content_type: str, lines: list[Line], arrived_s: list[float]) -> None:
        self.status = status
        self.content_type = content_type
        self.lines = lines
        self.arrived_s = arrived_s
        """On ``time.monotonic``."""

    @property
    def last(self) -> Line:
        """The last line."""
        return self.lines[-1]

    @property
    def chunks(self) -> list[Line]:
        """The lines before the last."""
        return [line for line in self.lines if not line.get("done")]

    @property
    def content(self) -> str:
        """The answer's text."""
        return "".join(line["message"]["content"] for line in self.lines)

    @property
    def thinking(self) -> str:
        """The thinking's text."""
        return "".join(line["message"].get("thinking", "") for line in self.lines)

    @property
    def unexplained_ns(self) -> int:
        """What no counter of the last line explains: total − load − prompt − eval."""
        parts = ("load_duration", "prompt_eval_duration", "eval_duration")
        return int(self.last["total_duration"]) - sum(int(self.last[part]) for part in parts)


class Asking:
    """Sends requests to one server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=LIMIT_S, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str) -> Any:
        """Return the JSON of a page."""
        response = self._client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Return the answer to a request without a stream."""
        return self._client.post(path, json={"stream": False} | body)

    def chat(self, model: str, text: str, *, num_predict: int = 16, **more: Any) -> Answer:
        """Send a request, and read the stream to its end."""
        with self.chatting(model, text, num_predict=num_predict, **more) as (response, lines):
            arrived_s, read = [], []
            for line in lines:
                arrived_s.append(time.monotonic())
                read.append(line)
            return Answer(response.status_code, response.headers.get("content-type", ""), read, arrived_s)

    @contextmanager
    def chatting(
        self, model: str, text: str, *, num_predict: int = 16, options: dict[str, Any] | None = None, **more: Any
    ) -> Iterator[tuple[httpx.Response, Iterator[Line]]]:
        """Send a request, and yield the stream while it runs; leaving closes the connection."""
        body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        # One thread: with as many as there are cores, llama.cpp's threads wait for whichever shares its core.
        body["options"] = {
            "num_ctx": NUM_CTX, "num_predict": num_predict, "temperature": 0, "seed": 42, "num_thread": 1,
            **(options or {}),
        }  # fmt: skip
        with self._client.stream("POST", "/api/chat", json=body) as response:
            yield response, (json.loads(line) for line in response.iter_lines() if line)

    def loaded(self) -> list[Line]:
        """Return the models in memory."""
        models: list[Line] = self.get("/api/ps")["models"]
        return models

    def unload(self, model: str) -> None:
        """Unload a model and wait until it is gone."""
        assert self.post("/api/generate", {"model": model, "keep_alive": 0}).status_code == 200
        wait_until(lambda: model not in self.loaded_names())

    def loaded_names(self) -> list[str]:
        """Return the names in memory without ``:latest``."""
        return [str(model["name"]).removesuffix(":latest") for model in self.loaded()]

    def blob_of(self, model: str) -> str:
        """Return the path after FROM in the model's modelfile."""
        modelfile: str = self.post("/api/show", {"model": model}).json()["modelfile"]
        return next(line.removeprefix("FROM ") for line in modelfile.splitlines() if line.startswith("FROM "))


def wait_until(look: Callable[[], Value | None], within_s: float = 30.0) -> Value:
    """Call a function until it returns a value."""
    deadline_s = time.monotonic() + within_s
    while True:
        if value := look():
            return value
        assert time.monotonic() < deadline_s, f"not within {within_s} s"
        time.sleep(0.02)
