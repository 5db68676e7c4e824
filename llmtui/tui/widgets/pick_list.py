"""A list of items to tick, one per row. Ticks are kept while the list is filtered; the screen handles Enter."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Key, Resize
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from llmtui.words import _


class PickList(OptionList):
    """A list ticked by Space or click. Subclasses define an item's row and which items are usable."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_pick", _("Pick"), id="pick", tooltip=_("Pick or unpick this line")),
        Binding("enter", "screen.start", _("Start"), id="start", tooltip=_("Run the picked models")),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]
    DEFAULT_CSS = """
    PickList {
        height: 1fr;
        border: none;
        padding: 0;
        background: transparent;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        scrollbar-size-vertical: 1;
        &:focus { border: none; background-tint: transparent; }
        & > .option-list--option { padding: 0 1; }
        & > .option-list--option-disabled { color: $foreground 50%; }
    }
    """

    @dataclass
    class Changed(Message):
        """Posted when the ticks have changed."""

        pick_list: PickList

        @property
        def control(self) -> PickList:
            """The list that posted the message."""
            return self.pick_list

    @dataclass
    class Typed(Message):
        """Posted when the user types a character in the list that is not bound to an action."""

        pick_list: PickList
        character: str

        @property
        def control(self) -> PickList:
            """The list that posted the message."""
            return self.pick_list

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name
        """Create an empty list."""
        super().__init__(id=id, markup=False)
        self._shown: tuple[str, ...] = ()
        self._picked: frozenset[str] = frozenset()
        self._drawn_width = 0

    @abstractmethod
    def row(self, item: str, width: int) -> Content:
        """Return an item's line without the tick, at most ``width`` cells wide."""

    def usable(self, item: str) -> bool:
        """Return whether the item can be ticked."""
        return bool(item)

    def selectable(self, item: str) -> bool:
        """Return whether the cursor can go to the item."""
        return self.usable(item)

    def left_out_of_all(self, item: str) -> bool:
        """Return whether "all" removes the item's tick."""
        return False

    def belongs_to_all(self, item: str) -> bool:
        """Return whether "all" ticks the item."""
        return bool(item)

    @property
    def picked(self) -> frozenset[str]:
        """The ticked items, including those hidden by a filter."""
        return self._picked

    @property
    def highlighted_item(self) -> str | None:
        """The item under the cursor; None if there is none."""
        option = self.highlighted_option
        return None if option is None else option.id

    def pick(self, items: Collection[str]) -> None:
        """Tick exactly these items, without posting a message."""
        self._picked = frozenset(item for item in items if self.usable(item))
        self._redraw()

    def show_items(self, items: Sequence[str], picked: Collection[str] | None = None) -> None:
        """Show these items; the cursor stays on its item if that is visible.

        Args:
            items: the items in order.
            picked: new ticks; None keeps the old ones.
        """
        here = self.highlighted_item
        if picked is not None:
            self._picked = frozenset(item for item in picked if self.usable(item))
        self._shown = tuple(items)
        width = self._row_width
        self._drawn_width = width
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options(
                Option(self._line(item, width), id=item, disabled=not self.selectable(item)) for item in self._shown
            )
        usable = [item for item in self._shown if self.selectable(item)]
        if here in usable:
            self.highlighted = self._shown.index(here)
        elif usable:
            self.highlighted = self._shown.index(usable[0])

    def toggle(self, item: str) -> None:
        """Tick or untick an item, and post ``Changed``."""
        if not self.usable(item):
            return
        self._picked ^= {item}
        if item in self._shown:
            self.replace_option_prompt(item, self._line(item, self._row_width))
        self.post_message(self.Changed(self))

    def action_toggle_pick(self) -> None:
        """Tick or untick the item under the cursor."""
        item = self.highlighted_item
        if item is not None:
            self.toggle(item)

    def action_pick_all(self) -> None:
        """Tick all visible items that belong to "all"; if they are all ticked, untick them."""
        usable = [item for item in self._shown if self.usable(item)]
        left_out = {item for item in usable if self.left_out_of_all(item)}
        wanted = {item for item in usable if self.belongs_to_all(item)} - left_out
        are_all = wanted <= self._picked and not left_out & self._picked
        self._picked = self._picked - left_out - wanted if are_all else self._picked - left_out | wanted
        self._redraw()
        self.post_message(self.Changed(self))

    @property
    def _row_width(self) -> int:
        return max(self.scrollable_content_region.width - 2, 0)

    def _line(self, item: str, width: int) -> Content:
        if not self.usable(item):
            tick = Content("    ")
        elif item in self._picked:
            tick = Content.assemble(("[", "dim"), ("✓", "bold $success"), ("] ", "dim"))
        else:
            tick = Content.styled("[ ] ", "dim")
        return Content.assemble(tick, self.row(item, max(width - 4, 0)))

    def _redraw(self) -> None:
        width = self._row_width
        self._drawn_width = width
        for item in self._shown:
            self.replace_option_prompt(item, self._line(item, width))

    def on_resize(self, event: Resize) -> None:
        """Draw the rows again for the new width."""
        if self._row_width != self._drawn_width:
            self._redraw()

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.toggle(event.option_id)

    def on_key(self, event: Key) -> None:
        """Post ``Typed`` for a character that is not bound to an action; a screen can start a filter with it."""
        if event.is_printable and event.character and event.key not in self.screen.active_bindings:
            self.post_message(self.Typed(self, event.character))
            event.stop()
