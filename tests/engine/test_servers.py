"""Which backend talks to which server."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any, cast

import pytest

from llmtui.backends.builtin import BuiltinBackend
from llmtui.backends.ollama import OllamaBackend
from llmtui.backends.openai import OpenAiBackend
from llmtui.config.access import Access, Accesses, read_key_file
from llmtui.config.errors import SettingsError
from llmtui.core.commands import SetServer
from llmtui.core.records import AddressSource, ServerKind
from llmtui.engine.servers import Servers, open_backend
from tests.backends.builtin_children import needs_xllamacpp
from tests.engine.fake_server import FakeServer


def opening(opened: list[tuple[str, str]]) -> Servers:
    def open_one(kind: ServerKind, address: str, access: object = None) -> Any:
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
    backend = open_backend("builtin", "/nowhere/own.gguf", None)
    assert isinstance(backend, BuiltinBackend)
    *_, last = await backend.models()
    assert last.model.name == "/nowhere/own.gguf"
    assert last.why_not is not None


NAMED = SetServer(address="https://box:8443/v1", kind="openai", address_source="user")


def shown_to(address: str, kind: ServerKind = "openai", *, named: SetServer = NAMED, **env: str) -> str | None:
    """What a server is shown of the environment's keys, where another or the same one was named."""
    shown: list[Access | None] = []

    def open_one(kind: ServerKind, address: str, access: Access | None) -> Any:
        shown.append(access)
        return FakeServer(kind=kind)

    servers = Servers(open_one, Accesses(env))
    servers.name(named)
    servers.backend(kind, address)
    return None if shown[0] is None else shown[0].header


class TestKeys:
    def test_the_programs_own_key_goes_to_the_server_that_was_named_in_either_protocol(self) -> None:
        assert shown_to("https://box:8443/v1", LLMTUI_API_KEY=" sk-1 ") == "Bearer sk-1"
        assert shown_to("https://box:8443", "ollama", LLMTUI_API_KEY="sk-1") == "Bearer sk-1"

    @pytest.mark.parametrize(
        "address",
        ["http://box:8443/v1", "https://box/v1", "https://box.example:8443/v1", "http://127.0.0.1:8080/v1"],
    )
    def test_no_key_goes_to_another_scheme_host_or_port(self, address: str) -> None:
        assert shown_to(address, LLMTUI_API_KEY="sk-1", OPENAI_API_KEY="sk-2") is None

    def test_no_key_goes_to_a_server_that_nobody_named(self) -> None:
        found = SetServer(address="http://127.0.0.1:8080/v1", kind="openai")
        assert shown_to(found.address, named=found, LLMTUI_API_KEY="sk-1", OPENAI_API_KEY="sk-2") is None

    def test_the_protocols_key_stands_behind_the_programs_own(self) -> None:
        assert shown_to(NAMED.address, LLMTUI_API_KEY="sk-1", OPENAI_API_KEY="sk-2") == "Bearer sk-1"
        assert shown_to(NAMED.address, OPENAI_API_KEY="sk-2", OLLAMA_API_KEY="sk-3") == "Bearer sk-2"
        assert shown_to("https://box:8443", "ollama", OPENAI_API_KEY="sk-2", OLLAMA_API_KEY="sk-3") == "Bearer sk-3"

    @pytest.mark.parametrize(
        ("address", "address_source", "sent"),
        [
            ("https://box/v1", "user", True),
            ("http://127.0.0.1:8080/v1", "user", True),
            ("http://localhost:8080/v1", "user", True),
            ("http://box:8080/v1", "user", False),
            ("https://box/v1", "settings", False),
            ("http://127.0.0.1:8080/v1", "settings", False),
        ],
    )
    def test_the_protocols_key_leaves_this_machine_only_encrypted_and_for_a_server_that_the_person_named(
        self, address: str, address_source: AddressSource, sent: bool
    ) -> None:
        named = SetServer(address=address, kind="openai", address_source=address_source)
        assert (shown_to(address, named=named, OPENAI_API_KEY="sk-2") is not None) is sent

    def test_a_server_whose_address_comes_from_a_session_gets_no_key(self) -> None:
        named = SetServer(address=NAMED.address, kind="openai", address_source="session")
        assert shown_to(NAMED.address, named=named, LLMTUI_API_KEY="sk-1", OPENAI_API_KEY="sk-2") is None
        assert shown_to(NAMED.address, named=named, LLMTUI_USER="ann", LLMTUI_PASSWORD="pass word") is None

    def test_a_key_belongs_to_the_first_server_that_was_named(self) -> None:
        servers = opening([])
        servers._accesses = Accesses({"LLMTUI_API_KEY": "sk-1"})
        servers.name(NAMED)
        servers.name(SetServer(address="https://other/v1", kind="openai", address_source="user"))
        assert servers._accesses.of("openai", "https://other/v1", is_loopback=False) is None

    def test_a_login_is_sent_as_one(self) -> None:
        header = "Basic " + b64encode(b"ann:pass word").decode()
        assert shown_to(NAMED.address, LLMTUI_USER="ann", LLMTUI_PASSWORD="pass word") == header
        in_address = SetServer(address=NAMED.address, kind="openai", address_source="user", login="ann:pass word")
        assert shown_to(NAMED.address, named=in_address, LLMTUI_API_KEY="sk-1") == header

    @pytest.mark.parametrize("key", ["", "  ", "two words", "clé", "a\nb"])
    def test_what_cannot_stand_in_a_header_is_no_key(self, key: str) -> None:
        assert shown_to(NAMED.address, LLMTUI_API_KEY=key) is None

    @pytest.mark.parametrize("text", ["sk-1", "sk-1\n", "\ufeffsk-1\r\n", "\n  sk-1  \nmore\n"])
    def test_a_file_holds_it_in_its_first_line(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "key").write_text(text, encoding="utf-8")
        assert read_key_file(tmp_path / "key") == "sk-1"

    @pytest.mark.parametrize("text", ["", "\n", "two words", None])
    def test_a_file_without_one_is_refused(self, tmp_path: Path, text: str | None) -> None:
        if text is not None:
            (tmp_path / "key").write_text(text)
        with pytest.raises(SettingsError):
            read_key_file(tmp_path / "key")

    async def test_backends_send_it(self) -> None:
        access = Access(header="Bearer sk-1", source="LLMTUI_API_KEY")
        for kind, address in (("openai", "http://127.0.0.1:1/v1"), ("ollama", "127.0.0.1:1")):
            backend = open_backend(cast("ServerKind", kind), address, access)
            assert isinstance(backend, OpenAiBackend | OllamaBackend)
            assert backend._client.headers["authorization"] == "Bearer sk-1"
            await backend.aclose()
