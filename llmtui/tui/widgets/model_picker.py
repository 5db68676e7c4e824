"""The server's models, to tick: what each one is, whether it is in memory, and why some cannot be tested."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, Static

from llmtui.core.events import ListedModel, ModelsListed
from llmtui.core.plan import Model
from llmtui.tui.widgets.pick_list import PickList
from llmtui.words import _
from llmtui.words.figures import gigabytes

_NAME_MIN = 14
_SIZE, _PARAMETERS, _QUANTISATION = 8, 7, 8


class ModelFilter(Input):
    """Narrows the list while it is typed in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", _("Show all"), id="show_all"),
        Binding("enter,down", "to_list", _("To the list"), id="to_list"),
    ]

    def action_clear(self) -> None:
        """Shows everything again."""
        self.value = ""
        self.action_to_list()

    def action_to_list(self) -> None:
        """Goes on in the list."""
        assert isinstance(self.parent, ModelPicker)
        self.parent.leave_filter()


class ModelList(PickList):
    """One model a line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "pick_all", _("All or none"), id="all_models", tooltip=_("Pick all models shown, or none")),
        Binding("slash", "filter", _("Filter"), id="filter", key_display="/", tooltip=_("Type part of a name")),
    ]
    HELP = _(
        """
        ## Models
        Tick the models to compare. **In memory** means that the server holds it now; the first test starts it from off
        anyway, so that its start can be timed. Grey lines cannot be tested; the reason stands beside them.
        """
    )

    def __init__(self) -> None:
        """Makes an empty list."""
        super().__init__()
        self.listed: dict[str, ListedModel] = {}
        """By name."""

    def usable(self, item: str) -> bool:
        """Whether the model can be benchmarked."""
        return item in self.listed and self.listed[item].why_not is None

    def row(self, item: str, width: int) -> Content:
        """Name, size, parameters, quantisation, whether in memory; narrow ones leave out from the right."""
        one = self.listed[item]
        longest = max((len(name) for name in self.listed), default=_NAME_MIN)
        name_width = max(min(longest, width - _SIZE - 2), _NAME_MIN)
        name = _cut(item, name_width)
        if one.why_not is not None:
            return Content.styled(f"{name}  {one.why_not}", "dim")
        model = one.model
        parts: list[tuple[str, str] | str] = [(name, ""), (f"{gigabytes(model.size_bytes):>{_SIZE + 1}}", "")]
        left = width - name_width - _SIZE - 1
        held = one.resident is not None
        mark = _("in memory")
        mark_width = len(mark) + 4 if left >= _PARAMETERS + len(mark) + 4 else 3
        for text, cells in ((model.parameters, _PARAMETERS), (model.quantisation, _QUANTISATION)):
            if left >= cells + 1 + (mark_width if any(m.resident for m in self.listed.values()) else 0):
                parts.append((f" {(text or ''):>{cells}.{cells}}", "dim"))
                left -= cells + 1
        if held:
            parts.append((f"  ● {mark}" if mark_width > 3 else "  ●", "$success"))
            left -= mark_width
        for word in _remarks(model):
            if left >= len(word) + 2:
                parts.append((f"  {word}", "dim italic"))
                left -= len(word) + 2
        return Content.assemble(*parts)

    def action_filter(self) -> None:
        """Opens the filter."""
        assert isinstance(self.parent, ModelPicker)
        self.parent.enter_filter()


class ModelPicker(Vertical):
    """The list with its filter, or what to do where there is nothing to list."""

    DEFAULT_CSS = """
    ModelPicker {
        & > ModelFilter { display: none; border: none; height: 1; padding: 0 1; background: $panel; }
        &.-filtering > ModelFilter { display: block; }
        & > #no-models { display: none; padding: 1 2; color: $text-muted; height: 1fr; }
        &.-empty > #no-models { display: block; }
        &.-empty > ModelList { display: none; }
    }
    """

    models = getters.query_one(ModelList)
    filter_field = getters.query_one(ModelFilter)

    def compose(self) -> ComposeResult:
        """The filter waits above the list."""
        yield ModelFilter(compact=True, placeholder=_("part of a name"))
        yield ModelList()
        yield Static(id="no-models")

    def on_mount(self) -> None:
        """Nothing is known yet."""
        self.say("")

    def say(self, words: str | Content) -> None:
        """Shows words in place of the list."""
        self.query_exactly_one("#no-models", Static).update(words)
        self.add_class("-empty")

    def show(self, listed: ModelsListed, picked: Collection[str]) -> None:
        """Shows the server's models, some of them ticked."""
        self.models.listed = {one.model.name: one for one in listed.models}
        self.models.pick(picked)
        self.remove_class("-empty")
        self._narrow(self.filter_field.value)

    @property
    def picked(self) -> tuple[Model, ...]:
        """The ticked models in the list's order."""
        found = self.models.listed.values()
        return tuple(one.model for one in found if one.model.name in self.models.picked)

    def enter_filter(self, first: str = "") -> None:
        """Opens the filter, with a letter in it that was typed already."""
        self.add_class("-filtering")
        field = self.filter_field
        field.focus()
        if first:
            field.value += first
            field.cursor_position = len(field.value)

    def leave_filter(self) -> None:
        """Goes on in the list; an empty filter is put away."""
        self.set_class(bool(self.filter_field.value), "-filtering")
        self.models.focus()

    @on(PickList.Typed)
    def _typed(self, event: PickList.Typed) -> None:
        event.stop()
        self.enter_filter(event.character)

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._narrow(event.value)

    def _narrow(self, wanted: str) -> None:
        words = wanted.lower().split()
        self.models.show_items(
            [name for name, one in self.models.listed.items() if all(word in _searched(one.model) for word in words)]
        )

    def on_key(self, event: Key) -> None:
        """Escape in the list takes the filter away."""
        if event.key == "escape" and self.has_class("-filtering"):
            event.stop()
            self.filter_field.action_clear()


def _searched(model: Model) -> str:
    return " ".join(word for word in (model.name, model.parameters, model.quantisation, model.family) if word).lower()


def _remarks(model: Model) -> list[str]:
    remarks = [model.note] if model.note else []
    if model.thinking:
        remarks.append(_("can think"))
    return remarks


def _cut(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else f"{text[: width - 1]}…"
