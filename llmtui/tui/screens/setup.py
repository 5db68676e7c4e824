"""The Setup screen: everything that is chosen before a session. Enter in any list starts the run."""

from __future__ import annotations

import random
from typing import ClassVar, Final, get_args

import msgspec
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from llmtui.core.choices import Choices, Preset
from llmtui.core.commands import ListModels
from llmtui.core.estimate import estimate
from llmtui.core.plan import BUILTIN, Plan
from llmtui.core.planning import (
    FULL_ANSWER_TOKENS,
    NothingToRun,
    default_categories,
    make_free_plan,
    make_plan,
    prompts_of,
)
from llmtui.tui.background import in_background
from llmtui.tui.feed import SessionChanged
from llmtui.tui.screens.setup_models import SetupModels
from llmtui.tui.setup_keys import setup_bindings
from llmtui.tui.text.setup_times import again_words, counts_words, plan_time, preset_time
from llmtui.tui.widgets.model_card import ModelCard
from llmtui.tui.widgets.model_picker import ModelPicker
from llmtui.tui.widgets.options_panel import OptionsPanel
from llmtui.tui.widgets.others_line import OthersLine
from llmtui.tui.widgets.pick_list import PickList
from llmtui.tui.widgets.preset_line import PresetLine
from llmtui.tui.widgets.prompt_line import PromptLine
from llmtui.tui.widgets.server_line import ServerLine
from llmtui.tui.widgets.start_line import StartLine
from llmtui.words import _, plural
from llmtui.words.problems import problem_what, whole_problem

_REMEMBERED: Final = frozenset({"preset", "num_ctx", "num_predict", "temperature", "think", "unload_others"})

_LIMITS: Final = ("stall_s", "stall_loading_s", "server_wait_s", "quiet_wait_s", "num_thread")
"""Options that are set in the Settings dialog."""


class SetupScreen(SetupModels):
    """The choice of server, models, prompts, preset and options, with the expected time."""

    PLACE = "setup"
    CSS_PATH = "../styles/setup.tcss"
    AUTO_FOCUS = "ModelOptions"
    BINDINGS: ClassVar[list[BindingType]] = [*setup_bindings()]
    HELP = _(
        """
        # Setup
        Pick models and prompts, then press **Enter**. The other options have sensible defaults. The first answer
        appears a moment later on the Live screen.
        """
    )

    prompts = getters.query_one(PromptLine)
    preset = getters.query_one(PresetLine)
    start_line = getters.query_one(StartLine)

    def __init__(self) -> None:
        super().__init__()
        self._last_plan: Plan | None = None
        self._own_text = ""

    def compose_body(self) -> ComposeResult:
        """Yield the server, the models beside the details of one, and below them the other choices."""
        settings, pack = self.shell.settings, self.shell.host.pack
        yield ServerLine()
        yield OthersLine("unload" if settings.unload_others else "keep")
        with Horizontal(id="lists"):
            with Vertical(id="models-box", classes="box") as box:
                box.border_title = _("Models")
                yield ModelPicker()
            yield ModelCard(classes="box")
        there = {prompt.id for category in pack.categories for prompt in category.prompts}
        single = there.intersection(settings.prompt_ids or ())
        yield PromptLine(pack, single or prompts_of(pack, default_categories(pack, settings.categories)))
        yield PresetLine(settings.preset)
        yield OptionsPanel(settings)
        yield StartLine()

    def on_mount(self) -> None:
        """Show what is known before any server has answered."""
        self.show_start()
        self.read_past()
        self._read_last_plan()

    def on_screen_resume(self) -> None:
        """Request the list of models again, since another model may be in memory now."""
        super().on_screen_resume()
        feed = self.shell.feed
        if feed.server is not None:
            self.show_server(feed.server)
        if feed.models is not None and feed.models is not self.listed:
            self.show_models(feed.models)
        if self.listed is not None and not self.shell.running:
            self.shell.send(ListModels())
            self.read_past()
            self._read_last_plan()
        self.show_start()

    @in_background("last_plan")
    def _read_last_plan(self) -> None:
        plan = self.shell.host.last_plan()
        self.call_later(self._take_last_plan, plan)

    def _take_last_plan(self, plan: Plan | None) -> None:
        self._last_plan = plan
        if plan is not None:
            self.start_line.offer_again(plan)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether a key can do something now."""
        if action == "run_again":
            return self._last_plan is not None
        if action == "builtin":
            return self.can_use_builtin
        return super().check_action(action, parameters)

    @on(SessionChanged)
    def _session_moved(self) -> None:
        self.show_start()
        if not self.shell.running:
            self.ask_details(self.details.go_on())

    # --- what follows from the choices ---

    def plan(self, preset: Preset | None = None) -> Plan:
        """Return the plan that Enter starts; if a preset is given, the same plan with that preset.

        Raises:
            NothingToRun: no model or no prompt is picked.
        """
        choices = self._choices()
        return make_plan(
            self.models.picked,
            self.shell.host.pack,
            server="" if self.listed is None else self.listed.address,
            prompt_ids=self.prompts.picked,
            choices=choices if preset is None else msgspec.structs.replace(choices, preset=preset),
            seed=_seed(),
        )

    def _choices(self) -> Choices:
        settings = self.shell.settings
        return msgspec.structs.replace(
            self.options.values,
            **{name: getattr(settings, name) for name in _LIMITS},
            preset=self.preset.value,
            all_prompts=self.prompts.are_all,
            unload_others=self.others.value == "unload",
        )

    def show_start(self) -> None:
        """Show the effect of Enter, the time of each preset, and the number of picked models."""
        self.show_counts()
        if self.shell.running:
            self.start_line.running()
            return
        try:
            plan = self.plan()
        except NothingToRun as error:
            self.preset.tell({}, 0)
            self.start_line.not_ready(self._why_not_ready(error))
            return
        listed = self.listed.models if self.listed is not None else ()
        plans = {preset: self.plan(preset) for preset in get_args(Preset)}
        times = {preset: preset_time(of, estimate(of, listed, self.past)) for preset, of in plans.items()}
        self.preset.tell(times, len(plan.contenders))
        self.start_line.ready(plan, estimate(plan, listed, self.past))

    def _why_not_ready(self, error: NothingToRun) -> str:
        server = self.shell.feed.server
        if self.listed is None:
            waiting = server is None or server.problem is None
            return _("Waiting for the server.") if waiting else _("No server answers.")
        if server is not None and all(one.model.backend != server.kind for one in self.listed.models):
            return _("This server has no models yet: d downloads one, or pick a built-in one.")
        return problem_what(error.problem)

    def show_counts(self) -> None:
        """Show the number of picked models, and the models in memory that are not picked."""
        box, total = self.query_exactly_one("#models-box"), len(self.listed.models) if self.listed else 0
        picked = self.models.picked
        words = _("{n} of {total} picked").format(n=len(picked), total=total) if total else ""
        too_large = sum(self.models.models.left_out_of_all(model.spelling) for model in picked)
        if too_large:
            words += " · " + plural("{n} does not fit", "{n} do not fit", too_large).format(n=too_large)
        box.border_subtitle = words
        self.options.warn(too_large if self.options.is_open else 0)
        digests = {model.digest for model in picked}
        # If only built-in models are picked, the models in the server's memory are not unloaded.
        inside = {model.backend for model in picked} == {BUILTIN}
        resident = () if self.listed is None or inside else self.listed.resident
        self.others.show([one for one in resident if one.digest not in digests])

    @on(PickList.Changed)
    @on(PresetLine.Changed)
    @on(PromptLine.Changed)
    def _picked(self) -> None:
        self.show_start()

    @on(OptionsPanel.Changed)
    @on(OthersLine.Changed)
    def _conditions_changed(self) -> None:
        self.options.tell_others(self.others.value)
        self.show_details()
        self.show_start()

    # --- keys ---

    def action_start(self) -> None:
        """Start a run with the current choices; if a run is in progress, go to it."""
        if self.shell.running:
            self.shell.show("live")
            return
        try:
            plan = self.plan()
        except NothingToRun as error:
            why = whole_problem(error.problem) if self.listed is not None else self._why_not_ready(error)
            self.notify(why, severity="warning")
            return
        self._keep_choices()
        self.shell.start(plan)

    def _keep_choices(self) -> None:
        """Save the choices for the next start, except those meant for one run."""
        choices = self._choices()
        kept = set(_REMEMBERED)
        if choices.num_predict == FULL_ANSWER_TOKENS:
            kept.remove("num_predict")
        if choices.think == "both":
            kept.remove("think")
        self.shell.remember(
            models=tuple(model.spelling for model in self.models.picked),
            categories=self.prompts.categories,
            prompt_ids=self.prompts.single,
            **{name: getattr(choices, name) for name in kept},
        )

    def action_run_again(self) -> None:
        """Run the plan of the newest session again, after a confirmation."""
        plan = self._last_plan
        if plan is None or self.shell.running:
            self.shell.run_last()
            return
        from llmtui.tui.screens.dialogs import ConfirmDialog

        listed = self.listed.models if self.listed is not None else ()
        names = ", ".join(one.label for one in plan.contenders)
        time = plan_time(plan, estimate(plan, listed, self.past))
        words = f"{names}\n{counts_words(plan)} · {time}"
        dialog = ConfirmDialog(again_words(plan), words, yes=_("Run again"), no=_("Back"), is_harmless=True)
        self.app.push_screen(dialog, lambda yes: self.shell.run_again(plan) if yes else None)

    def action_preset(self, preset: Preset) -> None:
        """Choose a preset, that is, how thorough the run is."""
        self.preset.choose(preset)

    def action_all_prompts(self) -> None:
        """Switch between all prompts of the picked categories and only the first of each."""
        self.prompts.ask_all()

    def action_prompts(self) -> None:
        """Open the dialog with all prompts."""
        from llmtui.tui.screens.prompts import PromptsScreen

        self.app.push_screen(PromptsScreen(self.shell.host.pack, self.prompts.picked), self._take_prompts)

    def _take_prompts(self, picked: tuple[str, ...] | None) -> None:
        self.prompts.show(self.shell.host.pack, picked or ())

    def action_full_answers(self) -> None:
        """Switch between answers of up to 1024 tokens and the usual length."""
        self.options.full_answers(self.shell.settings.num_predict)

    def action_options(self) -> None:
        """Open or close the panel with the options."""
        self.options.toggle()
        self.call_after_refresh(self.show_counts)
        if not self.options.is_open:
            self.models.models.focus()

    def action_others(self) -> None:
        """Change whether models in memory that are not picked are unloaded or kept."""
        self.others.step()
        if not self.others.is_shown:
            kept = {"unload": _("unloaded for the run"), "keep": _("kept; trials are flagged")}[self.others.value]
            self.notify(_("Models in memory that are not picked: {what}.").format(what=kept), timeout=4)

    def action_own_prompt(self) -> None:
        """Let the user type a prompt, and run it with the picked models."""
        if self.shell.running:
            self.notify(
                _("A run is in progress. Wait until it ends, or stop it on the Live screen."), severity="warning"
            )
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
        server = "" if self.listed is None else self.listed.address
        plan = make_free_plan(
            self.models.picked, self.shell.host.pack, text, server=server, choices=self._choices(), seed=_seed()
        )
        self._keep_choices()
        self.shell.start(plan)


def _seed() -> int:
    """Return a random seed; the plan stores it."""
    return random.randrange(2**31)
