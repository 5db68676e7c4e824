"""The contract on llama.cpp's own server, from the xllamacpp wheel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmtui.backends.builtin_models import DEMO_FILE
from tests.real_openai.contract import OpenAiContract
from tests.real_openai.llamacpp import Served, llamacpp_served, needs_llamacpp


@needs_llamacpp
class TestLlamaCpp(OpenAiContract):
    product = "llama.cpp"
    thinks_by = "template"

    @pytest.fixture(scope="class")
    def server(self) -> Iterator[Served]:
        with llamacpp_served("-m", str(DEMO_FILE), "-a", "served", "-c", "1024") as server:
            yield server
