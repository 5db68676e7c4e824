"""Serve two language models with random weights on a GPU over the OpenAI protocol, to check figures that need a GPU.

    python tools/gpu_server.py --port 18400
    llmtui run --host http://127.0.0.1:18400/v1 --rounds 3

Needs PyTorch with CUDA and transformers; no weights are downloaded. The text is meaningless, but the work is real: each
token is one forward pass through a transformer of 1 or 6 billion parameters, in bfloat16 and with a key-value cache.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

SIZES = {"random-1b": (2048, 16, 5632), "random-6b": (4096, 30, 11008)}
"""Model name → hidden size, number of layers, intermediate size."""
WORDS = ("river", "stone", "light", "under", "carries", "slowly", "the", "a", "green", "morning", "and", "into")
VOCABULARY = 32_000
CHARACTERS_PER_TOKEN = 4


class Models:
    """The models on the GPU; only one request runs at a time."""

    def __init__(self) -> None:
        """Create the models with random weights on the first GPU."""
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        self._torch = torch
        self._turn = Lock()
        self._models: dict[str, Any] = {}
        torch.set_default_dtype(torch.bfloat16)
        for name, (hidden, layers, inner) in SIZES.items():
            config = LlamaConfig(
                vocab_size=VOCABULARY,
                hidden_size=hidden,
                num_hidden_layers=layers,
                intermediate_size=inner,
                num_attention_heads=hidden // 128,
                num_key_value_heads=8,
            )
            with torch.device("cuda"):
                self._models[name] = LlamaForCausalLM(config).eval()

    def tokens(self, name: str, prompt_tokens: int, wanted: int) -> Iterator[int]:
        """Yield ``wanted`` token ids, chosen greedily after a random prompt of ``prompt_tokens`` tokens."""
        torch = self._torch
        with self._turn, torch.inference_mode():
            ids = torch.randint(0, VOCABULARY, (1, prompt_tokens), device="cuda")
            cache = None
            for _ in range(wanted):
                out = self._models[name](input_ids=ids, past_key_values=cache, use_cache=True)
                cache = out.past_key_values
                ids = out.logits[:, -1:].argmax(-1)
                yield int(ids.item())


class Handler(BaseHTTPRequestHandler):
    """Serves ``/v1/models``, and ``/v1/chat/completions`` as a stream."""

    protocol_version = "HTTP/1.1"
    models: Models

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Discard the log line of a request."""

    def do_GET(self) -> None:
        """Serve ``/v1/models``; any other path gets status 404."""
        if self.path != "/v1/models":
            self._json(404, {"error": {"message": "not found"}})
            return
        self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in SIZES]})

    def do_POST(self) -> None:
        """Stream one answer with one token per event, then the usage and ``[DONE]``."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body.get("model")
        if name not in SIZES:
            self._json(404, {"error": {"message": f"no model {name}"}})
            return
        prompt_tokens = max(1, sum(len(m["content"]) for m in body["messages"]) // CHARACTERS_PER_TOKEN)
        wanted = int(body.get("max_tokens") or 128)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for token in self.models.tokens(name, prompt_tokens, wanted):
            delta = {"content": " " + WORDS[token % len(WORDS)]}
            self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]})
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": wanted, "total_tokens": prompt_tokens + wanted}
        self._event({"choices": [], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, data: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")
        self.wfile.flush()

    def _json(self, status: int, data: dict[str, Any]) -> None:
        content = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Create the models, then serve requests until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=18400)
    port = parser.parse_args().port
    Handler.models = Models()
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"ready on 127.0.0.1:{port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
