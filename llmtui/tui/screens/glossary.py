"""The glossary: the terms used on the screens, with their formulas and their names in files and other tools."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Markdown

from llmtui.words import _
from llmtui.words.glossary import glossary_text


class GlossaryScreen(ModalScreen[None]):
    """The glossary as a scrollable text."""

    CSS_PATH = "../styles/help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q", "dismiss", _("Back"), id="close_glossary"),
        Binding("down,j", "scroll(1)", _("Down"), show=False, tooltip=_("Scroll down")),
        Binding("up,k", "scroll(-1)", _("Up"), show=False, tooltip=_("Scroll up")),
    ]

    def compose(self) -> ComposeResult:
        """Yield the text of the glossary."""
        with VerticalScroll(classes="help") as box:
            box.border_title = _("Glossary")
            yield Markdown(glossary_text())
        yield Footer(show_command_palette=False)

    def action_scroll(self, by: int) -> None:
        """Scroll by a number of lines."""
        self.query_exactly_one(VerticalScroll).scroll_relative(y=by, animate=False)

    async def action_dismiss(self, result: None = None) -> None:
        """Close the glossary."""
        self.dismiss(result)
