"""The contract on guidellm's mock server, which keeps to the standard and has no extension of it.

``pip install guidellm`` beside these tests or anywhere else; ``LLMTUI_GUIDELLM`` then names the program.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.real_openai.contract import OpenAiContract
from tests.real_openai.llamacpp import START_LIMIT_S, Served, free_port
from tests.terminal import wait_until

BESIDE = Path(sys.executable).with_name("guidellm")
PROGRAM = os.environ.get("LLMTUI_GUIDELLM") or shutil.which("guidellm") or (str(BESIDE) if BESIDE.exists() else None)


@pytest.mark.skipif(PROGRAM is None, reason="guidellm is not installed: pip install guidellm, or set LLMTUI_GUIDELLM")
class TestGuidellmMockServer(OpenAiContract):
    product = None
    thinks_by = "effort"

    @pytest.fixture(scope="class")
    def server(self) -> Iterator[Served]:
        assert PROGRAM is not None
        port = free_port()
        words = ("mock-server", "--host", "127.0.0.1", "--port", str(port), "--model", "mock", "--ttft-ms", "50")
        process = subprocess.Popen(
            [PROGRAM, *words, "--itl-ms", "10"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: _answers(f"{url}/v1/models"), timeout_s=START_LIMIT_S, what="guidellm answers")
            yield Served(url, process.pid, process)
        finally:
            process.terminate()
            process.wait(START_LIMIT_S)


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
        return bool(response.status == 200)
    return False
