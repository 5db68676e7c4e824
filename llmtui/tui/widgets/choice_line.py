"""A choice between a few words on one line, changed by left and right or by a click."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from llmtui.words import _


class ChoiceLine(Static, can_focus=True):
    """The words of a choice side by side, with the chosen one marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", _("Previous"), show=False, tooltip=_("Go to the previous one")),
        Binding("right,l", "step(1)", _("Next"), show=False, tooltip=_("Go to the next one")),
        Binding("space", "step(1)", _("Next choice"), id="next_choice", tooltip=_("Choose the next value")),
    ]
    DEFAULT_CSS = """
    ChoiceLine {
        height: 1;
        width: auto;
        text-wrap: nowrap;
        link-style: none;
        link-color: $text;
        link-background: transparent;
        &:focus { text-style: bold; background: $block-cursor-blurred-background; }
    }
    """

    value: reactive[str] = reactive("", init=False)
    """The value of the chosen word."""

    @dataclass
    class Changed(Message):
        """Posted when another word is chosen."""

        line: ChoiceLine
        value: str

        @property
        def control(self) -> ChoiceLine:
            """The line that posted the message."""
            return self.line

    def __init__(self, choices: Sequence[tuple[str, str]], value: str, *, id: str | None = None) -> None:  # noqa: A002
        """Create a line.

        Args:
            choices: (value, word) of each choice.
            value: the initial choice.
            id: as in Textual.
        """
        self._choices = tuple(choices)
        super().__init__(id=id)
        self.set_reactive(ChoiceLine.value, value)
        self.update(self._drawn())

    def _drawn(self) -> Content:
        parts: list[Content] = []
        for choice, word in self._choices:
            if choice == self.value:
                parts.append(Content.styled(f" {word} ", "bold $text on $primary 40%"))
            else:
                parts.append(Content.from_markup(f"[@click=choose('{choice}')] $word [/]", word=word))
        return Content(" ").join(parts)

    def rename(self, choices: Sequence[tuple[str, str]]) -> None:
        """Show other words for the same values."""
        if tuple(choices) != self._choices:
            self._choices = tuple(choices)
            self.update(self._drawn())

    def watch_value(self, value: str) -> None:
        """Redraw the line and post ``Changed``."""
        self.update(self._drawn())
        self.post_message(self.Changed(self, value))

    def action_step(self, by: int) -> None:
        """Go to the next (1) or previous (-1) choice; the last is followed by the first."""
        values = [choice for choice, _word in self._choices]
        self.value = values[(values.index(self.value) + by) % len(values)]

    def action_choose(self, value: str) -> None:
        """Choose the word with the given value; called by a click."""
        self.value = value
