"""Which server an interrupted session goes on with, and whether that server gets a key."""

from __future__ import annotations

import msgspec
import pytest

from llmtui.cli.resume import server_for
from llmtui.core.records import AddressSource
from tests.core.made import plan


@pytest.mark.parametrize(
    ("server", "host", "key", "source"),
    [
        ("https://box:8443", None, None, "session"),
        ("https://box:8443", "https://other:8443", None, "session"),
        ("https://box:8443", "http://box:8443", None, "session"),
        ("https://box:8443", "not an address", None, "session"),
        ("https://box:8443", "builtin", None, "session"),
        ("https://box:8443", "https://box:8443/v1", None, "settings"),
        ("https://box:8443", None, "sk-1", "settings"),
        ("http://127.0.0.1:8080", None, None, "settings"),
    ],
)
def test_an_address_in_a_session_is_not_one_that_the_user_named(
    server: str, host: str | None, key: str | None, source: AddressSource
) -> None:
    command = server_for(msgspec.structs.replace(plan("llama3"), server=server), host=host, key=key)
    assert (command.address, command.address_source) == (server, source)
