"""The dialog with all prompts: to read and pick them, and to edit the user's own in an editor."""

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
"""The id of a category's heading is this prefix and the category's id."""


class PromptList(PickList):
    """List of prompts, one per line below their category's heading; a heading picks the whole category."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.done", _("Done"), id="done", tooltip=_("Use the picked prompts and go back")),
        Binding("a", "pick_all", _("All"), id="all_single", tooltip=_("Pick all prompts, or none")),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.prompts: dict[str, Prompt] = {}
        self._titles: dict[str, str] = {}

    def take(self, pack: PromptPack, picked: Collection[str]) -> None:
        """Show a pack of prompts, with the given prompts ticked."""
        self.prompts = {prompt.id: prompt for category in pack.categories for prompt in category.prompts}
        self._titles = {_CATEGORY + category.id: category.title for category in pack.categories}
        items = [
            item
            for category in pack.categories
            for item in (_CATEGORY + category.id, *(prompt.id for prompt in category.prompts))
        ]
        self.show_items(items, [item for item in picked if item in self.prompts])

    def usable(self, item: str) -> bool:
        """Return whether the item is a prompt, not a heading."""
        return item in self.prompts

    def selectable(self, item: str) -> bool:
        """Return True: the cursor can go to prompts and headings."""
        return True

    def toggle(self, item: str) -> None:
        """Tick or untick a prompt; on a heading, all prompts of the category."""
        if not item.startswith(_CATEGORY):
            super().toggle(item)
            return
        of_it = {one.id for one in self.prompts.values() if _CATEGORY + one.category == item}
        self.pick(self.picked - of_it if of_it <= self.picked else self.picked | of_it)
        self.post_message(self.Changed(self))

    def row(self, item: str, width: int) -> Content:
        """Return the line of a prompt or a heading, without the tick."""
        if item in self._titles:
            return Content.styled(self._titles[item], "bold")
        prompt = self.prompts[item]
        first = next(one for one in self.prompts.values() if one.category == prompt.category)
        usual = _("used by default") if prompt is first else ""
        room = width - len(usual) - 2 if usual else width
        title = prompt.title if len(prompt.title) <= room else f"{prompt.title[: room - 1]}…"
        return Content.assemble(f"{title:<{max(room, 0)}}", ("  " + usual, "$foreground 70%") if usual else "")


class PromptsScreen(ModalScreen[tuple[str, ...]]):
    """Dialog with all prompts; its result is the ids of the picked ones."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "done", _("Back"), id="prompts_back"),
        Binding("e", "edit", _("Edit file"), id="edit_prompts", tooltip=_("Edit your own prompts in $EDITOR")),
    ]
    HELP = _(
        """
        # Prompts
        **Space** picks a prompt, or on a category's line all its prompts. **e** opens your own prompts in the editor
        that `VISUAL` or `EDITOR` names; they are read again when you close it. Errors are shown with their line number.
        """
    )

    shell = ShellOf()
    prompts = getters.query_one(PromptList)

    def __init__(self, pack: PromptPack, picked: Collection[str]) -> None:
        super().__init__()
        self._pack = pack
        self._first = tuple(picked)

    def compose(self) -> ComposeResult:
        """Yield the list beside the text of the current prompt, and the names of the prompt files."""
        with Vertical(classes="dialog prompts") as box:
            box.border_title = _("Prompts")
            with Horizontal():
                yield PromptList()
                with VerticalScroll(can_focus=False):
                    yield Static(id="prompt-text")
            yield Static(id="prompt-source")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show the prompts."""
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
        """Close the dialog with the ids of the picked prompts, in the order of the list."""
        self.dismiss(tuple(item for item in self.prompts.prompts if item in self.prompts.picked))

    def action_edit(self) -> None:
        """Open the user's prompts file in an editor, then show the new prompts."""
        edited = edited_prompts(self.app, self.shell.host)
        if edited is None:
            return
        kept = [item for item in self.prompts.picked if any(item == p.id for c in edited.categories for p in c.prompts)]
        self._show(edited, kept or prompts_of(edited, [category.id for category in edited.categories]))
