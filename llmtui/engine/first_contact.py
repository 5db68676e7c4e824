"""Detection of the protocol at an address, and of servers on this machine's usual ports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from llmtui.backends.base import Backend, BackendFailed, ServerInfo
from llmtui.config.access import Accesses
from llmtui.config.interfaces import interfaces
from llmtui.core.codes import ProblemCode
from llmtui.core.commands import SetServer
from llmtui.core.events import FoundServer
from llmtui.core.records import Problem
from llmtui.engine.servers import OpenBackend, Servers, open_backend

COMMON_PORTS: Final = (11434, 8080, 1234, 8000)
"""Default ports of Ollama, llama.cpp, LM Studio and vLLM."""
_PORT_LIMIT_S: Final = 0.3
_FIND_LIMIT_S: Final = 2.0

_NOTHING_SAID: Final[tuple[ProblemCode, ...]] = (
    "no_such_model", "model_not_there", "not_known", "no_such_path", "not_openai", "not_ollama",
)  # fmt: skip
_LET_IN: Final[tuple[ProblemCode, ...]] = ("key_refused", "needs_key", "needs_login", "key_wanted")
"""Problem codes that prove that the named server exists. Any other server at that host is then not tried."""
_ANOTHER: Final[tuple[ProblemCode, ...]] = (
    "key_refused", "needs_key", "needs_login", "key_wanted", "sign_in", "sign_in_model", "forbidden", "forbidden_host",
    "redirect", "redirect_unnamed", "redirected", "proxy", "server_error", "error_status", "failed_http", "bad_status",
    "failed_silently", "web_page", *_NOTHING_SAID,
)  # fmt: skip
"""Problem codes after which the server may still be at another path; the most informative first."""


class Contact(NamedTuple):
    """A server that was found."""

    backend: Backend
    info: ServerInfo
    chosen: SetServer
    """The command that selects the server, with the protocol and the address at which it was found."""


async def first_contact(servers: Servers, chosen: SetServer) -> Contact:
    """Find the server at an address, first with the protocol that the address suggests, then at the usual paths.

    Raises:
        BackendFailed: no server responds as expected. The exception has the most informative problem of all attempts.
    """
    failures: list[Problem] = []
    for server in _candidates(chosen):
        backend = servers.backend(server.kind, server.address)
        try:
            return Contact(backend, await backend.info(), server)
        except BackendFailed as failed:
            code = failed.problem.code
            if code not in _ANOTHER or (code in _LET_IN and server.kind == "openai" == chosen.kind):
                raise
            failures.append(failed.problem)
    raise BackendFailed(_explanation(failures, chosen))


async def find_servers(
    open_one: OpenBackend = open_backend, ports: tuple[int, ...] = COMMON_PORTS
) -> tuple[FoundServer, ...]:
    """Return the model servers on the given ports of this machine. No key is sent to them."""
    servers = Servers(open_one, Accesses({}))
    try:
        found = await asyncio.gather(*(_found_at(servers, port) for port in ports))
    finally:
        await servers.close_all_but()
    return tuple(one for one in found if one is not None)


async def _found_at(servers: Servers, port: int) -> FoundServer | None:
    with suppress(OSError, TimeoutError, BackendFailed):
        async with asyncio.timeout(_PORT_LIMIT_S):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        chosen = SetServer(address=f"http://127.0.0.1:{port}", kind="ollama" if port == COMMON_PORTS[0] else "openai")
        async with asyncio.timeout(_FIND_LIMIT_S):
            info = (await first_contact(servers, chosen)).info
        return FoundServer(address=info.address, kind=info.kind, version=info.version)
    return None


def _candidates(chosen: SetServer) -> Iterator[SetServer]:
    """Yield the server as named, then other protocols and addresses at which it may be."""
    yield chosen
    if chosen.kind == "builtin":
        return
    url = chosen.address if "://" in chosen.address else f"http://{chosen.address}"
    for one in interfaces(url, chosen.kind):
        if (one.kind, one.address) != (chosen.kind, chosen.address):
            yield msgspec.structs.replace(chosen, kind=one.kind, address=one.address)


def _explanation(failures: Sequence[Problem], chosen: SetServer) -> Problem:
    """Return the most informative of several problems: a login or a redirect rather than "not found"."""
    best = min(failures, key=lambda problem: _ANOTHER.index(problem.code))
    if best.code not in _NOTHING_SAID:
        return best
    where = chosen.address.removeprefix("http://")
    return Problem(code="no_model_server", args={"where": where})
