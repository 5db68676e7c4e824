"""The backends of servers. Their modules are imported on first use, since httpx alone takes 0.1 s."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from llmtui.backends.base import Backend
from llmtui.config.access import Access, Accesses
from llmtui.config.address import is_this_machine
from llmtui.core.commands import SetServer
from llmtui.core.records import ServerKind

OpenBackend = Callable[[ServerKind, str, Access | None], Backend]


def open_backend(kind: ServerKind, address: str, access: Access | None) -> Backend:
    """Return a backend for a server; no request is sent yet.

    Args:
        kind: the protocol.
        address: the address as typed. For the built-in server: the full path of a GGUF file or of a folder of them, or
            any other text for its own models only.
        access: key or login for the server.

    Raises:
        BackendFailed: the address is malformed.
    """
    if kind == "ollama":
        from llmtui.backends.ollama import OllamaBackend

        return OllamaBackend(address, access=access)
    if kind == "openai":
        from llmtui.backends.openai import OpenAiBackend

        return OpenAiBackend(address, access=access)
    from llmtui.backends.builtin import BuiltinBackend

    return BuiltinBackend(gguf_paths=_gguf_paths(address))


class Servers:
    """The open backends, one per server. They stay open, so that connections and loaded models persist."""

    def __init__(self, open_one: OpenBackend = open_backend, accesses: Accesses | None = None) -> None:
        """Start without open backends.

        Args:
            open_one: opens a backend.
            accesses: keys and logins; None: those of the environment.
        """
        self._open_one = open_one
        self._accesses = Accesses(os.environ) if accesses is None else accesses
        self._open: dict[tuple[ServerKind, str, Access | None], Backend] = {}

    def name(self, server: SetServer) -> None:
        """Record who named a server, which decides whether it gets a key."""
        self._accesses.name(server.address, server.address_source, server.login)

    def secrets(self) -> tuple[str, ...]:
        """Return the keys and passwords that may be sent to servers. They must not appear in any event or file."""
        return self._accesses.secrets()

    def backend(self, kind: ServerKind, address: str) -> Backend:
        """Return the backend of a server; open it if necessary.

        Raises:
            BackendFailed: the address is malformed.
        """
        if kind == "builtin":
            access, place = None, "".join(map(str, _gguf_paths(address)))
        else:
            access, place = self._accesses.of(kind, address, is_loopback=is_this_machine(address)), address
        key = (kind, place, access)
        if key not in self._open:
            self._open[key] = self._open_one(kind, address, access)
        return self._open[key]

    async def close_all_but(self, *kept: Backend) -> None:
        """Close all backends except those given. Whatever a closed backend started is ended too."""
        for key, backend in list(self._open.items()):
            if backend not in kept:
                del self._open[key]
                await backend.aclose()


def _gguf_paths(address: str) -> Sequence[Path]:
    """Return the file or folder in the built-in server's address; empty if the address is that of another server."""
    path = Path(address)
    return (path,) if path.is_absolute() else ()
