"""What stands in place of the models where no server answers: why, and each way to get one."""

from __future__ import annotations

from textual.content import Content

from llmtui.core.events import ServerChanged
from llmtui.words import _


def no_server_words(server: ServerChanged, *, builtin_available: bool, ollama_installed: bool) -> Content:
    """Gives the empty state of a server with a problem."""
    assert server.problem is not None
    lines = [Content.styled(server.problem.what, "bold")]
    if server.kind == "builtin":
        lines.append(Content(server.problem.remedy or ""))
    elif server.kind == "openai":
        lines.append(Content(server.problem.remedy or _("Start that server, or name another one with s.")))
    elif ollama_installed:
        lines += _way(_("Ollama is installed here but does not answer. Start it in another terminal:"), "ollama serve")
    else:
        lines += _way(_("Ollama runs models on this machine. Get it here:"), "https://ollama.com/download")
    if server.kind != "builtin":
        if builtin_available:
            lines += _way(_("Or use the server inside this program: press s and type"), "builtin")
        else:
            lines += _way(_("Or add a small server to this program:"), "pip install 'llmtui[builtin]'")
    lines += [Content(), Content.styled(_("r looks again; s names another server."), "dim")]
    return Content("\n").join(lines)


def _way(words: str, command: str) -> list[Content]:
    return [Content(), Content(words), Content.assemble("  ", (f" {command} ", "bold $accent on $panel"))]
