"""Help: what the screen below is for, and every key that works there now."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Footer, Markdown, Static

from llmtui.words import _


class HelpScreen(ModalScreen[None]):
    """Scrolls; the keys are those the footer knows, shown there or not."""

    CSS_PATH = "../styles/help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", _("Back"), id="close_help"),
        Binding("down,j", "scroll(1)", _("Down"), show=False),
        Binding("up,k", "scroll(-1)", _("Up"), show=False),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        """Makes the help of a screen as it is now: the widget with the focus has its own part."""
        super().__init__()
        self._words = "\n\n".join(_texts(about))
        self._keys = _key_lines(about)

    def compose(self) -> ComposeResult:
        """Words, then keys."""
        with VerticalScroll(classes="help") as box:
            box.border_title = _("Help")
            yield Markdown(self._words)
            yield Static(self._keys, id="help-keys")
        yield Footer(show_command_palette=False)

    def action_scroll(self, by: int) -> None:
        """Scrolls a line."""
        self.query_exactly_one(VerticalScroll).scroll_relative(y=by, animate=False)

    async def action_dismiss(self, result: None = None) -> None:
        """Goes back."""
        self.dismiss(result)


def _texts(about: Screen[Any]) -> Iterator[str]:
    """The HELP of the screen, then of what has the focus and what holds it."""
    focused = about.focused
    chain: list[Widget] = (
        [] if focused is None else [node for node in focused.ancestors_with_self if isinstance(node, Widget)]
    )
    if about not in chain:
        chain.append(about)
    for node in reversed(chain):
        if node.HELP:
            yield cleandoc(node.HELP)


def _key_lines(about: Screen[Any]) -> Content:
    rows = list(_rows(about))
    width = max((len(key) for key, _words, _id in rows), default=0)
    words_width = max((len(words) for _key, words, _id in rows), default=0)
    lines = [Content.styled(_("Keys"), "bold $primary"), Content()]
    for key, words, name in rows:
        lines.append(
            Content.assemble((f"{key:>{width}}", "bold $accent"), f"  {words:<{words_width}}", (f"  {name}", "dim"))
        )
    lines += [Content(), Content.styled(_("The last column is the key's name for [keymap] in the settings."), "dim")]
    return Content("\n").join(lines)


def _rows(about: Screen[Any]) -> Iterator[tuple[str, str, str]]:
    """(keys, what they do, id) of each of our actions, those in the footer first."""
    by_action: dict[tuple[int, str], list[Binding]] = {}
    for active in about.active_bindings.values():
        if active.enabled and active.binding.id:
            by_action.setdefault((id(active.node), active.binding.action), []).append(active.binding)
    for same in sorted(by_action.values(), key=lambda bindings: not bindings[0].show):
        first = same[0]
        keys = " ".join(about.app.get_key_display(binding) for binding in same)
        yield keys, first.tooltip or first.description, first.id or ""
