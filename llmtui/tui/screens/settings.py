"""The Settings dialog: each setting with its meaning. A change is written to the settings file at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Footer, Input, Label, Select, Static

from llmtui.config import SettingsError
from llmtui.config.settings import lasting, read
from llmtui.core.choices import Bounds
from llmtui.tui.shell import ShellOf
from llmtui.tui.widgets.choice_line import ChoiceLine
from llmtui.words import _
from llmtui.words.choices import refused, setting_meaning, setting_title

GROUPS: Final = {
    "program": ("language", "theme", "theme_dark", "theme_light", "bell"),
    "places": ("results_dir", "host", "servers"),
    "limits": ("stall_s", "stall_loading_s", "server_wait_s", "quiet_wait_s", "num_thread"),
}
"""Settings that are not set on Setup, in the order of the dialog."""
_SHORT: Final = 4
"""Largest number of values that are shown side by side; more values are a drop-down list."""


class SettingRow(Vertical):
    """One setting: its title, field and meaning, and an error message for an invalid value."""

    DEFAULT_CSS = """
    SettingRow {
        height: auto;
        margin-bottom: 1;
        & > Horizontal { height: 1; }
        & Label { width: 24; }
        & Input, & Select { width: 1fr; }
        & Input { background: $panel; }
        & .meaning { color: $text-muted; padding-left: 24; }
        & .problem { color: $text-error; padding-left: 24; display: none; }
        &.-wrong .problem { display: block; }
        &.-wrong Input { color: $text-error; }
    }
    """

    def __init__(self, bounds: Bounds, value: object, among: tuple[str, ...]) -> None:
        """Create the row of a setting.

        Args:
            bounds: name and valid values of the setting.
            value: its current value; None if it is not set.
            among: the values to choose from; empty if the value is typed.
        """
        super().__init__(id=f"setting-{bounds.name}")
        self.bounds = bounds
        self._among = among
        self._text = typed_text(value)

    def compose(self) -> ComposeResult:
        """Yield the title beside the field, and below them the meaning."""
        with Horizontal():
            yield Label(setting_title(self.bounds.name))
            yield self._field()
        yield Static(setting_meaning(self.bounds.name), classes="meaning")
        yield Static(classes="problem")

    def _field(self) -> Input | ChoiceLine | Select[str]:
        if not self._among:
            usual = typed_text(self.bounds.default) or _("not set")
            return Input(self._text, placeholder=usual, compact=True)
        known = _words()
        words = [(value, known.get(value, value)) for value in self._among]
        chosen = self._text if self._text in self._among else self._among[0]
        if len(words) <= _SHORT:
            return ChoiceLine(words, chosen)
        return Select([(word, value) for value, word in words], value=chosen, allow_blank=False, compact=True)

    def tell(self, problem: str) -> None:
        """Show an error message; an empty one removes it."""
        self.set_class(bool(problem), "-wrong")
        self.query_exactly_one(".problem", Static).update(problem)


def _words() -> dict[str, str]:
    return {"auto": _("as the system"), "en": "English", "es": "Español", "true": _("yes"), "false": _("no")}


def typed_text(value: object) -> str:
    """Return a setting's value as the user would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


class SettingsScreen(ModalScreen[None]):
    """Dialog with all settings that are not set on Setup."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", _("Next"), id="next_setting", tooltip=_("Go to the next setting")),
        Binding("escape", "app.pop_screen", _("Back"), id="settings_back"),
    ]
    HELP = _(
        """
        # Settings
        A change is saved at once in the settings file whose path is shown below; its comments and other lines are kept.
        An empty field means the default, which is shown in grey.
        """
    )

    shell = ShellOf()

    def compose(self) -> ComposeResult:
        """Yield one row per setting, in groups."""
        bounds = lasting()
        titles = {"program": _("Program"), "places": _("Places"), "limits": _("Limits")}
        with Vertical(classes="dialog settings") as box:
            box.border_title = _("Settings")
            with VerticalScroll(can_focus=False):
                for group, names in GROUPS.items():
                    yield Label(titles[group], classes="group")
                    for name in names:
                        if name in bounds:
                            yield SettingRow(
                                bounds[name], getattr(self.shell.settings, name), self._among(bounds[name])
                            )
            yield Static(_("kept in {file}").format(file=self.shell.host.settings_file), id="settings-file")
        yield Footer(show_command_palette=False)

    def _among(self, bounds: Bounds) -> tuple[str, ...]:
        if bounds.name.startswith("theme"):
            return tuple(self._themes(bounds.name))
        return ("true", "false") if bounds.kind == "flag" else bounds.among

    def _themes(self, name: str) -> Iterable[str]:
        """Yield the names of the themes that a setting allows: only dark ones, only light ones, or all."""
        half = {"theme_dark": True, "theme_light": False}.get(name)
        for theme in sorted(
            self.app.available_themes.values(), key=lambda one: (not one.name.startswith("llmtui"), one.name)
        ):
            if half is None or theme.dark is half:
                yield theme.name

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        row = _row_of(event.input)
        text = event.value.strip()
        if not text:
            row.tell("")
            return
        try:
            read(row.bounds, text)
        except SettingsError as error:
            row.tell(_problem(row.bounds, error))
        else:
            row.tell("")

    @on(Input.Blurred)
    @on(Input.Submitted)
    def _left(self, event: Input.Blurred | Input.Submitted) -> None:
        event.stop()
        row = _row_of(event.input)
        if not row.has_class("-wrong"):
            text = event.value.strip()
            self._keep(row.bounds, read(row.bounds, text) if text else None)
        if isinstance(event, Input.Submitted):
            self.focus_next()

    @on(ChoiceLine.Changed)
    def _picked(self, event: ChoiceLine.Changed) -> None:
        event.stop()
        row = _row_of(event.line)
        self._keep(row.bounds, read(row.bounds, event.value))

    @on(Select.Changed)
    def _selected(self, event: Select.Changed) -> None:
        event.stop()
        row = _row_of(event.select)
        if isinstance(event.value, str):
            self._keep(row.bounds, read(row.bounds, event.value))

    def _keep(self, bounds: Bounds, value: object) -> None:
        """Save a value; None restores the default."""
        if bounds.name == "theme" and isinstance(value, str):
            self.app.theme = value  # the app saves it, as after every change of the theme
        else:
            self.shell.remember(**{bounds.name: bounds.default if value is None else value})


def _row_of(field: Widget) -> SettingRow:
    return next(node for node in field.ancestors_with_self if isinstance(node, SettingRow))


def _problem(bounds: Bounds, error: SettingsError) -> str:
    return refused(bounds, error.facts["given"]) if error.reason == "bad_value" else str(error)
