"""llama.cpp's server inside this process, for one GGUF file; for the checks in this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import xllamacpp

LIMIT_S = 120.0
MAX_TOKENS = 700


class LlamaServer:
    """Loads the file and answers over HTTP. One thread: more only adds waiting for a model of this size."""

    def __init__(self, path: Path, context_length: int = 1024) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context_length
        params.n_parallel = 1
        params.verbosity = -1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        params.warmup = params.fit_params = params.ui = False
        params.offline = True
        params.cache_ram_mib = 0
        self._server = xllamacpp.Server(params)
        self._address: str = self._server.listening_address

    def post(self, path: str, **body: object) -> dict[str, Any]:
        """Asks once, on a new connection, with no use of what was cached before."""
        answer = httpx.post(
            self._address + path, json={"cache_prompt": False, **body}, timeout=LIMIT_S, trust_env=False
        )
        answer.raise_for_status()
        body_of_answer: dict[str, Any] = answer.json()
        return body_of_answer

    def chat(self, question: str, **options: object) -> tuple[str, dict[str, Any]]:
        """Gives the answer to a question, and llama.cpp's timings with the finish reason."""
        messages = [{"role": "user", "content": question}]
        answer = self.post("/v1/chat/completions", messages=messages, max_tokens=MAX_TOKENS, **options)
        choice = answer["choices"][0]
        return choice["message"]["content"], {**answer["timings"], "finish": choice["finish_reason"]}
