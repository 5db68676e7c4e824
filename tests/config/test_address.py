"""A server's address is read as Ollama's own client reads it."""

from __future__ import annotations

from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtui.config import Address, SettingsError, builtin_model, builtin_place, file_here, normalise_host
from llmtui.words.settings import settings_words


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("", "http://127.0.0.1:11434"),
        ("  ", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":1234", "http://127.0.0.1:1234"),
        ("1.2.3.4:1234", "http://1.2.3.4:1234"),
        ("example.com", "http://example.com:11434"),
        ("example.com:1234", "http://example.com:1234"),
        ("example.com:", "http://example.com:11434"),
        ("box:+80", "http://box:80"),
        ("box:0", "http://box:0"),
        ("box:66000", "http://box:11434"),
        ("box:-1", "http://box:11434"),
        ("box:port", "http://box:11434"),
        ("http://box:port", "http://box:80"),
        ("[::1]", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:1337", "http://[::1]:1337"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]:11434"),
        ("::ffff:10.0.0.1", "http://10.0.0.1:11434"),
        (" 1.2.3.4 ", "http://1.2.3.4:11434"),
        ('"1.2.3.4"', "http://1.2.3.4:11434"),
        ("'1.2.3.4'", "http://1.2.3.4:11434"),
        (' " 1.2.3.4 " ', "http://1.2.3.4:11434"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("http://1.2.3.4:4321", "http://1.2.3.4:4321"),
        ("https://1.2.3.4", "https://1.2.3.4:443"),
        ("HTTPS://box", "https://box:443"),
        ("https://example.com/ollama", "https://example.com:443/ollama"),
        ("https://example.com/a/b/", "https://example.com:443/a/b"),
        ("http://box/with space", "http://box:80/with%20space"),
        ("ollama.com", "https://ollama.com:443"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1234", "http://127.0.0.1:1234"),
        ("[::]", "http://[::1]:11434"),
        ("::", "http://[::1]:11434"),
        ("::ffff:0.0.0.0", "http://127.0.0.1:11434"),
        ("bücher.example", "http://xn--bcher-kva.example:11434"),
    ],
)
def test_what_is_typed_becomes_a_url(typed: str | None, url: str) -> None:
    assert normalise_host(typed).url == url


def test_the_parts_come_with_it() -> None:
    assert normalise_host("https://[::1]:8080/proxy") == Address(
        url="https://[::1]:8080/proxy", host="::1", port=8080, is_loopback=True
    )


@pytest.mark.parametrize(
    "typed", ["", "localhost", "LOCALHOST.:80", "a.localhost", "127.8.9.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"]
)
def test_this_machine_is_known_as_such(typed: str) -> None:
    assert normalise_host(typed).is_loopback


@pytest.mark.parametrize("typed", ["box", "10.0.0.1", "localhost.example.com", "notlocalhost", "fe80::1"])
def test_other_machines_are_not_this_one(typed: str) -> None:
    assert not normalise_host(typed).is_loopback


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("ftp://box", "use http or https"),
        ("a b", "is not a host name"),
        ("a:b:c", "is not a host name"),
        ("[box]", "is not a host name"),
        ("user@box", "is not a host name"),
        ("box?x=1", "is not a host name"),
        ("-box", "is not a host name"),
        ("a..b", "is not a host name"),
        ("ü" * 80, "is not a host name"),
    ],
)
def test_what_cannot_be_an_address_is_refused_in_words(typed: str, words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        normalise_host(typed)
    assert repr(typed) in settings_words(refusal.value)
    assert words in settings_words(refusal.value)


PIECES = st.sampled_from(
    [
        *("http://", "https://", "localhost", "example.com", "1.2.3.4", "0.0.0.0", "::", "::1", "[::1]", "[", "]"),
        *(":", ":80", ":0", ":99999", ":-1", "/", "/path", "'", '"', "é", "%", "?", "#", "@", " ", "\t"),
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=30))
def test_any_text_gives_an_address_that_a_client_accepts_or_a_refusal(typed: str) -> None:
    try:
        address = normalise_host(typed)
    except SettingsError:
        return
    url = httpx.URL(address.url)
    assert url.scheme in {"http", "https"}
    assert not address.url.endswith("/")
    assert 0 <= address.port <= 65535
    assert httpx.URL(f"{address.url}/api/version").raw_path.endswith(b"/api/version")
    assert normalise_host(address.url) == msgspec.structs.replace(address, login=None)


@settings(deadline=None)
@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_ip_address_is_taken_with_and_without_a_port(ip: object, port: int) -> None:
    bare, bracketed = str(ip), f"[{ip}]" if ":" in str(ip) else str(ip)
    assert normalise_host(bare).port == 11434
    assert normalise_host(f"{bracketed}:{port}").port == port
    assert normalise_host(bare).host == normalise_host(f"{bracketed}:{port}").host


class TestTheServerInside:
    def test_is_meant_by_its_name(self) -> None:
        assert builtin_place(" builtin ") == "builtin"
        for other in ("", "builtin.example", "box:11434", "http://builtin"):
            assert builtin_place(other) is None

    def test_files_of_ones_own_are_full_paths(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert builtin_place("own.GGUF") == str(tmp_path / "own.GGUF")
        assert builtin_place("builtin:models") == str(tmp_path / "models")
        assert builtin_place("builtin:~/models") == str(Path.home() / "models")

    def test_an_address_with_a_scheme_is_no_file(self) -> None:
        assert builtin_place("http://127.0.0.1:8080/own.gguf") is None

    def test_its_models_have_its_name_before_theirs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert builtin_model("builtin:synthetic-114M") == "synthetic-114M"
        assert builtin_model("builtin:own.gguf") == str(tmp_path / "own.gguf")
        assert builtin_model("file:own.bin") == str(tmp_path / "own.bin")
        assert builtin_model("llama3.2:1b") is None

    def test_a_bare_file_is_not_asked_for_as_its_model(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("own.gguf").touch()
        Path("folder.gguf").mkdir()
        assert builtin_model("own.gguf") is None
        assert file_here("own.gguf") == str(tmp_path / "own.gguf")
        assert [file_here(name) for name in ("gone.gguf", "folder.gguf", "own")] == [None, None, None]
