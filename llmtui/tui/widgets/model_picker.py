"""The server's models, to tick: facts, whether in memory, and why some cannot be used."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.widgets import Input, Static

from llmtui.core.events import ListedModel, ModelsListed
from llmtui.core.plan import BUILTIN, Model
from llmtui.core.planning import shown_name
from llmtui.core.short_names import short_names
from llmtui.tui.widgets.pick_list import PickList
from llmtui.words import _
from llmtui.words.figures import gigabytes
from llmtui.words.problems import unfit_words
from llmtui.words.trials import note_words

_NAME_MIN = 14
_DISTINCT_NAME_CELLS = 22
"""Characters of a long name shown before its figures: names such as ``hf.co/…`` begin and end alike."""
_REMARK_MIN = 12
_INSIDE = "builtin:"
"""The line above the built-in server's models."""
_FIGURES, _NEEDED = 5, 3
"""Size, parameters and quantisation come first, then family and context."""


class ModelFilter(Input):
    """Narrows the list while typing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", _("Show all"), id="show_all"),
        Binding("enter,down", "to_list", _("To the list"), id="to_list"),
    ]

    def action_clear(self) -> None:
        """Show everything again."""
        self.value = ""
        self.action_to_list()

    def action_to_list(self) -> None:
        """Move the focus to the list."""
        assert isinstance(self.parent, ModelPicker)
        self.parent.leave_filter()


class ModelOptions(PickList):
    """One model per line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "pick_all", _("All"), id="all_models", tooltip=_("Pick all models shown, or none")),
        Binding("slash", "filter", _("Filter"), id="filter", key_display="/", tooltip=_("Type part of a name")),
    ]
    HELP = _(
        """
        ## Models
        Tick the models to compare. **In memory** means that the server has the model loaded; it is unloaded anyway, to
        measure its cold start. Grey models cannot be measured; the reason is shown beside them.
        """
    )

    def __init__(self) -> None:
        """Create an empty list."""
        super().__init__()
        self.listed: dict[str, ListedModel] = {}
        """By the model's spelling."""
        self._mixed = False

    def take(self, listed: Sequence[ListedModel]) -> None:
        """Set another list; nothing is drawn yet."""
        self.listed = {one.model.spelling: one for one in listed}
        self._mixed = any(one.model.backend != BUILTIN for one in listed)

    def show_models(self, items: Sequence[str], picked: Collection[str] | None = None) -> None:
        """Show these models; beside another server's, those of the built-in one are below a heading."""
        inside = [item for item in items if self._mixed and self.listed[item].model.backend == BUILTIN]
        others = [item for item in items if item not in inside]
        self.show_items([*others, *([_INSIDE] if inside else []), *inside], picked)

    def usable(self, item: str) -> bool:
        """Return whether the model can be benchmarked."""
        return item in self.listed and self.listed[item].why_not is None

    def belongs_to_all(self, item: str) -> bool:
        """Return whether "all" includes a model; built-in ones beside another server's are ticked one by one."""
        return not self._mixed or self.listed[item].model.backend != BUILTIN

    def row(self, item: str, width: int) -> Content:
        """Return name, size, parameters, quantisation, whether in memory; narrow ones omit cells from the right."""
        if item == _INSIDE:
            return Content(_("Inside llmtui (built-in)"))
        one = self.listed[item]
        name = shown_name(one.model, mixed=False)
        columns = self._columns(width)
        names = [shown_name(each.model, mixed=False) for each in self.listed.values()]
        if one.why_not is not None:
            why = unfit_words(one)
            if columns[0] + 2 + len(why) > width:
                why = why.partition(":")[0].partition(".")[0]
            room = max(width - len(why) - 2, columns[0])
            return Content(f"{short_names(names, room)[name]:<{columns[0]}}  {why}")
        model = one.model
        parts = [(f"{short_names(names, columns[0])[name]:<{columns[0]}}", "")]
        for text, cells, style in zip(_figures(model), columns[1:], ("", "dim", "dim", "dim", "dim"), strict=True):
            parts.append((f"  {text:>{cells}.{cells}}" if cells else "", style))
        left = width - sum(columns) - 2 * sum(cells > 0 for cells in columns[1:])
        held = _("in memory")
        if one.resident is not None:
            parts.append((f" ● {held}" if left >= len(held) + 3 else " ●", "$success"))
        if any(each.resident is not None for each in self.listed.values()):
            left -= len(held) + 3
        for word in _remarks(model):
            if left >= min(len(word), _REMARK_MIN) + 2:
                if len(word) + 2 > left:
                    word = word.partition(",")[0]
                shown = word if len(word) + 2 <= left else f"{word[: left - 3]}…"
                parts.append((f"  {shown}", "dim italic"))
                left -= len(shown) + 2
        return Content.assemble(*parts)

    def _columns(self, width: int) -> tuple[int, ...]:
        """Return the widths of name and figures; figures that do not fit beside a short name are left out (0)."""
        usable = [one.model for one in self.listed.values() if one.why_not is None]
        longest = max((len(shown_name(model, mixed=False)) for model in usable), default=_NAME_MIN)
        wanted = [max((len(figures[n]) for figures in map(_figures, usable)), default=0) for n in range(_FIGURES)]
        kept = [0] * _FIGURES
        least = max(_NAME_MIN, min(longest, _DISTINCT_NAME_CELLS))
        left = width - least - 2
        for number, cells in enumerate(wanted):
            # Family and context are shown only where nothing else is lost by it.
            spare = 0 if number < _NEEDED else longest - least + 24
            if cells and left - spare >= cells + 2:
                kept[number] = cells
                left -= cells + 2
        return min(longest + (4 if left > longest else 0), least + max(left, 0)), *kept

    def action_filter(self) -> None:
        """Open the filter."""
        assert isinstance(self.parent, ModelPicker)
        self.parent.enter_filter()


class ModelPicker(Vertical):
    """The list with its filter, or what to do where there is nothing to list."""

    DEFAULT_CSS = """
    ModelPicker {
        & > ModelFilter { display: none; border: none; height: 1; padding: 0 1; background: $panel; }
        &.-filtering > ModelFilter { display: block; }
        & > #none-found { display: none; padding: 1 2; height: 1fr; }
        &.-none-found > #none-found { display: block; }
        &.-none-found > ModelOptions { height: 0; }
        & > #no-models { display: none; padding: 1 2; color: $text-muted; height: 1fr; }
        &.-empty > #no-models { display: block; }
        &.-empty > ModelOptions { display: none; }
    }
    """

    models = getters.query_one(ModelOptions)

    def __init__(self) -> None:
        """Create an empty picker."""
        super().__init__(classes="-empty")
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Yield the list, or words in its place; the filter is added when needed."""
        yield ModelOptions()
        yield Static(id="none-found")
        yield Static(id="no-models")

    def say(self, words: str | Content) -> None:
        """Show words in place of the list."""
        self.query_exactly_one("#no-models", Static).update(words)
        self.add_class("-empty")

    def show(self, listed: ModelsListed, picked: Collection[str]) -> None:
        """Show the server's models, some of them ticked."""
        self.models.take(listed.models)
        self.remove_class("-empty")
        self._narrow(self._wanted, picked)

    @property
    def picked(self) -> tuple[Model, ...]:
        """Return the ticked models in the list's order."""
        found = self.models.listed.values()
        return tuple(one.model for one in found if one.model.spelling in self.models.picked)

    def enter_filter(self, first: str = "") -> None:
        """Open the filter, with a letter already typed."""
        fields = self.query(ModelFilter)
        field = fields.first() if fields else ModelFilter(compact=True, placeholder=_("filter"))
        if not fields:
            self.mount(field, before=0)
        self.add_class("-filtering")
        field.value += first
        self.call_after_refresh(field.focus)

    def _say_nothing_found(self, wanted: str) -> None:
        words = _("No model has “{text}” in its name. Esc shows all again.").format(text=wanted)
        self.query_exactly_one("#none-found", Static).update(Content.styled(words, "$text-muted"))

    def leave_filter(self) -> None:
        """Move the focus to the list; an empty filter is removed."""
        self.set_class(bool(self._wanted), "-filtering")
        self.models.focus()

    @on(PickList.Typed)
    def _typed(self, event: PickList.Typed) -> None:
        event.stop()
        self.enter_filter(event.character)

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._wanted = event.value
        self._narrow(event.value)

    def _narrow(self, wanted: str, picked: Collection[str] | None = None) -> None:
        words = wanted.lower().split()
        listed = self.models.listed.items()
        found = [item for item, one in listed if all(word in _searched(one.model) for word in words)]
        self.models.show_models(found, picked)
        self.set_class(bool(words) and not found, "-none-found")
        if words and not found:
            self._say_nothing_found(wanted.strip())

    def on_key(self, event: Key) -> None:
        """Remove the filter on Escape in the list."""
        if event.key == "escape" and self.has_class("-filtering"):
            event.stop()
            self.query_exactly_one(ModelFilter).action_clear()


def _searched(model: Model) -> str:
    words = (model.spelling, model.parameters, model.quantisation, model.family)
    return " ".join(word for word in words if word).lower()


def _figures(model: Model) -> tuple[str, str, str, str, str]:
    context = _("context {n}").format(n=model.context_limit) if model.context_limit else ""
    size, parameters, quantisation = gigabytes(model.size_bytes), model.parameters or "", model.quantisation or ""
    return size, parameters, quantisation, model.family or "", context


def _remarks(model: Model) -> list[str]:
    remarks = [note_words(model.note)] if model.note and not model.is_demo else []
    if model.thinking:
        remarks.append(_("can think"))
    return remarks
