"""The list of models with its header and filter, or a text if there are no models to list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key, Resize
from textual.message import Message
from textual.widgets import Input, Label, OptionList, Static

from llmtui.core.plan import Model
from llmtui.tui.text.model_columns import ColumnId, ListedFacts
from llmtui.tui.widgets.model_list import ModelOptions, head_row
from llmtui.tui.widgets.pick_list import PickList
from llmtui.words import _


class ModelFilter(Input):
    """Text field that filters the list while the user types."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", _("Show all"), id="show_all"),
        Binding("enter,down", "to_list", _("Go to the list"), id="to_list"),
    ]

    @dataclass
    class Left(Message):
        """Posted when the user leaves the field; ``clear`` means that the filter is to be removed."""

        clear: bool

    def action_clear(self) -> None:
        """Leave the field and remove the filter."""
        self.post_message(self.Left(clear=True))

    def action_to_list(self) -> None:
        """Return to the list, which stays filtered."""
        self.post_message(self.Left(clear=False))


class ModelPicker(Vertical):
    """The list of models with its filter, or a text if there are no models to list."""

    DEFAULT_CSS = """
    ModelPicker {
        & > #model-filter { display: none; height: 1; padding: 0 1; background: $panel; }
        & > #model-filter > Label { color: $text-muted; padding-right: 1; }
        & > #model-filter > ModelFilter { border: none; height: 1; width: 1fr; padding: 0; background: $panel; }
        &.-filtering > #model-filter { display: block; }
        & > #model-head { height: 1; padding: 0 1; text-wrap: nowrap; }
        & > #model-head { link-style: none; link-color: $text; link-background: transparent; }
        & > #none-found { display: none; padding: 1 2; height: 1fr; }
        &.-none-found > #none-found { display: block; }
        &.-none-found > ModelOptions { height: 0; }
        & > #no-models { display: none; padding: 1 2; color: $text-muted; height: 1fr; }
        &.-empty > #no-models { display: block; }
        &.-empty > ModelOptions, &.-empty > #model-head { display: none; }
    }
    """

    models = getters.query_one(ModelOptions)

    @dataclass
    class Looked(Message):
        """Posted when the cursor has moved to a line; the message has the line's model, or None for a heading."""

        spelling: str | None

    def __init__(self) -> None:
        super().__init__(classes="-empty")
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """Yield the header, the list and the texts that can replace it; the filter is added when it is opened."""
        yield Static(id="model-head")
        yield ModelOptions()
        yield Static(id="none-found")
        yield Static(id="no-models")

    def say(self, words: str | Content) -> None:
        """Show a text in place of the list."""
        self.query_exactly_one("#no-models", Static).update(words)
        self.add_class("-empty")

    def show(self, facts: Sequence[ListedFacts], picked: Collection[str] | None = None) -> None:
        """Show the server's models; ``picked`` sets new ticks; if it is None, the old ones are kept."""
        self.models.take(facts)
        if self.has_class("-empty"):
            self.remove_class("-empty")
            self.call_after_refresh(self._draw_head)  # only then has the list a width
        self._narrow(self._wanted, picked)

    @property
    def picked(self) -> tuple[Model, ...]:
        """The ticked models, in the server's order."""
        found = [one.listed.model for one in self.models.facts.values()]
        return tuple(model for model in found if model.spelling in self.models.picked)

    def sort_by(self, column: ColumnId) -> None:
        """Sort by a column; if the list is sorted by it already, reverse the order."""
        self.models.sort_by(column)
        self._draw_head()

    def sort_next(self) -> None:
        """Sort by the next column."""
        self.models.sort_next()
        self._draw_head()

    def _draw_head(self) -> None:
        models = self.models
        head = head_row(models.columns, models.sorted_by, reverse=models.reverse) if models.facts else Content()
        self.query_exactly_one("#model-head", Static).update(head)

    def on_resize(self, event: Resize) -> None:
        """Redraw the header, since the columns may have changed."""
        self.call_after_refresh(self._draw_head)

    def enter_filter(self, first: str = "") -> None:
        """Open the filter and append a letter that the user has already typed."""
        fields = self.query(ModelFilter)
        field = fields.first() if fields else ModelFilter(compact=True, placeholder=_("part of a name"))
        if not fields:
            self.mount(Horizontal(Label(_("Filter")), field, id="model-filter"), before=0)
        self.add_class("-filtering")
        field.value += first
        self.call_after_refresh(field.focus)

    @on(ModelFilter.Left)
    def _left_filter(self, event: ModelFilter.Left) -> None:
        event.stop()
        if event.clear:
            self._clear_filter()
        self.set_class(bool(self._wanted), "-filtering")
        self.models.focus()

    def _clear_filter(self) -> None:
        field = self.query_exactly_one(ModelFilter)
        with field.prevent(Input.Changed):
            field.value = ""
        self._wanted = ""
        self.remove_class("-filtering")
        self._narrow("")

    @on(PickList.Typed)
    def _typed(self, event: PickList.Typed) -> None:
        event.stop()
        self.enter_filter(event.character)

    @on(Input.Changed)
    def _filter_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._wanted = event.value
        self._narrow(event.value)

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        item = event.option_id
        self.post_message(self.Looked(item if item in self.models.facts else None))

    def _narrow(self, wanted: str, picked: Collection[str] | None = None) -> None:
        words = wanted.lower().split()
        facts = self.models.facts.items()
        found = [item for item, one in facts if all(word in _searched(one.listed.model) for word in words)]
        self.models.show_models(found, picked, filtering=bool(words))
        self.set_class(bool(words) and not found, "-none-found")
        if words and not found:
            said = _("No model has “{text}” in its name. Esc shows all again.").format(text=wanted.strip())
            self.query_exactly_one("#none-found", Static).update(Content.styled(said, "$foreground 70%"))
        self._draw_head()

    def on_key(self, event: Key) -> None:
        """Remove the filter if Escape is pressed in the list."""
        if event.key == "escape" and self.has_class("-filtering"):
            event.stop()
            self._clear_filter()
            self.models.focus()


def _searched(model: Model) -> str:
    words = (model.spelling, model.parameters, model.quantisation, model.family)
    return " ".join(word for word in words if word).lower()
