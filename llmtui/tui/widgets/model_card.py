"""The panel beside the model list with the details of the model under the cursor."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class ModelCard(VerticalScroll, can_focus=False):
    """The details of one model."""

    DEFAULT_CSS = """
    ModelCard { padding: 0 1; scrollbar-size-vertical: 1; & > Static { width: 1fr; } }
    """

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield Static(id="model-card-text")

    def show(self, name: str, text: Content) -> None:
        """Show the details of a model, with its name in the frame's title."""
        self.border_title = name
        self.query_exactly_one("#model-card-text", Static).update(text)
