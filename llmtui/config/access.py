"""Keys and logins for servers: where they come from, and which servers each may be sent to.

They come from the environment, from a file or from a server's address. They are never part of a plan or a journal.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from llmtui.config.errors import SettingsError
from llmtui.config.toml_text import read_text
from llmtui.core.records import AddressSource

API_KEY = "LLMTUI_API_KEY"
USER = "LLMTUI_USER"
PASSWORD = "LLMTUI_PASSWORD"  # noqa: S105 - the name of a variable
PROTOCOL_KEYS = {"openai": "OPENAI_API_KEY", "ollama": "OLLAMA_API_KEY"}

_SHORTEST_SECRET = 8
_LOGIN = re.compile(r"(?<=://)[^/?#\s\"'”]*@|^[^/?#\s:]+:[^/?#\s]*@")


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The credentials of a request."""

    header: str
    """Value of the header ``Authorization``."""
    source: str
    """Where the credentials come from, for messages: the name of a variable, or "the address"."""


def origin_of(address: str) -> str:
    """Return scheme, host and port of a server's address; the default port is added if none is given."""
    parts = urlsplit(address if "://" in address else f"http://{address}")
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{parts.scheme}://{parts.hostname or ''}:{port or {'https': 443}.get(parts.scheme, 80)}"


def without_login(text: str) -> str:
    """Return the text with all user names and passwords removed from the addresses in it."""
    return _LOGIN.sub("", text)


def basic(login: str, source: str) -> Access:
    """Return credentials for HTTP basic authentication.

    Args:
        login: user name and password, separated by a colon.
        source: where they come from, for messages.
    """
    return Access(header=f"Basic {base64.b64encode(login.encode()).decode()}", source=source)


def read_key_file(path: Path) -> str:
    """Return the key in a file: its first line that is not blank.

    Raises:
        SettingsError: the file cannot be read, or has no key.
    """
    try:
        text = read_text(path)
    except FileNotFoundError as error:
        raise SettingsError("cannot_read", file=str(path), key="--api-key-file", why=error.strerror or "") from None
    except SettingsError as error:
        raise SettingsError(error.reason, file=error.file, key="--api-key-file", line=None, **error.facts) from None
    key = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if not _is_key(key):
        raise SettingsError("no_key", file=str(path), key="--api-key-file")
    return key


class Accesses:
    """The keys and logins for servers. A key is sent only to the first server that the user or the settings named."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._logins: dict[str, str] = {}
        self._named: dict[AddressSource, str] = {}
        """Origin of the first server named by the user, and of the first named by the user or the settings."""

    def name(self, address: str, source: AddressSource, login: str | None = None) -> None:
        """Record a server, with the login in its address.

        Args:
            address: the server's address without login.
            source: where the address comes from.
            login: user name and password, separated by a colon; None if the address had none.
        """
        origin = origin_of(address)
        if source in ("settings", "user"):
            self._named.setdefault("settings", origin)
        if source == "user":
            self._named.setdefault("user", origin)
        if login is not None:
            self._logins[origin] = login

    def of(self, kind: str, address: str, *, is_loopback: bool) -> Access | None:
        """Return the credentials for a server; None if there are none.

        The first available is used: the login in the server's address, LLMTUI_API_KEY, LLMTUI_USER with
        LLMTUI_PASSWORD, the key of the protocol (such as OPENAI_API_KEY). The protocol's key is sent only to a server
        that the user named, and to another machine only with encryption.
        """
        origin = origin_of(address)
        if origin in self._logins:
            return basic(self._logins[origin], "the address")
        if origin in self._named.values():
            if key := self._key(API_KEY):
                return Access(header=f"Bearer {key}", source=API_KEY)
            user, password = self._env.get(USER, ""), self._env.get(PASSWORD, "")
            if user and password:
                return basic(f"{user}:{password}", f"{USER}, {PASSWORD}")
        variable = PROTOCOL_KEYS.get(kind, "")
        is_safe = is_loopback or origin.startswith("https://")
        if self._named.get("user") == origin and is_safe and (key := self._key(variable)):
            return Access(header=f"Bearer {key}", source=variable)
        return None

    def secrets(self) -> tuple[str, ...]:
        """Return the keys and passwords that may be sent to servers, except those too short to recognise in a text."""
        given = [self._env.get(name, "").strip() for name in (API_KEY, PASSWORD, *PROTOCOL_KEYS.values())]
        given += [login.partition(":")[2] for login in self._logins.values()]
        return tuple(dict.fromkeys(secret for secret in given if len(secret) >= _SHORTEST_SECRET))

    def _key(self, variable: str) -> str | None:
        key = self._env.get(variable, "").strip()
        return key if _is_key(key) else None


def _is_key(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
