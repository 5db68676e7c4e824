"""Real servers for a session: built beforehand by ``tools/build_ollama.py``, started here."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from llmtui.backends.ollama import OllamaBackend
from tests.real_ollama.asking import Asking, wait_until
from tests.real_ollama.models import copy_store, model_store
from tests.real_ollama.servers import RunningOllama, running_ollama
from tools.build_ollama import VERSIONS, Build, default_cache, find_build

REQUIRE_VARIABLE = "LLMTUI_REQUIRE_REAL_OLLAMA"


@pytest.fixture(scope="session", params=VERSIONS)
def ollama_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOllama]:
    """A real server of each version with the models of ``models.py``, and a store that tests may change."""
    build = _build(request.param)
    folder = tmp_path_factory.mktemp(f"ollama-{build.version}")
    store = copy_store(model_store(build), folder / "models")
    with running_ollama(build, store, folder / "home") as server:
        yield server


def _build(version: str) -> Build:
    build = find_build(version)
    if build is not None:
        return build
    reason = f"Ollama {version} is not in {default_cache()}: python tools/build_ollama.py {version}"
    if os.environ.get(REQUIRE_VARIABLE) == "1":
        pytest.fail(f"{reason} ({REQUIRE_VARIABLE}=1)")
    pytest.skip(reason)


@pytest.fixture
async def backend(ollama_server: RunningOllama) -> AsyncIterator[OllamaBackend]:
    """The backend, talking to it."""
    backend = OllamaBackend(ollama_server.url)
    yield backend
    await backend.aclose()


@pytest.fixture
def asking(ollama_server: RunningOllama) -> Iterator[Asking]:
    """The server with nothing in memory; what lost its name there goes when its time is up."""
    asking = Asking(ollama_server.url)
    for name in asking.loaded_names():
        asking.post("/api/generate", {"model": name, "keep_alive": 0})
    wait_until(lambda: not asking.loaded(), within_s=40)
    yield asking
    asking.close()
