"""Shell completion for arguments: models, categories and saved sessions.

No function here raises or prints an error, because the shell would show it inside the prompt.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import typer

from llmtui.cli.startup import Refused, Startup, load_startup, server_of

ANSWER_S: Final = 0.4
"""Longest wait for a server's list of models in seconds, because the user waits at the prompt."""
_SESSIONS_READ: Final = 8
_BREAKS: Final = (":", "=")
"""Characters at which bash splits a word (COMP_WORDBREAKS)."""


class _Named(msgspec.Struct):
    name: str = ""
    id: str = ""


class _Listed(msgspec.Struct):
    models: list[_Named] = []
    """The list in Ollama's protocol."""
    data: list[_Named] = []
    """The list in OpenAI's protocol."""


def complete_model(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the model names that begin with the incomplete word: those of the server and those of recent sessions."""
    of = _frame(ctx.params)
    if of is None:
        return []
    names = [*_served(of, ctx.params), *_measured(of)]
    return _beginning(names, incomplete)


def complete_category(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of categories that begin with the incomplete word."""
    of = _frame(ctx.params)
    return [] if of is None else _beginning([category.id for category in of.pack.categories], incomplete)


def complete_session(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return ``last``, baselines and saved sessions (newest first), if they begin with the incomplete word."""
    of = _frame(ctx.params)
    if of is None:
        return []
    return _beginning(["last", *_baselines(of), *(one.name for one in _sessions(of.results))], incomplete)


def for_bash(complete: Callable[[], object]) -> None:
    """Print the completions for the word at bash's cursor.

    The part up to the word's last colon is left out, because bash keeps it.
    """
    join_words(os.environ)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        complete()
    words, at = os.environ.get("COMP_WORDS", "").split("\n"), os.environ.get("COMP_CWORD", "")
    word = words[int(at)] if at.isdecimal() and int(at) < len(words) else ""
    value = word.partition("=")[2] if word.startswith("--") else word
    there = value[: value.rfind(":") + 1]
    for line in said.getvalue().splitlines():
        print(line.removeprefix(there))


def join_words(env: MutableMapping[str, str]) -> None:
    """Join the words that bash splits at a colon or an equals sign: ``llama3``, ``:``, ``8b`` become one name.

    Args:
        env: the environment with ``COMP_WORDS`` and ``COMP_CWORD``, which are replaced.
    """
    words, at = env.get("COMP_WORDS", "").split("\n"), env.get("COMP_CWORD", "")
    if len(words) < 2 or not at.isdecimal():
        return
    joined: list[str] = []
    place = 0
    for number, word in enumerate(words):
        is_break = bool(word) and set(word) <= set(_BREAKS)
        if joined and word and (is_break or joined[-1].endswith(_BREAKS)):
            joined[-1] += word
        else:
            joined.append(word)
        if number == int(at):
            place = len(joined) - 1
    env["COMP_WORDS"], env["COMP_CWORD"] = "\n".join(joined), str(place)


def _frame(given: Mapping[str, Any]) -> Startup | None:
    try:
        return load_startup({}, prompts=given.get("prompts"), results=given.get("results"))
    except (Refused, OSError):
        return None


def _beginning(names: Sequence[str], incomplete: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def _served(of: Startup, given: Mapping[str, Any]) -> list[str]:
    """Return the model names in the server's list; none if the server does not respond in time."""
    hosts = given.get("host") or (of.settings.host,)
    try:
        server = server_of(hosts[0])
    except Refused:
        return []
    if server.kind == "builtin":
        return []
    found: list[str] = []
    path = "models" if server.kind == "openai" else "api/tags"
    asking = Thread(target=lambda: found.extend(_asked(f"{server.address}/{path}")), daemon=True)
    asking.start()
    asking.join(ANSWER_S)
    return list(found)


def _asked(url: str) -> list[str]:
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=ANSWER_S)
    try:
        connection.request("GET", parts.path)
        listed = msgspec.json.decode(connection.getresponse().read(), type=_Listed)
    except (OSError, http.client.HTTPException, ValueError):
        return []
    finally:
        connection.close()
    return [one.name or one.id for one in (*listed.models, *listed.data) if one.name or one.id]


def _measured(of: Startup) -> Iterator[str]:
    """Yield the names of the models that the newest sessions measured."""
    from llmtui.core.events import BadLine, SessionStarted, decode_event
    from llmtui.core.pairing import is_imported
    from llmtui.store.session_folder import JOURNAL

    for folder in _sessions(of.results)[:_SESSIONS_READ]:
        try:
            with (folder / JOURNAL).open("rb") as file:
                first = decode_event(file.readline())
        except (OSError, BadLine):
            continue
        if isinstance(first, SessionStarted) and not is_imported(first.plan):
            yield from (contender.model.spelling for contender in first.plan.contenders)


def _baselines(of: Startup) -> list[str]:
    from llmtui.store.baselines import read_baselines

    try:
        return list(read_baselines(of.results))
    except (OSError, ValueError):
        return []


def _sessions(results: Path) -> list[Path]:
    """Return the folders of the saved sessions, newest first; their names begin with the time of the session."""
    from llmtui.store.session_folder import JOURNAL

    try:
        return sorted((one for one in results.iterdir() if (one / JOURNAL).is_file()), reverse=True)
    except OSError:
        return []
