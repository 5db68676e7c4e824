"""Names of servers for display."""

from __future__ import annotations

from llmtui.core.records import ServerKind
from llmtui.words import _


def server_words(kind: ServerKind, address: str) -> str:
    """Return a server with its protocol and address, suitable for a sentence."""
    where = address.removeprefix("http://").rstrip("/")
    if kind == "ollama":
        return _("Ollama at {where}").format(where=where)
    if kind == "openai":
        return _("an OpenAI-compatible server at {where}").format(where=where)
    return _("the built-in server")
