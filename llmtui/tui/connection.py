"""The choice of the server; the built-in server replaces a default server that does not answer."""

from __future__ import annotations

from llmtui.core.commands import SetServer
from llmtui.core.events import ServerChanged

BUILTIN = SetServer(address="builtin", kind="builtin")
NO_ANSWER = ("refused", "no_connection", "silent", "unreachable", "unknown_host")


class ServerConnection:
    """State of the server choice, without side effects: takes events and returns commands to send.

    A server that the user named is never replaced. If the default server does not answer at startup, it is replaced by
    the built-in server, if that is available.
    """

    def __init__(self, *, builtin_available: bool) -> None:
        self.wanted: SetServer | None = None
        """The last server requested, by the user or at startup."""
        self.instead_of: ServerChanged | None = None
        """The default server that did not answer, if the built-in one has replaced it."""
        self._builtin_available = builtin_available
        self._unasked = False

    def begin(self, usual: SetServer) -> SetServer:
        """Return the command to send when the engine is ready.

        It selects the server that was requested last, or ``usual`` if none was.
        """
        if self.wanted is None:
            self.wanted = usual
            self._unasked = True
        self.instead_of = None
        return self.wanted

    def choose(self, server: SetServer) -> SetServer:
        """Return the command to send after the user named a server."""
        self.wanted = server
        self._unasked = False
        self.instead_of = None
        return server

    def heard(self, server: ServerChanged) -> SetServer | None:
        """Return the command to send after a server answered or failed to answer; None if nothing is to be sent.

        If the default server does not answer, the command selects the built-in server.
        """
        problem = server.problem
        if server.kind == "builtin" or problem is None or problem.code not in NO_ANSWER:
            if server.kind != "builtin":
                self.instead_of = None
            return None
        if not (self._unasked and self._builtin_available):
            return None
        self.instead_of = server
        return BUILTIN
