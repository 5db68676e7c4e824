"""The line about the server: its name and address, or why it does not answer; a field to choose another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from llmtui.config.address import is_this_machine
from llmtui.core.commands import SetServer
from llmtui.core.events import ServerChanged
from llmtui.words import _
from llmtui.words.problems import problem_what


class ServerField(Input):
    """Text field for a server's address."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", _("Keep the server"), id="keep_server"),
        Binding("enter", "submit", _("Connect"), id="connect"),
        Binding(
            "down", "known(1)", _("Servers used before"), id="next_server", tooltip=_("Choose a server used before")
        ),
        Binding("up", "known(-1)", _("Servers used before"), show=False, tooltip=_("Choose a server used before")),
    ]
    HELP = _(
        """
        ## Another server
        - **127.0.0.1:11434** or **box:11434**: an Ollama server
        - an address that ends in **/v1**: an OpenAI-compatible server
        - **builtin**: llama.cpp inside llmtui

        **Down** goes through the servers used before.
        """
    )

    known: tuple[str, ...] = ()
    """Addresses of servers that were used before."""

    def action_known(self, by: int) -> None:
        """Show the next (1) or previous (-1) known address."""
        if self.known:
            at = self.known.index(self.value) + by if self.value in self.known else 0
            self.value = self.known[at % len(self.known)]
            self.cursor_position = len(self.value)

    def action_give_up(self) -> None:
        """Leave the field without a change."""
        self.post_message(ServerLine.Kept())


class ServerLine(Vertical):
    """Line about the server; ``edit`` opens the field for another address."""

    DEFAULT_CSS = """
    ServerLine {
        height: auto;
        padding: 0 1;
        & > Static { text-wrap: wrap; max-height: 3; }
        & > ServerField { display: none; }
        &.-editing > Static { display: none; }
        &.-editing > ServerField { display: block; }
    }
    """

    @dataclass
    class Chosen(Message):
        """Posted when the user has entered an address."""

        address: str

    class Kept(Message):
        """Posted when the user has left the field without a change."""

    def compose(self) -> ComposeResult:
        """Yield the line; the field is added when it is first opened."""
        yield Static(Content.styled(_("Starting the measuring process …"), "dim"))

    def _say(self, content: Content) -> None:
        self.query_exactly_one("ServerLine > Static", Static).update(content)

    def connecting(self, to: SetServer) -> None:
        """Show that a server is being contacted."""
        where = _("the built-in server") if to.kind == "builtin" else _plain(to.address)
        self._say(Content.styled(_("Connecting to {server} …").format(server=where), "dim"))

    def show(self, server: ServerChanged, *, instead_of: ServerChanged | None, ollama_installed: bool = False) -> None:
        """Show which server answers, or why none does.

        Args:
            server: the server's state.
            instead_of: the server that did not answer, if this one replaces it.
            ollama_installed: whether Ollama is installed on this machine, so that it could be started.
        """
        if server.problem is not None:
            # The remedy is shown in place of the list of models.
            self._say(Content.assemble(("✗ ", "bold $text-error"), problem_what(server.problem)))
            return
        name = _server_name(server) if instead_of is None else _("Built-in server")
        parts = [("● ", "bold $success"), (name, "bold")]
        if server.kind == "builtin":
            if instead_of is not None:
                told = _("no Ollama at {address}").format(address=_plain(instead_of.address))
                startable = ollama_installed and is_this_machine(instead_of.address)
                again = _("start it: ollama serve, then r") if startable else _("r refreshes")
                parts += [("  ", ""), (f"{told} ({again})", "$warning")]
        else:
            parts += [("  ", ""), (_plain(server.address), ""), ("  ", "")]
            if server.local is True:
                parts.append((_("on this machine"), "dim"))
            elif server.local is False:
                parts.append((_("on another machine: memory and CPU are not visible from here"), "dim"))
        self._say(Content.assemble(*parts))

    def edit(self, address: str, known: Sequence[str] = ()) -> None:
        """Open the field with an address in it; Up and Down go through the known addresses."""
        fields = self.query(ServerField)
        field = fields.first() if fields else ServerField(compact=True, placeholder="127.0.0.1:11434")
        if not fields:
            self.mount(field)
        field.value = address
        field.known = tuple(known)
        self.add_class("-editing")
        self.call_after_refresh(field.focus)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()
        self.post_message(self.Chosen(event.value.strip()))

    @on(Kept)
    def close(self) -> None:
        """Close the field."""
        self.remove_class("-editing")


def _plain(address: str) -> str:
    return address.removeprefix("http://")


def _server_name(server: ServerChanged) -> str:
    name = {"ollama": "Ollama", "openai": _("OpenAI protocol"), "builtin": _("Built-in server")}[server.kind]
    return f"{name} {server.version}" if server.version else name
