"""The server's part of Setup: who answers, naming another one, its models' details, and downloads."""

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
    """What Setup does with the server; what is done with its models is the subclass's."""

    server_line = getters.query_one(ServerLine)
    models = getters.query_one(ModelPicker)

    def __init__(self) -> None:
        super().__init__()
        self.listed: ModelsListed | None = None
        self.details = ModelDetails()
        self._found: tuple[FoundServer, ...] = ()
        """Servers on this machine's usual ports, looked for where the usual one does not answer."""
        self.fetched: str | None = None
        """A model that was just downloaded, until the server lists it."""

    @abstractmethod
    def show_models(self, listed: ModelsListed) -> None:
        """Show the server's models."""

    @abstractmethod
    def show_details(self) -> None:
        """Show what became known of models."""

    @abstractmethod
    def show_start(self) -> None:
        """Say what Enter does now."""

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
                self.ask_details(self.details.failed())  # its card says less: nobody asked for it by a key
            case CommandFailed():
                self.notify(whole_problem(message.reply.problem), severity="error", timeout=10)
            case _:
                if self.shell.connection.wanted is not None and self.listed is None:
                    self._connecting()

    def ask_details(self, command: ShowModel | None) -> None:
        """Ask for a model's details, unless a session runs: the server is left alone then."""
        if command is not None and not self.shell.running:
            self.shell.send(command)

    def _connecting(self) -> None:
        wanted = self.shell.connection.wanted
        assert wanted is not None
        self.server_line.connecting(wanted)
        self.models.say(_("Waiting for the server's answer …"))

    def show_server(self, server: ServerChanged) -> None:
        """Show who answers, or what to do where nobody does."""
        instead_of, installed = self.shell.connection.instead_of, self.shell.host.ollama_installed
        self.server_line.show(server, instead_of=instead_of, ollama_installed=installed)
        self.refresh_bindings()
        if server.problem is not None:
            self.listed = None
            self._say_absent(server)
            self.show_start()
            wanted = self.shell.connection.wanted
            if server.kind != "builtin" and server.problem.code in NO_ANSWER and wanted and wanted.named_by == "nobody":
                self.shell.send(FindServers())  # nobody asked for this one: another may be here

    def _say_absent(self, server: ServerChanged) -> None:
        host = self.shell.host
        has = {"builtin_available": host.builtin_available, "ollama_installed": host.ollama_installed}
        self.models.say(no_server_words(server, **has, found=self._found))

    def _offer(self, found: tuple[FoundServer, ...]) -> None:
        """Name the servers that were found on this machine; the field for another one holds the first."""
        self._found = found
        server = self.shell.feed.server
        if found and server is not None and server.problem is not None:
            self._say_absent(server)
        elif found and self.shell.connection.instead_of is not None:
            names = ", ".join(server_words(one.kind, one.address) for one in found)
            self.notify(_("{servers}: press s to use it.").format(servers=names), title=_("Found on this machine"))

    @property
    def can_use_builtin(self) -> bool:
        """Whether the built-in server could take the place of one that does not answer."""
        server = self.shell.feed.server
        is_absent = server is not None and server.problem is not None and server.kind != "builtin"
        return is_absent and self.shell.host.builtin_available

    def action_server(self) -> None:
        """Open the field for another server."""
        wanted, found = self.shell.connection.wanted, self._found
        usual = wanted is None or wanted.named_by == "nobody"
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
        """Keep the address for the next start, and in the list of servers."""
        known = self.shell.settings.servers or ()
        servers = known if not address or address in known else (address, *known)
        self.shell.remember(host=address or None, servers=servers or None)

    def action_refresh_models(self) -> None:
        """Ask the server again; where another one stands in for it, the one that was wanted."""
        wanted = self.shell.connection.wanted
        stood_in = self.shell.connection.instead_of is not None
        server = self.shell.feed.server
        if wanted is not None and (stood_in or server is None or server.problem is not None):
            self._connecting()
            self.shell.send(self.shell.connection.begin(wanted))
        else:
            self.shell.send(ListModels())

    def action_download(self) -> None:
        """Fetch a model to the server."""
        server = self.shell.feed.server
        if server is None or server.problem is not None or server.kind != "ollama":
            self.notify(_("Only an Ollama server can download models; none answers now."), severity="warning")
            return
        from llmtui.tui.screens.download import Download

        listed = () if self.listed is None else self.listed.models
        self.app.push_screen(Download(tuple(one.model.name for one in listed)), self._downloaded)

    def _downloaded(self, name: str | None) -> None:
        """Tick what was fetched as soon as the server lists it."""
        if name is not None:
            self.fetched = name
            self.action_refresh_models()
