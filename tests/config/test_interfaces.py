"""Where a server is looked for, given what a person typed."""

from __future__ import annotations

import pytest

from llmtui.config.interfaces import Protocol, interfaces, protocol_of


@pytest.mark.parametrize(
    ("typed", "protocol"),
    [
        ("http://box:8080", "ollama"),
        ("http://box/ollama", "ollama"),
        ("http://box/api", "ollama"),
        ("http://box/v1", "openai"),
        ("http://box/V1", "openai"),
        ("http://box/v3", "openai"),
        ("http://box/openai/v1/", "openai"),
        ("http://box/v1/chat/completions", "openai"),
        ("http://box/v1/models", "openai"),
        ("http://box/api/chat", "ollama"),
    ],
)
def test_the_path_says_which_protocol_is_asked_first(typed: str, protocol: Protocol) -> None:
    assert protocol_of(typed) == protocol


@pytest.mark.parametrize(
    ("typed", "places"),
    [
        ("http://box:1", ["ollama http://box:1", "openai http://box:1/v1", "openai http://box:1/"]),
        ("http://box/V1", ["openai http://box/V1", "openai http://box/v1", "ollama http://box"]),
        ("http://box/v3", ["openai http://box/v3", "openai http://box/v1", "ollama http://box"]),
        ("http://box/api", ["ollama http://box", "openai http://box/api/v1", "openai http://box/api/"]),
        ("http://box/gate/v1/chat/completions", ["openai http://box/gate/v1", "ollama http://box/gate"]),
        ("http://box/api/tags", ["ollama http://box", "openai http://box/api/v1", "openai http://box/api/"]),
    ],
)
def test_what_the_address_says_comes_first(typed: str, places: list[str]) -> None:
    found = [f"{one.kind} {one.address}" for one in interfaces(typed, protocol_of(typed))]
    assert found[: len(places)] == places
    assert len(found) <= 7
    assert len(set(found)) == len(found)
