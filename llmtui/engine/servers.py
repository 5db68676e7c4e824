"""Which backend talks to which server. Backends are imported when they are first needed: httpx alone takes 0.1 s."""

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
    """Return a backend for a server; nothing is sent yet.

    Args:
        kind: the protocol.
        address: as the person wrote it; for the built-in server the full path of a GGUF file or of a folder of them,
            or anything else for its own models only.
        access: what the server may be shown.

    Raises:
        BackendFailed: the address cannot be read.
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
    """The backends that are open: one a server, kept so that connections and loaded models stay."""

    def __init__(self, open_one: OpenBackend = open_backend, accesses: Accesses | None = None) -> None:
        """Begin with none.

        Args:
            open_one: opens a backend.
            accesses: keys and logins; those of the environment if None.
        """
        self._open_one = open_one
        self._accesses = Accesses(os.environ) if accesses is None else accesses
        self._open: dict[tuple[ServerKind, str, Access | None], Backend] = {}

    def name(self, server: SetServer) -> None:
        """Take note of who named a server, on which it depends what it may be shown."""
        self._accesses.name(server.address, server.named_by, server.login)

    def secrets(self) -> tuple[str, ...]:
        """Return the keys and passwords that may be sent, and must not come back in what is told or kept."""
        return self._accesses.secrets()

    def backend(self, kind: ServerKind, address: str) -> Backend:
        """Return the backend of a server.

        Raises:
            BackendFailed: the address cannot be read.
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
        """Close all others, which ends what they started."""
        for key, backend in list(self._open.items()):
            if backend not in kept:
                del self._open[key]
                await backend.aclose()


def _gguf_paths(address: str) -> Sequence[Path]:
    """The file or folder that the built-in server's address names; in a mixed plan it is another server's address."""
    path = Path(address)
    return (path,) if path.is_absolute() else ()
