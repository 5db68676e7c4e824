from __future__ import annotations

import pytest

from tests.real_ollama.contract import OllamaContract, Served
from tests.real_ollama.models import import_model, numbered
from tests.real_ollama.servers import RunningOllama

pytestmark = [pytest.mark.real_ollama, pytest.mark.slow]


@pytest.fixture(scope="session")
def served(ollama_server: RunningOllama, tmp_path_factory: pytest.TempPathFactory) -> Served:
    def put(name: str, number: int) -> None:
        import_model(ollama_server.url, name, numbered(tmp_path_factory.mktemp("numbered"), number))

    return Served(ollama_server.url, ollama_server.version, put)


class TestRealOllama(OllamaContract):
    """The contract, kept by the servers themselves."""
