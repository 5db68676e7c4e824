"""The text in place of the models if no server answers: the reason, and the ways to get a server."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from llmtui.config.address import is_this_machine
from llmtui.core.events import FoundServer, ServerChanged
from llmtui.core.records import ServerKind
from llmtui.words import _
from llmtui.words.install import install_command
from llmtui.words.problems import problem_remedy
from llmtui.words.servers import server_words


def no_server_words(
    server: ServerChanged, *, builtin_available: bool, ollama_installed: bool, found: Sequence[FoundServer] = ()
) -> Content:
    """Return the text for a server that has a problem.

    It lists the servers that were found on this machine, and the other ways to get a server.
    """
    assert server.problem is not None
    lines = list[Content]()
    for one in found:
        lines += _way(
            _("Found {server}: press s, then Enter.").format(server=server_words(one.kind, one.address)), one.address
        )
    remedy = problem_remedy(server.problem)
    if server.kind == "openai":
        lines.append(Content(remedy or _("Start that server, or use another one with s.")))
    elif server.kind == "ollama" and not is_this_machine(server.address):
        lines.append(Content(remedy))
    else:
        if server.kind == "builtin":
            lines.append(Content(remedy))
        lines += _ways_to_ollama(installed=ollama_installed)
    if server.kind != "builtin":
        if builtin_available:
            lines += [Content(), Content(_("Or press b to use the built-in server."))]
        else:
            lines += _way(_("Or install the built-in server:"), install_command())
    lines += [Content(), Content.styled(_("r refreshes; s uses another server."), "dim")]
    while not lines[0].plain:
        del lines[0]
    return Content("\n").join(lines)


def no_models_words(kind: ServerKind) -> str:
    """Return the text for a server that lists no models."""
    if kind == "openai":
        return _(
            "This server lists no models.\n\nLoad one there, or measure one by its name: llmtui run --host … -m NAME."
        )
    return _("This server has no models yet.\n\nPress d to download one: llama3.2:1b is small and quick to try.")


def _ways_to_ollama(*, installed: bool) -> list[Content]:
    if installed:
        words = _("Ollama is installed here but does not answer. Start it in another terminal:")
        return _way(words, "ollama serve")
    return _way(_("Ollama runs models on this machine. Get it here:"), "https://ollama.com/download")


def _way(words: str, command: str) -> list[Content]:
    return [Content(), Content(words), Content.assemble("  ", (f" {command} ", "bold $accent on $panel"))]
