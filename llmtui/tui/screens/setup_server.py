"""The part of Setup about the server: its state, the choice of another one, model details, and downloads."""

from __future__ import annotations

from abc import abstractmethod

from textual import getters, on

from llmtui.config.access import without_login
from llmtui.core.commands import FindServers, ListModels, ShowModel
from llmtui.core.events import CommandFailed, FoundServer, ModelShown, ModelsListed, ServerChanged, ServersFound
from llmtui.tui.connection import NO_ANSWER
from llmtui.tui.feed import Replied
from llmtui.tui.host import BadAddress
from llmtui.tui.model_details import ModelDetails
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.text.no_server import no_server_words
from llmtui.tui.widgets.model_picker import ModelPicker
from llmtui.tui.widgets.server_line import ServerLine
from llmtui.words import _
from llmtui.words.problems import whole_problem
from llmtui.words.servers import server_words


class SetupServer(BaseScreen):
    """Base class of Setup with everything about the server; subclasses handle its models."""

    server_line = getters.query_one(ServerLine)
    models = getters.query_one(ModelPicker)

    def __init__(self) -> None:
        super().__init__()
        self.listed: ModelsListed | None = None
        self.details = ModelDetails()
        self._found: tuple[FoundServer, ...] = ()
        """Servers found on the usual ports of this machine.

        They are searched for if the default server does not answer.
        """
        self.fetched: str | None = None
        """Name of a model that was just downloaded, kept until the server lists it."""

    @abstractmethod
    def show_models(self, listed: ModelsListed) -> None:
        """Show the server's models."""

    @abstractmethod
    def show_details(self) -> None:
        """Show model details that have become known."""

    @abstractmethod
    def show_start(self) -> None:
        """Show the effect of Enter."""

    @on(Replied)
    def _heard(self, message: Replied) -> None:
        match message.reply:
            case ServerChanged():
                self.show_server(message.reply)
            case ModelsListed():
                self.show_models(message.reply)
                self.ask_details(self.details.list(message.reply.models))
            case ModelShown():
                self.ask_details(self.details.heard(message.reply))
                self.show_details()
            case ServersFound():
                self._offer(message.reply.servers)
            case CommandFailed(command="ShowModel"):
                self.ask_details(self.details.failed())  # not reported: no key requested it
            case CommandFailed():
                self.notify(whole_problem(message.reply.problem), severity="error", timeout=10)
            case _:
                if self.shell.connection.wanted is not None and self.listed is None:
                    self._connecting()

    def ask_details(self, command: ShowModel | None) -> None:
        """Request a model's details. During a session they would disturb it, so they wait until its end."""
        if command is None:
            return
        if self.shell.running:
            self.details.not_asked()
        else:
            self.shell.send(command)

    def _connecting(self) -> None:
        wanted = self.shell.connection.wanted
        assert wanted is not None
        self.server_line.connecting(wanted)
        self.models.say(_("Waiting for the server's answer …"))

    def show_server(self, server: ServerChanged) -> None:
        """Show which server answers, or what to do if none does."""
        instead_of, installed = self.shell.connection.instead_of, self.shell.host.ollama_installed
        self.server_line.show(server, instead_of=instead_of, ollama_installed=installed)
        self.refresh_bindings()
        if server.problem is not None:
            self.listed = None
            self._say_absent(server)
            self.show_start()
            wanted = self.shell.connection.wanted
            may_be_replaced = wanted is not None and wanted.address_source == "search"
            if may_be_replaced and server.kind != "builtin" and server.problem.code in NO_ANSWER:
                self.shell.send(FindServers())  # the user did not name this server

    def _say_absent(self, server: ServerChanged) -> None:
        host = self.shell.host
        has = {"builtin_available": host.builtin_available, "ollama_installed": host.ollama_installed}
        self.models.say(no_server_words(server, **has, found=self._found))

    def _offer(self, found: tuple[FoundServer, ...]) -> None:
        """Show the servers that were found on this machine; the field for an address will start with the first one."""
        self._found = found
        server = self.shell.feed.server
        if found and server is not None and server.problem is not None:
            self._say_absent(server)
        elif found and self.shell.connection.instead_of is not None:
            names = ", ".join(server_words(one.kind, one.address) for one in found)
            self.notify(_("{servers}: press s to switch.").format(servers=names), title=_("Found on this machine"))

    @property
    def can_use_builtin(self) -> bool:
        """Whether the built-in server can be used in place of a server that does not answer."""
        server = self.shell.feed.server
        is_absent = server is not None and server.problem is not None and server.kind != "builtin"
        return is_absent and self.shell.host.builtin_available

    def action_server(self) -> None:
        """Open the field to choose another server."""
        wanted, found = self.shell.connection.wanted, self._found
        usual = wanted is None or wanted.address_source == "search"
        address = found[0].address if found and usual else "" if wanted is None else wanted.address
        self.server_line.edit(address, self.shell.settings.servers or ())

    def action_builtin(self) -> None:
        """Use the built-in server."""
        self._use("builtin")

    @on(ServerLine.Kept)
    def _server_kept(self) -> None:
        self.models.models.focus()

    @on(ServerLine.Chosen)
    def _server_chosen(self, event: ServerLine.Chosen) -> None:
        self._use(event.address)

    def _use(self, address: str) -> None:
        try:
            server = self.shell.host.server_of(address or None)
        except BadAddress as error:
            self.notify(str(error), title=_("That is not an address"), severity="error")
            self.server_line.edit(address, self.shell.settings.servers or ())
            return
        self.listed = None
        if self.shell.send(self.shell.connection.choose(server)):
            self._connecting()
            if server.kind != "builtin":
                self._remember(without_login(address))
        self.show_start()

    def _remember(self, address: str) -> None:
        """Save the address as the default and in the list of known servers."""
        known = self.shell.settings.servers or ()
        servers = known if not address or address in known else (address, *known)
        self.shell.remember(host=address or None, servers=servers or None)

    def action_refresh_models(self) -> None:
        """Request the list of models again.

        If the server did not answer, or the built-in one replaced it, connect to it again.
        """
        wanted = self.shell.connection.wanted
        stood_in = self.shell.connection.instead_of is not None
        server = self.shell.feed.server
        if wanted is not None and (stood_in or server is None or server.problem is not None):
            self._connecting()
            self.shell.send(self.shell.connection.begin(wanted))
        else:
            self.shell.send(ListModels())

    def action_download(self) -> None:
        """Open the dialog to download a model to the server."""
        server = self.shell.feed.server
        if server is None or server.problem is not None or server.kind != "ollama":
            self.notify(_("Only an Ollama server can download models; none answers now."), severity="warning")
            return
        from llmtui.tui.screens.download import Download

        listed = () if self.listed is None else self.listed.models
        self.app.push_screen(Download(tuple(one.model.name for one in listed)), self._downloaded)

    def _downloaded(self, name: str | None) -> None:
        """Request the list of models again; the downloaded model is ticked as soon as it is listed."""
        if name is not None:
            self.fetched = name
            self.action_refresh_models()
