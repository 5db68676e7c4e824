"""The process that serves an address of this machine: the one that holds the listening socket.

A process is never taken for the server because of its name alone. A server has no visible process if it is in a
container, behind a tunnel, or (without privileges) another user's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from llmtui.backends.base import ServerEndpoint
from llmtui.engine.sensors.processes import Listener, ProcessTable

FORWARDERS: Final = frozenset(
    {
        "docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "passt", "gvproxy", "wslrelay",
        "com.docker.backend", "kubectl", "ssh", "autossh", "sshd", "socat", "nginx", "haproxy", "caddy", "traefik",
        "envoy", "apache2", "httpd", "lighttpd", "litellm", "cloudflared", "tailscaled", "ngrok", "frpc", "stunnel",
        "stunnel4", "mitmproxy", "mitmdump", "mitmweb",
    }
)  # fmt: skip
"""Programs that listen on behalf of a server elsewhere. Their memory and CPU time are not the model's."""
_INIT: Final = 1
_WORKER: Final = ("--multiprocessing-fork", "VLLM::", "ray::", "sglang::", "gunicorn: worker")
"""Arguments, or beginnings of arguments, that mark a server's worker process: Python's own and those of several
servers.
"""


def server_process(
    place: ServerEndpoint, processes: ProcessTable, parents: Mapping[int, int], never: Collection[int]
) -> int | None:
    """Return the process that serves an address: the topmost of those that hold its listening socket.

    Args:
        place: the address and port at which the server listens.
        processes: the processes of this machine.
        parents: the parent of every process.
        never: pids that cannot be the server, such as llmtui's own.

    Returns:
        The pid; None if the process is not visible, if several unrelated processes listen, or if the listener is known
        to forward requests.
    """
    sockets = _asked(place, processes.listeners(place.port))
    if not sockets:
        return None
    if all(socket.pids for socket in sockets):
        top = _uppermost({pid for socket in sockets for pid in socket.pids}, parents)
    else:
        top = _only_ollama(sockets, processes)
    if top is None or top in never:
        return None
    top = _above_workers(top, processes, parents, never)
    return None if _forwards(processes.command_line(top)) else top


def descendants(pid: int, parents: Mapping[int, int], without: Collection[int] = ()) -> tuple[int, ...]:
    """Return the children of a process and all their descendants, in no order.

    Args:
        pid: the process.
        parents: the parent of every process.
        without: processes to leave out together with their descendants.
    """
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    waiting = list(children.get(pid, ()))
    while waiting:
        one = waiting.pop()
        if one not in without and one != pid and one not in found:
            found.append(one)
            waiting.extend(children.get(one, ()))
    return tuple(found)


def ancestors(pid: int, parents: Mapping[int, int]) -> tuple[int, ...]:
    """Return the parent of a process, its parent's parent, and so on."""
    found: list[int] = []
    above = parents.get(pid)
    while above is not None and above > 0 and above not in found:
        found.append(above)
        above = parents.get(above)
    return tuple(found)


def _asked(place: ServerEndpoint, listeners: Sequence[Listener]) -> list[Listener]:
    """Return the sockets that a client reaches: those bound to the exact address, else those bound to all addresses."""
    asked: list[Listener] = []
    for address in place.addresses:
        every = ("0.0.0.0", "::") if ipaddress.ip_address(address).version == 4 else ("::",)  # noqa: S104
        for spelling in (address, *every):
            found = [one for one in listeners if one.address == spelling]
            if found:
                asked += [one for one in found if one not in asked]
                break
    return asked


def _uppermost(holders: Collection[int], parents: Mapping[int, int]) -> int | None:
    """Return the process that is above all others that hold a socket; None if there is no such single process.

    Workers share their parent's socket, and init may hold one for a service.
    """
    held = set(holders) - {_INIT} or set(holders)
    tops = {pid for pid in held if not held.intersection(ancestors(pid, parents))}
    return tops.pop() if len(tops) == 1 else None


def _only_ollama(sockets: Iterable[Listener], processes: ProcessTable) -> int | None:
    """Return the only ``ollama serve`` process of the user who owns the listening socket.

    This is for sockets whose process is not visible: Ollama's packages run the server as a separate user.

    Returns:
        The pid; None if there are several such processes, or that user also runs a forwarding program.
    """
    owners = {socket.owner_uid for socket in sockets}
    if len(owners) != 1 or None in owners:
        return None
    found: list[int] = []
    for pid, arguments in processes.command_lines():
        if processes.owner(pid) in owners:
            if _forwards(arguments):
                return None
            if _program(arguments) == "ollama" and "serve" in arguments[1:]:
                found.append(pid)
    return found[0] if len(found) == 1 else None


def _above_workers(pid: int, processes: ProcessTable, parents: Mapping[int, int], never: Collection[int]) -> int:
    """Return the server process above a worker process; the process itself if it is not a worker.

    The server's other workers may hold the model, as with vLLM's engine cores.
    """
    arguments = processes.command_line(pid)
    above = parents.get(pid, 0)
    while arguments is not None and above > _INIT and above not in never:
        over = processes.command_line(above)
        is_worker = any(word.startswith(_WORKER) for word in arguments)
        if over is None or not (is_worker or over == arguments):
            return pid
        pid, arguments, above = above, over, parents.get(above, 0)
    return pid


def _forwards(arguments: Sequence[str] | None) -> bool:
    """Return whether a command line is a forwarding program's, even if that is a script or module of an interpreter."""
    if not arguments:
        return False
    words = {_program([word]) for word in arguments[:4] if not word.startswith("-")}
    is_script = _program(arguments).startswith(("python", "node", "ruby"))
    return bool(FORWARDERS.intersection(words if is_script else {_program(arguments)}))


def _program(arguments: Sequence[str]) -> str:
    """Return a program's name without its folder.

    Of a renamed process (``nginx: master``), it is the part before the colon.
    """
    name = re.split(r"[/\\]", arguments[0].split(" ")[0])[-1].lower()
    return name.removesuffix(":").removesuffix(".exe")
