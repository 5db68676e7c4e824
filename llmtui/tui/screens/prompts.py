"""All prompts as a list: read them, pick single ones, edit them in the person's editor."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Footer, OptionList, Static

from llmtui.core.planning import prompts_of
from llmtui.core.prompts import Prompt, PromptPack
from llmtui.tui.editing import edited_prompts
from llmtui.tui.shell import ShellOf
from llmtui.tui.widgets.pick_list import PickList
from llmtui.words import _

_CATEGORY = "category:"
"""Before a category's id: its line above its prompts."""


class PromptList(PickList):
    """One prompt per line, under its category; a category's line picks all of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.done", _("Done"), id="done"),
        Binding("a", "pick_all", _("All"), id="all_single", tooltip=_("Pick all prompts, or none")),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.prompts: dict[str, Prompt] = {}
        self._titles: dict[str, str] = {}

    def take(self, pack: PromptPack, picked: Collection[str]) -> None:
        """Show a pack with these prompts ticked."""
        self.prompts = {prompt.id: prompt for category in pack.categories for prompt in category.prompts}
        self._titles = {_CATEGORY + category.id: category.title for category in pack.categories}
        items = [
            item
            for category in pack.categories
            for item in (_CATEGORY + category.id, *(prompt.id for prompt in category.prompts))
        ]
        self.show_items(items, [item for item in picked if item in self.prompts])

    def usable(self, item: str) -> bool:
        """Return whether it is a prompt."""
        return item in self.prompts

    def selectable(self, item: str) -> bool:
        """Return whether the cursor can go there: everywhere."""
        return True

    def toggle(self, item: str) -> None:
        """Tick a prompt or take its tick away; on a category's line all of its prompts."""
        if not item.startswith(_CATEGORY):
            super().toggle(item)
            return
        of_it = {one.id for one in self.prompts.values() if _CATEGORY + one.category == item}
        self.pick(self.picked - of_it if of_it <= self.picked else self.picked | of_it)
        self.post_message(self.Changed(self))

    def row(self, item: str, width: int) -> Content:
        """Return the category's title, or the prompt's."""
        if item in self._titles:
            return Content.styled(self._titles[item], "bold")
        prompt = self.prompts[item]
        first = next(one for one in self.prompts.values() if one.category == prompt.category)
        usual = _("asked by default") if prompt is first else ""
        room = width - len(usual) - 2 if usual else width
        title = prompt.title if len(prompt.title) <= room else f"{prompt.title[: room - 1]}…"
        return Content.assemble(f"{title:<{max(room, 0)}}", ("  " + usual, "$foreground 70%") if usual else "")


class PromptsScreen(ModalScreen[tuple[str, ...]]):
    """The list of all prompts; its result is the ids of those picked."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "done", _("Back"), id="prompts_back"),
        Binding("e", "edit", _("Edit file"), id="edit_prompts", tooltip=_("Your own prompts in $EDITOR")),
    ]
    HELP = _(
        """
        # Prompts
        **Space** picks a prompt, on a category's line all of it. **e** opens your own prompts in the editor that
        `VISUAL` or `EDITOR` names; they are read again when it ends. What is wrong in the file is said with its line.
        """
    )

    shell = ShellOf()
    prompts = getters.query_one(PromptList)

    def __init__(self, pack: PromptPack, picked: Collection[str]) -> None:
        super().__init__()
        self._pack = pack
        self._first = tuple(picked)

    def compose(self) -> ComposeResult:
        """Return list and text beside each other, and where the prompts come from."""
        with Vertical(classes="dialog prompts") as box:
            box.border_title = _("Prompts")
            with Horizontal():
                yield PromptList()
                with VerticalScroll(can_focus=False):
                    yield Static(id="prompt-text")
            yield Static(id="prompt-source")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the pack."""
        self._show(self._pack, self._first)

    def _show(self, pack: PromptPack, picked: Collection[str]) -> None:
        self._pack = pack
        self.prompts.take(pack, picked)
        self._count()
        self._read()
        said = Content.styled(_("from {files}").format(files=", ".join(pack.sources)), "$foreground 70%")
        self.query_exactly_one("#prompt-source", Static).update(said)

    @on(PickList.Changed)
    def _count(self) -> None:
        words = _("{n} of {total} picked").format(n=len(self.prompts.picked), total=len(self.prompts.prompts))
        self.query_exactly_one(".dialog").border_subtitle = words

    @on(OptionList.OptionHighlighted)
    def _read(self) -> None:
        prompt = self.prompts.prompts.get(self.prompts.highlighted_item or "")
        text = "" if prompt is None else prompt.text
        self.query_exactly_one("#prompt-text", Static).update(Content(text))

    def action_done(self) -> None:
        """Close with what is picked, in the pack's order."""
        self.dismiss(tuple(item for item in self.prompts.prompts if item in self.prompts.picked))

    def action_edit(self) -> None:
        """Open the person's own prompts in their editor, then read them again."""
        edited = edited_prompts(self.app, self.shell.host)
        if edited is None:
            return
        kept = [item for item in self.prompts.picked if any(item == p.id for c in edited.categories for p in c.prompts)]
        self._show(edited, kept or prompts_of(edited, [category.id for category in edited.categories]))
