"""The prompts of a run on one line: one button per category, with the number of its picked prompts."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from llmtui.core.planning import prompts_of
from llmtui.core.prompts import Category, PromptPack
from llmtui.words import _


class PromptLine(Static, can_focus=True):
    """Buttons of the categories: left and right move; Space or a click picks a category or removes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "toggle_here", _("Pick"), id="pick", tooltip=_("Pick or unpick this category")),
        Binding("enter", "screen.start", _("Start"), id="start", tooltip=_("Run the picked models")),
        Binding(
            "a",
            "screen.all_prompts",
            _("All prompts"),
            id="all_prompts",
            tooltip=_("Use every prompt of each category, or only the first"),
        ),
        Binding("left,h", "move(-1)", _("Previous"), show=False, tooltip=_("Go to the previous one")),
        Binding("right,l", "move(1)", _("Next"), show=False, tooltip=_("Go to the next one")),
    ]
    DEFAULT_CSS = """
    PromptLine {
        height: auto; max-height: 3; padding: 0 1;
        link-style: none; link-color: $text; link-background: transparent;
    }
    """
    HELP = _(
        """
        ## Prompts
        - **Space** or a click picks a category; only its first prompt is run, so that sessions stay comparable
        - **a** runs every prompt of the picked categories
        - **v** shows all prompts: pick single ones, read and edit them
        """
    )

    class Changed(Message):
        """Posted when the selection of prompts has changed."""

    def __init__(self, pack: PromptPack, picked: Collection[str]) -> None:
        """Create the line.

        Args:
            pack: all available prompts.
            picked: ids of the picked prompts.
        """
        super().__init__()
        self._pack = pack
        self._picked = frozenset(picked)
        self._at = 0
        self.update(self._drawn())

    @property
    def picked(self) -> tuple[str, ...]:
        """Ids of the picked prompts, in the order of the prompt file."""
        return tuple(p.id for category in self._pack.categories for p in category.prompts if p.id in self._picked)

    @property
    def categories(self) -> tuple[str, ...]:
        """Ids of the categories with at least one picked prompt."""
        return tuple(one.id for one in self._pack.categories if self._asked(one))

    @property
    def are_all(self) -> bool:
        """Whether every prompt of the picked categories is picked."""
        return set(self.picked) == set(prompts_of(self._pack, self.categories, every=True))

    @property
    def single(self) -> tuple[str, ...] | None:
        """Ids of the picked prompts, if the user picked them one by one.

        None if the picks are just the first prompt, or all prompts, of each picked category.
        """
        firsts = set(prompts_of(self._pack, self.categories))
        return None if set(self.picked) == firsts or self.are_all else self.picked

    def show(self, pack: PromptPack, picked: Collection[str]) -> None:
        """Show another pack of prompts, or other picks."""
        self._pack = pack
        self._at = min(self._at, max(len(pack.categories) - 1, 0))
        self._pick(picked)

    def ask_all(self) -> None:
        """Pick every prompt of the picked categories; if all are picked already, only the first of each."""
        self._pick(prompts_of(self._pack, self.categories, every=not self.are_all))

    def _pick(self, picked: Collection[str]) -> None:
        self._picked = frozenset(picked)
        self.update(self._drawn())
        self.post_message(self.Changed())

    def _asked(self, category: Category) -> int:
        return sum(prompt.id in self._picked for prompt in category.prompts)

    def _drawn(self) -> Content:
        parts = [Content.styled(_("Prompts"), "bold")]
        for number, category in enumerate(self._pack.categories):
            asked = self._asked(category)
            count = f" {asked}" if asked > 1 or (asked and category.prompts[0].id not in self._picked) else ""
            mark = "✓ " if asked else "· "
            # No-break spaces, so that a button is not split at the end of a line.
            words = f"{mark}{category.title}{count}".replace(" ", "\N{NO-BREAK SPACE}")
            chip = Content.from_markup(f"[@click=toggle_chip({number})]$words[/]", words=words)
            here = self.has_focus and number == self._at
            parts.append(chip.stylize("reverse" if here else "$text-success" if asked else "$foreground 70%"))
        key = Content.from_markup("[@click=screen.prompts][bold $accent]v[/] $words[/]", words=_("list"))
        return Content("   ").join([*parts, key])

    def on_focus(self) -> None:
        """Mark the button under the cursor."""
        self.update(self._drawn())

    def on_blur(self) -> None:
        """Mark no button."""
        self.update(self._drawn())

    def action_move(self, by: int) -> None:
        """Move by a number of buttons; the last is followed by the first."""
        self._at = (self._at + by) % max(len(self._pack.categories), 1)
        self.update(self._drawn())

    def action_toggle_here(self) -> None:
        """Pick or remove the category under the cursor."""
        self.action_toggle_chip(self._at)

    def action_toggle_chip(self, number: int) -> None:
        """Pick a category by its first prompt, or remove all its prompts.

        If every prompt of the other picked categories is picked, every prompt of this one is picked, too.
        """
        self._at = number
        category = self._pack.categories[number]
        of_it = {prompt.id for prompt in category.prompts}
        if self._asked(category):
            self._pick(self._picked - of_it)
        else:
            every = bool(self.categories) and self.are_all and len(self.picked) > len(self.categories)
            self._pick(self._picked | set(prompts_of(self._pack, [category.id], every=every)))
