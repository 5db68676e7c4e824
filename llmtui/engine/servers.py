"""Which backend talks to which server. Backends are imported when they are first needed: httpx alone takes 0.1 s."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from llmtui.backends.base import Backend
from llmtui.core.facts import ServerKind

OpenBackend = Callable[[ServerKind, str], Backend]


def open_backend(kind: ServerKind, address: str) -> Backend:
    """Gives a backend for a server; nothing is sent yet.

    Args:
        kind: the protocol.
        address: as the person wrote it; for the built-in server a GGUF file or a folder of them, or anything else for
            its own models only.

    Raises:
        BackendFailed: the address cannot be read.
    """
    if kind == "ollama":
        from llmtui.backends.ollama import OllamaBackend

        return OllamaBackend(address)
    if kind == "openai":
        from llmtui.backends.openai import OpenAiBackend

        return OpenAiBackend(address)
    from llmtui.backends.builtin import BuiltinBackend

    path = Path(address)
    return BuiltinBackend(gguf_paths=(path,) if path.exists() else ())


class Servers:
    """The backends that are open: one a server, kept so that connections and loaded models stay."""

    def __init__(self, open_one: OpenBackend = open_backend) -> None:
        self._open_one = open_one
        self._open: dict[tuple[ServerKind, str], Backend] = {}

    def backend(self, kind: ServerKind, address: str) -> Backend:
        """Gives the backend of a server.

        Raises:
            BackendFailed: the address cannot be read.
        """
        key = (kind, "" if kind == "builtin" else address)
        if key not in self._open:
            self._open[key] = self._open_one(kind, address)
        return self._open[key]

    async def close_all_but(self, kept: Backend | None) -> None:
        """Closes all others, which ends what they started."""
        for key, backend in list(self._open.items()):
            if backend is not kept:
                del self._open[key]
                await backend.aclose()
