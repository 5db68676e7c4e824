"""Which backend talks to which server."""

from __future__ import annotations

from typing import Any

import pytest

from llmtui.backends.builtin import BuiltinBackend
from llmtui.backends.openai import OpenAiBackend
from llmtui.core.facts import ServerKind
from llmtui.engine.servers import API_KEY_VARIABLE, Servers, open_backend
from tests.backends.builtin_children import needs_xllamacpp
from tests.engine.fake_server import FakeServer


def opening(opened: list[tuple[str, str]]) -> Servers:
    def open_one(kind: ServerKind, address: str) -> Any:
        opened.append((kind, address))
        return FakeServer(kind=kind)

    return Servers(open_one)


def test_a_server_is_opened_once() -> None:
    opened: list[tuple[str, str]] = []
    servers = opening(opened)
    assert servers.backend("ollama", "a") is servers.backend("ollama", "a")
    assert servers.backend("ollama", "a") is not servers.backend("ollama", "b")
    assert opened == [("ollama", "a"), ("ollama", "b")]


def test_the_built_in_one_is_the_same_beside_whatever_other_server() -> None:
    servers = opening([])
    inside = servers.backend("builtin", "built-in")
    assert servers.backend("builtin", "http://127.0.0.1:11434") is inside
    assert servers.backend("builtin", "/home/p/own.gguf") is not inside


async def test_all_but_those_in_use_are_closed() -> None:
    servers = opening([])
    kept, beside, other = (servers.backend(kind, "a") for kind in ("ollama", "builtin", "openai"))
    await servers.close_all_but(kept, beside)
    assert (kept.log, beside.log, other.log) == ([], [], ["close"])  # type: ignore[attr-defined]
    assert servers.backend("ollama", "a") is kept
    assert servers.backend("openai", "a") is not other


@needs_xllamacpp
async def test_a_file_to_offer_is_listed_with_what_is_wrong_with_it() -> None:
    backend = open_backend("builtin", "/nowhere/own.gguf")
    assert isinstance(backend, BuiltinBackend)
    *_, last = await backend.models()
    assert last.model.name == "/nowhere/own.gguf"
    assert last.why_not is not None


async def test_a_key_for_an_openai_server_comes_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(API_KEY_VARIABLE, " sk-secret ")
    keyed = open_backend("openai", "http://127.0.0.1:1/v1")
    monkeypatch.setenv(API_KEY_VARIABLE, "")
    keyless = open_backend("openai", "http://127.0.0.1:1/v1")
    assert isinstance(keyed, OpenAiBackend)
    assert isinstance(keyless, OpenAiBackend)
    assert keyed._client.headers["authorization"] == "Bearer sk-secret"
    assert "authorization" not in keyless._client.headers
    await keyed.aclose()
    await keyless.aclose()
