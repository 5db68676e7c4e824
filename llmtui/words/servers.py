"""Names of servers as text."""

from __future__ import annotations

from llmtui.core.records import Fingerprint, ServerKind
from llmtui.words import _


def server_words(kind: ServerKind, address: str) -> str:
    """Return a server's name with its address, for use in a sentence: ``Ollama at 127.0.0.1:11434``."""
    where = address.removeprefix("http://").rstrip("/")
    if kind == "ollama":
        return _("Ollama at {where}").format(where=where)
    if kind == "openai":
        return _("an OpenAI-compatible server at {where}").format(where=where)
    return _("the built-in server")


def servers_line(fingerprint: Fingerprint) -> str:
    """Return the servers of a session with their versions: ``Ollama 0.34.4``."""
    servers = [(one.product, one.kind, one.version) for one in fingerprint.servers]
    if not servers:
        servers = [(None, fingerprint.server_kind, fingerprint.server_version)]
    return ", ".join(" ".join(filter(None, (product or _product(kind), version))) for product, kind, version in servers)


def _product(kind: ServerKind) -> str:
    return {"ollama": "Ollama", "openai": "OpenAI", "builtin": "llama.cpp"}[kind]
