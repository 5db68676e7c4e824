"""Setup: all choices before a run, on one screen. Enter starts from any list."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import ClassVar

import msgspec
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from llmtui.config.access import without_login
from llmtui.core.choices import Choices, Preset
from llmtui.core.commands import FindServers, ListModels
from llmtui.core.estimate import PastSpeed, estimate
from llmtui.core.events import CommandFailed, FoundServer, ModelsListed, ServerChanged, ServersFound
from llmtui.core.plan import BUILTIN, Plan
from llmtui.core.planning import (
    FULL_ANSWER_TOKENS,
    NothingToRun,
    default_categories,
    default_models,
    make_free_plan,
    make_plan,
)
from llmtui.tui.background import in_background
from llmtui.tui.connection import NO_ANSWER
from llmtui.tui.feed import Replied, SessionChanged
from llmtui.tui.host import BadAddress
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.setup_keys import setup_bindings
from llmtui.tui.text.no_server import no_models_words, no_server_words
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.tui.widgets.model_picker import ModelPicker
from llmtui.tui.widgets.options_panel import OptionsPanel
from llmtui.tui.widgets.others_line import OthersLine
from llmtui.tui.widgets.pick_list import PickList
from llmtui.tui.widgets.preset_line import PresetLine
from llmtui.tui.widgets.prompt_picker import PromptPicker
from llmtui.tui.widgets.server_line import ServerLine
from llmtui.tui.widgets.start_line import StartLine
from llmtui.words import _
from llmtui.words.problems import problem_what, whole_problem
from llmtui.words.servers import server_words


class SetupScreen(BaseScreen):
    """Server, models, prompts, preset; and the expected duration."""

    PLACE = "setup"
    CSS_PATH = "../styles/setup.tcss"
    AUTO_FOCUS = "ModelOptions"
    BINDINGS: ClassVar[list[BindingType]] = [*setup_bindings()]
    HELP = _(
        """
        # Setup
        Pick models and prompt categories, then press **Enter**. The other options have sensible defaults. The first
        answer appears a moment later on the Live screen.
        """
    )

    server_line = getters.query_one(ServerLine)
    models = getters.query_one(ModelPicker)
    prompts = getters.query_one(PromptPicker)
    others = getters.query_one(OthersLine)
    preset = getters.query_one(PresetLine)
    options = getters.query_one(OptionsPanel)
    start_line = getters.query_one(StartLine)

    def __init__(self) -> None:
        """Create the screen with the last choices."""
        super().__init__()
        self._all_prompts = False
        self._listed: ModelsListed | None = None
        self._past: Mapping[str, PastSpeed] = {}
        self._own_text = ""
        self._fetched: str | None = None
        self._found: tuple[FoundServer, ...] = ()
        """Servers on this machine's usual ports, looked for where the default one does not answer."""

    def compose_body(self) -> ComposeResult:
        """Yield the server above, models and prompts side by side, the rest below."""
        settings = self.shell.settings
        yield ServerLine()
        yield OthersLine("unload" if settings.unload_others else "keep")
        with Horizontal(id="lists"):
            with Vertical(id="models-box", classes="box") as box:
                box.border_title = _("Models")
                yield ModelPicker()
            with Vertical(id="prompts-box", classes="box") as box:
                box.border_title = _("Prompts")
                yield PromptPicker(self.shell.host.pack)
        yield PresetLine(settings.preset)
        yield OptionsPanel(settings)
        yield StartLine()

    def on_mount(self) -> None:
        """Show what is known before any answer."""
        self.prompts.show(default_categories(self.shell.host.pack, self.shell.settings.categories))
        self._show_start()
        self._read_past()

    def on_screen_resume(self) -> None:
        """Ask again which models are in memory, which may have changed while another screen was visible."""
        super().on_screen_resume()
        feed = self.shell.feed
        if feed.server is not None:
            self._show_server(feed.server)
        if feed.models is not None and feed.models is not self._listed:
            self._show_models(feed.models)
        if self._listed is not None and not self.shell.running:
            self.shell.send(ListModels())
        self._show_start()

    @in_background("past_speeds")
    def _read_past(self) -> None:
        past = self.shell.host.past_speeds()
        self.call_later(self._take_past, past)

    def _take_past(self, past: Mapping[str, PastSpeed]) -> None:
        self._past = past
        self._show_start()

    # --- events of the engine ---

    @on(Replied)
    def _heard(self, message: Replied) -> None:
        match message.reply:
            case ServerChanged():
                self._show_server(message.reply)
            case ModelsListed():
                self._show_models(message.reply)
            case ServersFound():
                self._offer(message.reply.servers)
            case CommandFailed():
                problem = message.reply.problem
                self.notify(whole_problem(problem), severity="error", timeout=10)
            case _:
                if self.shell.connection.wanted is not None and self._listed is None:
                    self.server_line.connecting(self.shell.connection.wanted)

    @on(SessionChanged)
    def _session_moved(self) -> None:
        self._show_start()

    def _show_server(self, server: ServerChanged) -> None:
        instead_of, installed = self.shell.connection.instead_of, self.shell.host.ollama_installed
        self.server_line.show(server, instead_of=instead_of, ollama_installed=installed)
        if server.problem is not None:
            self._listed = None
            self._say_absent(server)
            self._show_start()
            wanted = self.shell.connection.wanted
            if server.kind != "builtin" and server.problem.code in NO_ANSWER and wanted and wanted.named_by == "nobody":
                self.shell.send(FindServers())  # not named by the user: another one may be on this machine

    def _say_absent(self, server: ServerChanged) -> None:
        host = self.shell.host
        has = {"builtin_available": host.builtin_available, "ollama_installed": host.ollama_installed}
        self.models.say(no_server_words(server, **has, found=self._found))

    def _offer(self, found: tuple[FoundServer, ...]) -> None:
        """Show the servers found on this machine; the field for another one has the first."""
        self._found = found
        server = self.shell.feed.server
        if found and server is not None and server.problem is not None:
            self._say_absent(server)
        elif found and self.shell.connection.instead_of is not None:
            names = ", ".join(server_words(one.kind, one.address) for one in found)
            self.notify(_("{servers}: press s to use it.").format(servers=names), title=_("Found on this machine"))

    def _show_models(self, listed: ModelsListed) -> None:
        first = self._listed is None
        self._listed = listed
        names = [one.model.spelling for one in listed.models]
        still = self.models.models.picked.intersection(names)
        kind = "ollama" if self.shell.feed.server is None else self.shell.feed.server.kind
        usual = default_models(listed.models, self.shell.settings.models, server=kind)
        fetched = {name for name in names if self._fetched in (name, name.removesuffix(":latest"))}
        if fetched:
            self._fetched = None
        if listed.models:
            self.models.show(listed, {*(usual if first or not still else still), *fetched})
            if first and self.focused is None:
                self.models.models.focus()
        else:
            self.models.say(no_models_words(kind))
        self._show_start()

    # --- consequences of the choices ---

    def plan(self) -> Plan:
        """Return the plan that Enter starts.

        Raises:
            NothingToRun: nothing is picked.
        """
        return make_plan(
            self.models.picked,
            self.shell.host.pack,
            server="" if self._listed is None else self._listed.address,
            categories=self.prompts.picked,
            choices=self._choices(),
            seed=_seed(),
        )

    def _choices(self) -> Choices:
        return msgspec.structs.replace(
            self.options.values,
            preset=self.preset.value,
            all_prompts=self._all_prompts,
            unload_others=self.others.value == "unload",
        )

    def _show_start(self) -> None:
        """Show what Enter does, and the number of picked items."""
        self._show_counts()
        if self.shell.running:
            self.start_line.running()
            return
        try:
            plan = self.plan()
        except NothingToRun as error:
            self.start_line.not_ready(self._why_not_ready(error))
            return
        listed = self._listed.models if self._listed is not None else ()
        self.start_line.ready(plan, estimate(plan, listed, self._past))

    def _why_not_ready(self, error: NothingToRun) -> str:
        server = self.shell.feed.server
        if self._listed is None:
            waiting = server is None or server.problem is None
            return _("Waiting for the server.") if waiting else _("No server answers.")
        if server is not None and all(one.model.backend != server.kind for one in self._listed.models):
            return _("This server has no models yet: d downloads one, or tick a built-in one.")
        return problem_what(error.problem)

    def _show_counts(self) -> None:
        box, total = self.query_exactly_one("#models-box"), len(self._listed.models) if self._listed else 0
        box.border_subtitle = _("{n} of {total} picked").format(n=len(self.models.picked), total=total) if total else ""
        box = self.query_exactly_one("#prompts-box")
        total = len(self.shell.host.pack.categories)
        box.border_subtitle = _("{n} of {total} picked").format(n=len(self.prompts.picked), total=total)
        picked = {model.digest for model in self.models.picked}
        # While only built-in models are picked, the server is not used.
        inside = {model.backend for model in self.models.picked} == {BUILTIN}
        resident = () if self._listed is None or inside else self._listed.resident
        self.others.show([one for one in resident if one.digest not in picked])

    @on(PickList.Changed)
    @on(PresetLine.Changed)
    @on(OptionsPanel.Changed)
    def _picked(self) -> None:
        self._show_start()

    # --- keys ---

    def action_start(self) -> None:
        """Run the picked items; show the current run if there is one."""
        if self.shell.running:
            self.shell.show("live")
            return
        try:
            plan = self.plan()
        except NothingToRun as error:
            self.notify(whole_problem(error.problem), severity="warning")
            return
        self._remember()
        self.shell.start(plan)

    def _remember(self) -> None:
        """Save the choices for the next start, except those of one run only."""
        choices = self._choices()
        kept = {"preset", "num_ctx", "num_predict", "temperature", "think", "unload_others"}
        if choices.num_predict == FULL_ANSWER_TOKENS:
            kept.remove("num_predict")
        if choices.think == "both":
            kept.remove("think")
        self.shell.remember(
            models=tuple(model.spelling for model in self.models.picked),
            categories=self.prompts.picked,
            **{name: getattr(choices, name) for name in kept},
        )

    def action_again(self) -> None:
        """Run the plan of the newest session again."""
        self.shell.run_last()

    def action_preset(self, preset: Preset) -> None:
        """Choose a preset."""
        self.preset.choose(preset)

    def action_all_prompts(self) -> None:
        """Use every prompt of a category, or its first only."""
        self._all_prompts = not self._all_prompts
        self.prompts.ask_all(self._all_prompts)
        self._show_start()

    def action_full_answers(self) -> None:
        """Let answers run to 1024 tokens, or to the previous limit."""
        values = self.options.values
        usual = self.shell.settings.num_predict
        usual = usual if usual != FULL_ANSWER_TOKENS else Choices().num_predict
        full = values.num_predict != FULL_ANSWER_TOKENS
        self.options.set(msgspec.structs.replace(values, num_predict=FULL_ANSWER_TOKENS if full else usual))
        self._show_start()

    def action_options(self) -> None:
        """Open or close the options."""
        self.options.toggle()
        if not self.options.is_open:
            self.models.models.focus()

    def action_others(self) -> None:
        """Change what happens to other models in memory."""
        self.others.query_exactly_one(ChoiceLine).action_step(1)

    def action_server(self) -> None:
        """Open the field for another server."""
        wanted, found = self.shell.connection.wanted, self._found
        usual = wanted is None or wanted.named_by == "nobody"
        self.server_line.edit(found[0].address if found and usual else "" if wanted is None else wanted.address)

    @on(ServerLine.Kept)
    def _server_kept(self) -> None:
        self.models.models.focus()

    @on(ServerLine.Chosen)
    def _server_chosen(self, event: ServerLine.Chosen) -> None:
        try:
            server = self.shell.host.server_of(event.address or None)
        except BadAddress as error:
            self.notify(str(error), title=_("That is not an address"), severity="error")
            self.server_line.edit(event.address)
            return
        self._listed = None
        self.models.say("")
        if self.shell.send(self.shell.connection.choose(server)):
            self.server_line.connecting(server)
            if server.kind != "builtin":
                self.shell.remember(host=without_login(event.address) or None)
        self._show_start()

    def action_look_again(self) -> None:
        """Ask the server again; where another one replaces it, ask the original one."""
        wanted = self.shell.connection.wanted
        stood_in = self.shell.connection.instead_of is not None
        server = self.shell.feed.server
        if wanted is not None and (stood_in or server is None or server.problem is not None):
            self.server_line.connecting(wanted)
            self.shell.send(self.shell.connection.begin(wanted))
        else:
            self.shell.send(ListModels())

    def action_own_prompt(self) -> None:
        """Run a typed prompt on the picked models."""
        if self.shell.running:
            self.notify(_("A run is in progress. Wait for its end, or stop it on the Live screen."), severity="warning")
            return
        names = tuple(model.name for model in self.models.picked)
        if not names:
            self.notify(_("No models are picked."), severity="warning")
            return
        from llmtui.tui.screens.dialogs import OwnPrompt

        self.app.push_screen(OwnPrompt(names, self._own_text, self._choices()), self._ask_own)

    def _ask_own(self, text: str | None) -> None:
        if text is None:
            return
        self._own_text = text
        server = "" if self._listed is None else self._listed.address
        plan = make_free_plan(
            self.models.picked, self.shell.host.pack, text, server=server, choices=self._choices(), seed=_seed()
        )
        self._remember()
        self.shell.start(plan)

    def action_download(self) -> None:
        """Download a model to the server."""
        server = self.shell.feed.server
        if server is None or server.problem is not None or server.kind != "ollama":
            self.notify(_("Only an Ollama server can download models; none answers now."), severity="warning")
            return
        from llmtui.tui.screens.dialogs import Download

        self.app.push_screen(Download(), self._downloaded)

    def _downloaded(self, name: str | None) -> None:
        """Tick a downloaded model as soon as the server lists it."""
        self._fetched = name
        self.action_look_again()


def _seed() -> int:
    """Return a new seed; the plan keeps it."""
    return random.randrange(2**31)
