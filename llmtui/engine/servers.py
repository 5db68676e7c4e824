"""Which backend talks to which server. Backends are imported when they are first needed: httpx alone takes 0.1 s."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from llmtui.backends.base import Backend
from llmtui.core.facts import ServerKind

OpenBackend = Callable[[ServerKind, str], Backend]
API_KEY_VARIABLE: Final = "LLMTUI_API_KEY"
"""Key for servers that speak OpenAI's protocol. It comes through the environment, so that no command line, no plan and
no journal holds it."""


def open_backend(kind: ServerKind, address: str) -> Backend:
    """Gives a backend for a server; nothing is sent yet.

    Args:
        kind: the protocol.
        address: as the person wrote it; for the built-in server the full path of a GGUF file or of a folder of them,
            or anything else for its own models only.

    Raises:
        BackendFailed: the address cannot be read.
    """
    if kind == "ollama":
        from llmtui.backends.ollama import OllamaBackend

        return OllamaBackend(address)
    if kind == "openai":
        from llmtui.backends.openai import OpenAiBackend

        return OpenAiBackend(address, api_key=os.environ.get(API_KEY_VARIABLE, "").strip() or None)
    from llmtui.backends.builtin import BuiltinBackend

    return BuiltinBackend(gguf_paths=_gguf_paths(address))


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
        key = (kind, "".join(map(str, _gguf_paths(address))) if kind == "builtin" else address)
        if key not in self._open:
            self._open[key] = self._open_one(kind, address)
        return self._open[key]

    async def close_all_but(self, *kept: Backend) -> None:
        """Closes all others, which ends what they started."""
        for key, backend in list(self._open.items()):
            if backend not in kept:
                del self._open[key]
                await backend.aclose()


def _gguf_paths(address: str) -> Sequence[Path]:
    """The file or folder that the built-in server's address names; in a mixed plan it is another server's address."""
    path = Path(address)
    return (path,) if path.is_absolute() else ()
