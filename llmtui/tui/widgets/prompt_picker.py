"""The prompts by category, with the text of the one under the cursor."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from llmtui.core.prompts import Category, PromptPack
from llmtui.tui.widgets.pick_list import PickList
from llmtui.words import _, plural


class CategoryList(PickList):
    """One category per line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a",
            "screen.all_prompts",
            _("All prompts"),
            id="all_prompts",
            tooltip=_("Use every prompt of a category, not only the first"),
        ),
    ]
    HELP = _(
        """
        ## Prompts
        Tick the categories to use. Of each category the first prompt is used, so that sessions stay comparable;
        **a** uses all of them. Below is the text that is sent.
        """
    )

    def __init__(self, pack: PromptPack) -> None:
        """Create the list of a pack."""
        super().__init__()
        self.categories: dict[str, Category] = {category.id: category for category in pack.categories}
        self.all_prompts = False

    def row(self, item: str, width: int) -> Content:
        """Return title, and the number of used prompts out of all."""
        category = self.categories[item]
        asked = len(category.prompts) if self.all_prompts else 1
        count = plural("{n} prompt", "{n} prompts", asked).format(n=asked)
        title = category.title
        if max(len(each.title) for each in self.categories.values()) + len(count) + 1 > width:
            count = str(asked)
        if len(title) + len(count) + 1 > width:
            return Content(title)
        return Content.assemble(title, " " * (width - len(title) - len(count)), (count, "dim"))


class PromptPicker(Vertical):
    """Categories above, preview below."""

    DEFAULT_CSS = """
    PromptPicker {
        & > CategoryList { height: auto; max-height: 50%; }
        & > VerticalScroll {
            height: 1fr;
            border-top: solid $border;
            padding: 0 1;
            scrollbar-size-vertical: 1;
            color: $text-muted;
            & > Static { width: 1fr; }
        }
    }
    """

    categories = getters.query_one(CategoryList)

    def __init__(self, pack: PromptPack, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Create the picker of a pack."""
        super().__init__(id=id)
        self._pack = pack

    def compose(self) -> ComposeResult:
        """Yield the list and the text."""
        yield CategoryList(self._pack)
        with VerticalScroll(can_focus=False):
            yield Static(id="preview")

    def show(self, picked: Collection[str]) -> None:
        """Show the pack with these categories ticked."""
        self.categories.show_items(tuple(self.categories.categories), picked)
        self._preview()

    @property
    def picked(self) -> tuple[str, ...]:
        """Return the ids of the ticked categories in the pack's order."""
        return tuple(name for name in self.categories.categories if name in self.categories.picked)

    def ask_all(self, wanted: bool) -> None:
        """Use every prompt of a category, or its first only."""
        self.categories.all_prompts = wanted
        self.categories.pick(self.categories.picked)
        self._preview()

    @on(OptionList.OptionHighlighted)
    def _moved(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._preview()

    def _preview(self) -> None:
        category = self.categories.categories.get(self.categories.highlighted_item or "")
        preview = self.query_exactly_one("#preview", Static)
        if category is None:
            preview.update("")
            return
        asked = category.prompts if self.categories.all_prompts else category.prompts[:1]
        parts: list[Content] = []
        for prompt in asked:
            parts += [Content.styled(prompt.title, "bold"), Content(prompt.text), Content("")]
        preview.update(Content("\n").join(parts[:-1]))
