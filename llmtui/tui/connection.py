"""The choice of the server, and its replacement where it does not answer."""

from __future__ import annotations

from llmtui.core.commands import SetServer
from llmtui.core.events import ServerChanged

BUILTIN = SetServer(address="builtin", kind="builtin")
NO_ANSWER = ("refused", "no_connection", "silent", "unreachable", "unknown_host")


class ServerConnection:
    """Pure state: it receives what happens, and returns what to send.

    A server that the user named is never replaced. The default one at the start is, where it does not § answer: by the
    built-in server, if there is one.
    """

    def __init__(self, *, builtin_available: bool) -> None:
        self.wanted: SetServer | None = None
        """The last requested server, by the user or at the start."""
        self.instead_of: ServerChanged | None = None
        """The server that did not answer, where the built-in one replaces it."""
        self._builtin_available = builtin_available
        self._unasked = False

    def begin(self, usual: SetServer) -> SetServer:
        """Return what to send when the engine is ready: the server requested before, else the default one."""
        if self.wanted is None:
            self.wanted = usual
            self._unasked = True
        self.instead_of = None
        return self.wanted

    def choose(self, server: SetServer) -> SetServer:
        """Return what to send after the user named a server."""
        self.wanted = server
        self._unasked = False
        self.instead_of = None
        return server

    def heard(self, server: ServerChanged) -> SetServer | None:
        """Return what to send after news of a server: the built-in one in place of one that does not answer."""
        problem = server.problem
        if server.kind == "builtin" or problem is None or problem.code not in NO_ANSWER:
            if server.kind != "builtin":
                self.instead_of = None
            return None
        if not (self._unasked and self._builtin_available):
            return None
        self.instead_of = server
        return BUILTIN
