"""The help: what the screen behind it is for, and all keys that work on that screen."""

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

from llmtui.tui.screens.glossary import GlossaryScreen
from llmtui.words import _


class HelpScreen(ModalScreen[None]):
    """The help as a scrollable text. Keys of the focused widget are first, then the screen's, then global ones."""

    CSS_PATH = "../styles/help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", _("Back"), id="close_help"),
        Binding("g", "glossary", _("Glossary"), id="glossary", tooltip=_("Open the glossary")),
        Binding("down,j", "scroll(1)", _("Down"), show=False, tooltip=_("Scroll down")),
        Binding("up,k", "scroll(-1)", _("Up"), show=False, tooltip=_("Scroll up")),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        """Create the help of a screen."""
        super().__init__()
        self._words = "\n\n".join(_texts(about))
        self._keys = _key_lines(about)

    def compose(self) -> ComposeResult:
        """Yield the keys, then the explanation of the screen."""
        with VerticalScroll(classes="help") as box:
            box.border_title = _("Help")
            yield Static(self._keys, id="help-keys")
            yield Markdown(self._words)
        yield Footer(show_command_palette=False)

    def action_scroll(self, by: int) -> None:
        """Scroll by a number of lines."""
        self.query_exactly_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_glossary(self) -> None:
        """Open the glossary."""
        self.app.push_screen(GlossaryScreen())

    async def action_dismiss(self, result: None = None) -> None:
        """Close the help."""
        self.dismiss(result)


def _texts(about: Screen[Any]) -> Iterator[str]:
    """Yield the help texts of the screen, of the focused widget's containers, and of the focused widget."""
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
    parts = [(title, rows) for title, rows in _parts(about) if rows]
    width = max((len(key) for _title, rows in parts for key, _words in rows), default=0)
    lines: list[Content] = []
    for title, rows in parts:
        lines += (
            [Content(), Content.styled(title, "bold $primary")] if lines else [Content.styled(title, "bold $primary")]
        )
        lines += [Content.assemble((f"{key:>{width}}", "bold $accent"), f"  {words}") for key, words in rows]
    return Content("\n").join(lines)


def _parts(about: Screen[Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the three lists of keys: (title, list of (keys, description)); keys of the footer are first."""
    here: dict[str, list[Binding]] = {}
    screen: dict[str, list[Binding]] = {}
    program: dict[str, list[Binding]] = {}
    for active in about.active_bindings.values():
        if active.enabled and active.binding.description:
            node = active.node
            of = screen if node is about else program if node is about.app else here
            of.setdefault(active.binding.action, []).append(active.binding)
    titles = (_("Keys where the cursor is"), _("Keys of this screen"), _("Keys everywhere"))
    return [(title, _rows(about, of)) for title, of in zip(titles, (here, screen, program), strict=True)]


def _rows(about: Screen[Any], by_action: dict[str, list[Binding]]) -> list[tuple[str, str]]:
    ordered = sorted(by_action.values(), key=lambda bindings: not bindings[0].show)
    return [
        (" ".join(about.app.get_key_display(one) for one in same), same[0].tooltip or same[0].description)
        for same in ordered
    ]
